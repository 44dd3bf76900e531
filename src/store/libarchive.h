// The functions of libarchive that are used, loaded at the first archive: with what it
// depends on it is half the time that the program takes to start.
#pragma once

#include <archive.h>
#include <archive_entry.h>

namespace stravinsky::store {

struct Libarchive {
  decltype(&archive_entry_filetype) entry_filetype = nullptr;
  decltype(&archive_entry_hardlink) entry_hardlink = nullptr;
  decltype(&archive_entry_hardlink_utf8) entry_hardlink_utf8 = nullptr;
  decltype(&archive_entry_mode) entry_mode = nullptr;
  decltype(&archive_entry_pathname) entry_pathname = nullptr;
  decltype(&archive_entry_pathname_utf8) entry_pathname_utf8 = nullptr;
  decltype(&archive_entry_size) entry_size = nullptr;
  decltype(&archive_entry_size_is_set) entry_size_is_set = nullptr;
  decltype(&archive_error_string) error_string = nullptr;
  decltype(&archive_filter_code) filter_code = nullptr;
  decltype(&archive_filter_count) filter_count = nullptr;
  decltype(&archive_read_data) read_data = nullptr;
  decltype(&archive_read_free) read_free = nullptr;
  decltype(&archive_read_new) read_new = nullptr;
  decltype(&archive_read_next_header) read_next_header = nullptr;
  decltype(&archive_read_open) read_open = nullptr;
  decltype(&archive_read_open_memory) read_open_memory = nullptr;
  decltype(&archive_read_support_filter_gzip) read_support_filter_gzip = nullptr;
  decltype(&archive_read_support_filter_zstd) read_support_filter_zstd = nullptr;
  decltype(&archive_read_support_format_raw) read_support_format_raw = nullptr;
  decltype(&archive_read_support_format_tar) read_support_format_tar = nullptr;
  decltype(&archive_read_support_format_zip_seekable) read_support_format_zip_seekable = nullptr;
  decltype(&archive_set_error) set_error = nullptr;
};

// Loaded once and never unloaded; nullptr when it is not installed.
const Libarchive* libarchive();

}  // namespace stravinsky::store
