#include "store/libarchive.h"

#include <dlfcn.h>

#include <optional>

namespace stravinsky::store {
namespace {

template <typename Function>
bool find(void* handle, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(handle, name));
  return function != nullptr;
}

std::optional<Libarchive> load() {
  // The only version of its interface since 2011 (libarchive 3).
  void* handle = dlopen("libarchive.so.13", RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return std::nullopt;
  Libarchive library;
  const bool is_complete =
      find(handle, "archive_entry_filetype", library.entry_filetype) &&
      find(handle, "archive_entry_hardlink", library.entry_hardlink) &&
      find(handle, "archive_entry_hardlink_utf8", library.entry_hardlink_utf8) &&
      find(handle, "archive_entry_mode", library.entry_mode) &&
      find(handle, "archive_entry_pathname", library.entry_pathname) &&
      find(handle, "archive_entry_pathname_utf8", library.entry_pathname_utf8) &&
      find(handle, "archive_entry_size", library.entry_size) &&
      find(handle, "archive_entry_size_is_set", library.entry_size_is_set) &&
      find(handle, "archive_error_string", library.error_string) &&
      find(handle, "archive_filter_code", library.filter_code) &&
      find(handle, "archive_filter_count", library.filter_count) &&
      find(handle, "archive_read_data", library.read_data) &&
      find(handle, "archive_read_free", library.read_free) &&
      find(handle, "archive_read_new", library.read_new) &&
      find(handle, "archive_read_next_header", library.read_next_header) &&
      find(handle, "archive_read_open", library.read_open) &&
      find(handle, "archive_read_open_memory", library.read_open_memory) &&
      find(handle, "archive_read_support_filter_gzip", library.read_support_filter_gzip) &&
      find(handle, "archive_read_support_filter_zstd", library.read_support_filter_zstd) &&
      find(handle, "archive_read_support_format_raw", library.read_support_format_raw) &&
      find(handle, "archive_read_support_format_tar", library.read_support_format_tar) &&
      find(handle, "archive_read_support_format_zip_seekable",
           library.read_support_format_zip_seekable) &&
      find(handle, "archive_set_error", library.set_error);
  if (!is_complete) return std::nullopt;
  return library;
}

}  // namespace

const Libarchive* libarchive() {
  static const std::optional<Libarchive> loaded = load();
  return loaded ? &*loaded : nullptr;
}

}  // namespace stravinsky::store
