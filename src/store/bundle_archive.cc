// read_archive of store/bundle_source.h, by libarchive.
#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <set>

#include "base/strings.h"
#include "codec/gzip_member.h"
#include "store/bundle_source.h"

namespace stravinsky::store {
namespace {

constexpr size_t kPieceBytes = 64U << 10U;

struct ArchiveFree {
  void operator()(archive* reader) const { (void)archive_read_free(reader); }
};

// What libarchive reads from.
struct Input {
  fs::FileSystem& fs;
  fs::Fd file;
  uint64_t at = 0;
  std::vector<std::byte> piece = std::vector<std::byte>(kPieceBytes);
  std::optional<Error> error{};
};

// The signature is libarchive's.
la_ssize_t read_input(archive* reader, void* client, const void** data) {
  Input& input = *static_cast<Input*>(client);
  const auto got = input.fs.read(input.file, input.at, input.piece);
  if (!got) {
    input.error = got.error();
    archive_set_error(reader, EIO, "the file cannot be read");
    return ARCHIVE_FATAL;
  }
  input.at += *got;
  *data = input.piece.data();
  return static_cast<la_ssize_t>(*got);
}

class ArchiveReader {
 public:
  ArchiveReader(fs::FileSystem& fs, fs::Fd file, const BundleLimits& limits)
      : input_{.fs = fs, .file = file}, limits_(limits), reader_(archive_read_new()) {}

  Result<RawFiles> run() {
    if (!reader_) return make_error(ErrorCode::kIo, "out of memory");
    archive_read_support_filter_gzip(reader_.get());
    archive_read_support_format_tar(reader_.get());
    if (archive_read_open(reader_.get(), &input_, nullptr, read_input, nullptr) != ARCHIVE_OK)
      return damaged();
    while (true) {
      archive_entry* entry = nullptr;
      const int status = archive_read_next_header(reader_.get(), &entry);
      if (status == ARCHIVE_EOF) break;
      if (status != ARCHIVE_OK && status != ARCHIVE_WARN) return damaged();
      RETURN_IF_ERROR(read_member(entry));
    }
    RETURN_IF_ERROR(check_gzip());
    raw_.tops.assign(tops_.begin(), tops_.end());
    return std::move(raw_);
  }

 private:
  Error damaged() const {
    if (input_.error) return *input_.error;
    const char* why = archive_error_string(reader_.get());
    return make_error(ErrorCode::kUsage,
                      std::string("not a sound .tar.gz: ") + escape(why != nullptr ? why : "cut"))
        .with_untouched("Nothing was changed.")
        .with_remedy("Get the bundle again and compare its checksum.");
  }

  // libarchive does not look at the checksum and length that end a gzip member, so a
  // flipped bit could be installed. By now the size is known to be within the limits.
  Status check_gzip() {
    constexpr uint64_t kHeadersMaxBytes = 4096;  // of one tar member, padding included
    constexpr uint64_t kSlackBytes = 1U << 20U;
    ASSIGN_OR_RETURN(const fs::Stat stat, input_.fs.stat_fd(input_.file));
    codec::GzipReader gzip(input_.fs, input_.file,
                           total_bytes_ + members_ * kHeadersMaxBytes + kSlackBytes,
                           codec::GzipOrigin::kForeign);
    gzip.seek(0, stat.size_bytes);
    while (!gzip.at_end()) {
      if (gzip.next()) continue;
      // Some writers fill the last block with NUL bytes.
      ASSIGN_OR_RETURN(const bool padding, is_padding(gzip.offset()));
      if (padding && gzip.offset() > 0) break;
      return make_error(ErrorCode::kUsage, "not a sound .tar.gz: its checksum does not match")
          .with_untouched("Nothing was changed.")
          .with_remedy("Get the bundle again and compare its checksum.");
    }
    return {};
  }

  Result<bool> is_padding(uint64_t from) {
    for (uint64_t at = from;;) {
      ASSIGN_OR_RETURN(const size_t got, input_.fs.read(input_.file, at, input_.piece));
      for (size_t i = 0; i < got; ++i)
        if (input_.piece[i] != std::byte{0}) return false;
      if (got == 0) return true;
      at += got;
    }
  }

  // The member's name as bytes, whatever the locale.
  static std::string name_of(archive_entry* entry) {
    const char* name = archive_entry_pathname_utf8(entry);
    if (name == nullptr) name = archive_entry_pathname(entry);
    return name != nullptr ? name : "";
  }

  Status check_kind(archive_entry* entry, const std::string& name) const {
    if (archive_entry_hardlink(entry) != nullptr || archive_entry_hardlink_utf8(entry) != nullptr)
      return refuse_bundle(name, "it is a hard link, and a bundle must not hold links");
    switch (archive_entry_filetype(entry)) {
      case AE_IFREG:
      case AE_IFDIR:
        return {};
      case AE_IFLNK:
        return refuse_bundle(name, "it is a link, and a bundle must not hold links");
      default:
        return refuse_bundle(name, "it is a device, a FIFO or a socket");
    }
  }

  Status read_member(archive_entry* entry) {
    std::string name = name_of(entry);
    RETURN_IF_ERROR(check_kind(entry, name));
    while (name.starts_with("./")) name.erase(0, 2);
    while (name.ends_with('/')) name.pop_back();
    if (name.empty() || name == ".") {
      if (archive_entry_filetype(entry) == AE_IFDIR) return {};
      return refuse_bundle(name, "a member has no name");
    }
    const auto path = fs::RelPath::parse(name);
    if (!path) return refuse_bundle(name, path.error().message);
    tops_.insert(name.substr(0, name.find('/')));
    if (++members_ > limits_.files_max)
      return refuse_bundle(name, fmt::format("the bundle has more than {} members",
                                             with_thousands(limits_.files_max)));
    if (archive_entry_filetype(entry) == AE_IFDIR) return {};
    RETURN_IF_ERROR(count(name, archive_entry_size(entry)));
    if (!is_candidate(*path)) return {};
    RawFile file{.path = *path, .mode = archive_entry_mode(entry) & 07777U};
    RETURN_IF_ERROR(read_content(name, file.content));
    raw_.files.push_back(std::move(file));
    return {};
  }

  // Before a byte of it is unpacked, so that skipping a member costs no more than
  // reading one.
  Status count(const std::string& name, int64_t size) {
    if (size < 0 || static_cast<uint64_t>(size) > limits_.file_max_bytes)
      return refuse_bundle(name,
                           fmt::format("it is larger than {}", human_size(limits_.file_max_bytes)));
    total_bytes_ += static_cast<uint64_t>(size);
    if (total_bytes_ > limits_.total_max_bytes)
      return refuse_bundle(
          name, fmt::format("the bundle is larger than {}", human_size(limits_.total_max_bytes)));
    return {};
  }

  Status read_content(const std::string& name, std::string& content) {
    std::vector<char> piece(kPieceBytes);
    while (true) {
      const la_ssize_t got = archive_read_data(reader_.get(), piece.data(), piece.size());
      if (got < 0) return damaged();
      if (got == 0) break;
      content.append(piece.data(), static_cast<size_t>(got));
      if (content.size() > limits_.file_max_bytes)
        return refuse_bundle(
            name, fmt::format("it is larger than {}", human_size(limits_.file_max_bytes)));
    }
    unpacked_bytes_ += content.size();
    if (unpacked_bytes_ > limits_.ratio_free_bytes &&
        unpacked_bytes_ / limits_.ratio_max > input_.at)
      return refuse_bundle(name, fmt::format("the archive unpacks to more than {} times its size",
                                             limits_.ratio_max));
    return {};
  }

  Input input_;
  const BundleLimits& limits_;
  std::unique_ptr<archive, ArchiveFree> reader_;
  RawFiles raw_;
  std::set<std::string> tops_;
  uint64_t members_ = 0;
  uint64_t total_bytes_ = 0;
  uint64_t unpacked_bytes_ = 0;
};

}  // namespace

Result<RawFiles> read_archive(fs::FileSystem& fs, fs::Fd file, const BundleLimits& limits) {
  return ArchiveReader(fs, file, limits).run();
}

}  // namespace stravinsky::store
