// archive_source of store/bundle_source.h, by libarchive.
//
// A compressed tar goes through libarchive twice: one reader unpacks, the other reads
// the tar that comes out, so that the stream between them can be counted (a bomb is
// noticed by what it unpacks to, whichever member it hides in) and looked at.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/strings.h"
#include "codec/gzip_member.h"
#include "store/bundle_source.h"
#include "store/libarchive.h"
#include "store/tar_names.h"
#include "store/zip_names.h"

namespace stravinsky::store {
namespace {

constexpr size_t kPieceBytes = 64U << 10U;

struct ArchiveFree {
  void operator()(archive* reader) const { (void)libarchive()->read_free(reader); }
};
using Reader = std::unique_ptr<archive, ArchiveFree>;

// member: the one that was being read, if there was one.
Error damaged(archive* reader, const std::string& member) {
  const char* why = libarchive()->error_string(reader);
  const std::string_view text = why != nullptr ? why : "it is cut";
  if (text.find("Unrecognized archive format") != std::string_view::npos) return no_archive();
  return make_error(ErrorCode::kCorrupt, "not a sound archive: " + escape(text), escape(member))
      .with_untouched("Nothing was changed.")
      .with_remedy("Get the bundle again and compare its checksum.");
}

// The bytes of a tar, unpacked as they are asked for.
class TarStream {
 public:
  TarStream(std::string_view bytes, const BundleLimits& limits)
      : bytes_(bytes), limits_(limits), reader_(libarchive()->read_new()) {}

  Status open() {
    if (!reader_) return make_error(ErrorCode::kIo, "out of memory");
    libarchive()->read_support_filter_gzip(reader_.get());
    libarchive()->read_support_filter_zstd(reader_.get());
    libarchive()->read_support_format_raw(reader_.get());
    archive_entry* entry = nullptr;
    if (libarchive()->read_open_memory(reader_.get(), bytes_.data(), bytes_.size()) != ARCHIVE_OK ||
        libarchive()->read_next_header(reader_.get(), &entry) != ARCHIVE_OK)
      return damaged(reader_.get(), "");
    if (libarchive()->filter_count(reader_.get()) > 2)
      return make_error(ErrorCode::kCorrupt, "the archive is compressed more than once")
          .with_untouched("Nothing was changed.")
          .with_remedy("Do not install this bundle; ask whoever made it.");
    return {};
  }

  // The next piece; empty at the end.
  Result<std::string_view> next() {
    const la_ssize_t got = libarchive()->read_data(reader_.get(), piece_.data(), piece_.size());
    if (got < 0) return damaged(reader_.get(), member);
    const std::string_view piece(piece_.data(), static_cast<size_t>(got));
    unpacked_bytes_ += piece.size();
    const uint64_t headers_bytes = limits_.files_max * kHeadersMaxBytes;
    if (unpacked_bytes_ > limits_.total_max_bytes + headers_bytes)
      return refuse_bundle(
          member, fmt::format("the bundle is larger than {}", human_size(limits_.total_max_bytes)));
    if (unpacked_bytes_ > limits_.ratio_free_bytes &&
        unpacked_bytes_ / limits_.ratio_max > bytes_.size())
      return refuse_bundle(member, fmt::format("the archive unpacks to more than {} times its size",
                                               limits_.ratio_max));
    RETURN_IF_ERROR(names_.feed(piece));
    return piece;
  }

  // Unpacks what follows the tar, and looks at what libarchive does not: the checksum
  // and length that end a gzip member, without which a flipped bit could be installed.
  Status finish() {
    while (true) {
      ASSIGN_OR_RETURN(const std::string_view piece, next());
      if (piece.empty()) break;
    }
    // "tar c | gzip" with the tar killed: sound in itself, but for the members it lacks.
    if (!names_.has_ended())
      return make_error(ErrorCode::kCorrupt,
                        "the archive is cut: the blocks that end a tar are not there",
                        escape(member))
          .with_untouched("Nothing was changed.")
          .with_remedy("Get the bundle again and compare its checksum.");
    if (libarchive()->filter_code(reader_.get(), 0) != ARCHIVE_FILTER_GZIP) return {};
    if (codec::check_gzip(as_byte_span(bytes_), unpacked_bytes_)) return {};
    return make_error(ErrorCode::kCorrupt, "not a sound .tar.gz: its checksum does not match")
        .with_untouched("Nothing was changed.")
        .with_remedy("Get the bundle again and compare its checksum.");
  }

  std::string member;          // that is being read, for messages
  std::optional<Error> error;  // of the last next() that libarchive asked for

  // The signature is libarchive's.
  static la_ssize_t read(archive* reader, void* client, const void** data) {
    auto& stream = *static_cast<TarStream*>(client);
    const auto piece = stream.next();
    if (!piece) {
      stream.error = piece.error();
      libarchive()->set_error(reader, EIO, "the archive cannot be unpacked");
      return ARCHIVE_FATAL;
    }
    *data = piece->data();
    return static_cast<la_ssize_t>(piece->size());
  }

 private:
  static constexpr uint64_t kHeadersMaxBytes = 4096;  // of one tar member, padding included

  std::string_view bytes_;
  const BundleLimits& limits_;
  Reader reader_;
  TarNames names_;
  std::array<char, kPieceBytes> piece_{};
  uint64_t unpacked_bytes_ = 0;
};

// A link or a device counts only where the tree lies: a checkout may have links beside
// it, packed or not.
class MemorySource final : public BundleSource {
 public:
  Result<std::vector<fs::DirEntry>> list(const std::string& dir) override {
    std::vector<fs::DirEntry> entries;
    const std::string prefix = dir.empty() ? "" : dir + "/";
    for (auto at = files_.lower_bound(prefix);
         at != files_.end() && at->first.starts_with(prefix);) {
      const std::string_view rest = std::string_view(at->first).substr(prefix.size());
      const size_t slash = rest.find('/');
      const std::string name(rest.substr(0, slash));
      if (slash == std::string_view::npos) {
        entries.push_back({name, at->second.type});
        ++at;
      } else {
        entries.push_back({name, fs::NodeType::kDirectory});
        at = files_.lower_bound(prefix + name + static_cast<char>('/' + 1));  // behind it
      }
    }
    return entries;
  }

  Result<std::optional<RawFile>> read(const std::string& path) override {
    const auto found = files_.find(path);
    if (found == files_.end() || found->second.type != fs::NodeType::kFile) return std::nullopt;
    return found->second.file;
  }

  Status collect(const std::string& path, const std::string& root,
                 std::vector<RawFile>& files) override {
    const std::string prefix = path.empty() ? "" : path + "/";
    if (const auto file = files_.find(path); file != files_.end())
      RETURN_IF_ERROR(take(file, root, files));
    auto at = files_.lower_bound(prefix);
    while (at != files_.end() && at->first.starts_with(prefix)) {
      const auto next = std::next(at);
      RETURN_IF_ERROR(take(at, root, files));
      at = next;
    }
    return {};
  }

  // False when there is one of this name.
  bool add(RawFile file) {
    return add({.file = std::move(file), .type = fs::NodeType::kFile, .refusal = {}});
  }
  // What must not be in a tree, and what is said when it is.
  bool add_refused(fs::RelPath path, fs::NodeType type, Error refusal) {
    return add({.file = {.path = std::move(path)}, .type = type, .refusal = std::move(refusal)});
  }

 private:
  struct Node {
    RawFile file;
    fs::NodeType type = fs::NodeType::kFile;
    Error refusal;
  };
  using Nodes = std::map<std::string, Node>;

  bool add(Node node) {
    std::string name = node.file.path.str();
    return files_.emplace(std::move(name), std::move(node)).second;
  }

  Status take(Nodes::iterator at, const std::string& root, std::vector<RawFile>& files) {
    if (at->second.type != fs::NodeType::kFile) {
      if (is_never_managed(at->second.file.path, root)) return {};
      return at->second.refusal;
    }
    files.push_back(std::move(at->second.file));
    files_.erase(at);
    return {};
  }

  Nodes files_;
};

class ArchiveReader {
 public:
  ArchiveReader(std::string_view bytes, const BundleLimits& limits)
      : bytes_(bytes),
        limits_(limits),
        reader_(libarchive()->read_new()),
        source_(std::make_unique<MemorySource>()) {}

  Result<std::unique_ptr<BundleSource>> run() {
    if (!reader_) return make_error(ErrorCode::kIo, "out of memory");
    if (bytes_.empty())
      return make_error(ErrorCode::kCorrupt, "the file is empty")
          .with_untouched("Nothing was changed.")
          .with_remedy("Get the bundle again and compare its checksum.");
    const bool is_zip = bytes_.starts_with("PK\x03\x04") || bytes_.starts_with("PK\x05\x06");
    if (is_zip) {
      RETURN_IF_ERROR(check_zip_names(bytes_));
      libarchive()->read_support_format_zip_seekable(reader_.get());
      if (libarchive()->read_open_memory(reader_.get(), bytes_.data(), bytes_.size()) != ARCHIVE_OK)
        return damaged(reader_.get(), "");
    } else {
      stream_ = std::make_unique<TarStream>(bytes_, limits_);
      RETURN_IF_ERROR(stream_->open());
      libarchive()->read_support_format_tar(reader_.get());
      if (libarchive()->read_open(reader_.get(), stream_.get(), nullptr, TarStream::read,
                                  nullptr) != ARCHIVE_OK)
        return failed();
    }
    while (true) {
      archive_entry* entry = nullptr;
      const int status = libarchive()->read_next_header(reader_.get(), &entry);
      if (status == ARCHIVE_EOF) break;
      if (status != ARCHIVE_OK && status != ARCHIVE_WARN) return failed();
      RETURN_IF_ERROR(read_member(entry));
    }
    if (stream_) RETURN_IF_ERROR(stream_->finish());
    return std::move(source_);
  }

 private:
  Error failed() const {
    if (stream_ && stream_->error) return *stream_->error;
    return damaged(reader_.get(), member_);
  }

  // The member's name as bytes, whatever the locale.
  static std::string name_of(archive_entry* entry) {
    const char* name = libarchive()->entry_pathname_utf8(entry);
    if (name == nullptr) name = libarchive()->entry_pathname(entry);
    return name != nullptr ? name : "";
  }

  // Of what is neither a file nor a directory.
  struct Refused {
    fs::NodeType type;
    Error error;
  };
  static std::optional<Refused> refusal_of(archive_entry* entry, const std::string& name) {
    if (libarchive()->entry_hardlink(entry) != nullptr ||
        libarchive()->entry_hardlink_utf8(entry) != nullptr)
      return Refused{fs::NodeType::kOther, refuse_hard_link(name)};
    switch (libarchive()->entry_filetype(entry)) {
      case AE_IFREG:
      case AE_IFDIR:
        return std::nullopt;
      case AE_IFLNK:
        return Refused{fs::NodeType::kSymlink, refuse_link(name)};
      default:
        return Refused{fs::NodeType::kOther, refuse_special(name)};
    }
  }

  Status read_member(archive_entry* entry) {
    std::string name = name_of(entry);
    const auto refused = refusal_of(entry, name);
    while (name.starts_with("./")) name.erase(0, 2);
    while (name.ends_with('/')) name.pop_back();
    if (name.empty() || name == ".") {
      if (libarchive()->entry_filetype(entry) == AE_IFDIR) return {};
      return refuse_bundle(name, "a member has no name");
    }
    const auto path = fs::RelPath::parse(name);
    if (!path) return refuse_bundle(name, path.error().message);
    if (path->components().size() > limits_.depth_max)
      return refuse_bundle(name, "its directories are nested too deeply");
    if (++members_ > limits_.files_max)
      return refuse_bundle(name, fmt::format("the bundle has more than {} members",
                                             with_thousands(limits_.files_max)));
    member_ = name;
    if (stream_) stream_->member = name;
    if (refused) {
      if (source_->add_refused(*path, refused->type, refused->error)) return {};
      return refuse_bundle(name, "the name is there twice");
    }
    if (libarchive()->entry_filetype(entry) == AE_IFDIR) return {};
    // A zip may not say the size before the content.
    if (libarchive()->entry_size_is_set(entry))
      RETURN_IF_ERROR(count(name, libarchive()->entry_size(entry)));
    RawFile file{.path = *path, .mode = libarchive()->entry_mode(entry) & 07777U};
    RETURN_IF_ERROR(read_content(name, file.content));
    if (!libarchive()->entry_size_is_set(entry))
      RETURN_IF_ERROR(count(name, static_cast<int64_t>(file.content.size())));
    if (!source_->add(std::move(file))) return refuse_bundle(name, "the name is there twice");
    return {};
  }

  // Before a byte of it is unpacked.
  Status count(const std::string& name, int64_t size) {
    if (size < 0 || static_cast<uint64_t>(size) > limits_.file_max_bytes)
      return refuse_bundle(name,
                           fmt::format("it is larger than {}", human_size(limits_.file_max_bytes)));
    total_bytes_ += static_cast<uint64_t>(size);
    if (total_bytes_ > limits_.total_max_bytes)
      return refuse_bundle(
          name, fmt::format("the bundle is larger than {}", human_size(limits_.total_max_bytes)));
    return check_ratio(name, total_bytes_);
  }

  Status check_ratio(const std::string& name, uint64_t unpacked_bytes) const {
    if (unpacked_bytes <= limits_.ratio_free_bytes ||
        unpacked_bytes / limits_.ratio_max <= bytes_.size())
      return {};
    return refuse_bundle(
        name, fmt::format("the archive unpacks to more than {} times its size", limits_.ratio_max));
  }

  Status read_content(const std::string& name, std::string& content) {
    std::array<char, kPieceBytes> piece;
    while (true) {
      const la_ssize_t got = libarchive()->read_data(reader_.get(), piece.data(), piece.size());
      if (got < 0) return failed();
      if (got == 0) break;
      content.append(piece.data(), static_cast<size_t>(got));
      if (content.size() > limits_.file_max_bytes)
        return refuse_bundle(
            name, fmt::format("it is larger than {}", human_size(limits_.file_max_bytes)));
      RETURN_IF_ERROR(check_ratio(name, unpacked_bytes_ + content.size()));
    }
    unpacked_bytes_ += content.size();
    return {};
  }

  std::string_view bytes_;
  const BundleLimits& limits_;
  std::unique_ptr<TarStream> stream_;  // outlives the reader that reads from it
  Reader reader_;
  std::unique_ptr<MemorySource> source_;
  std::string member_;  // that is being read, for messages
  uint64_t members_ = 0;
  uint64_t total_bytes_ = 0;
  uint64_t unpacked_bytes_ = 0;
};

}  // namespace

Result<std::unique_ptr<BundleSource>> archive_source(std::string_view bytes,
                                                     const BundleLimits& limits) {
  if (libarchive() == nullptr)
    return make_error(ErrorCode::kUnsupported, "libarchive, which reads archives, is not installed")
        .with_untouched("Nothing was changed.")
        .with_remedy("Install libarchive13, or unpack the archive and give its directory.");
  return ArchiveReader(bytes, limits).run();
}

}  // namespace stravinsky::store
