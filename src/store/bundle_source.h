// BundleSource: the raw files of a bundle's directory or archive, before anybody has
// looked for its layout. Everything here is hostile.
//
// Paths are those in the source, without a slash at either end; "" is its top.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "fs/file.h"
#include "fs/file_system.h"

namespace stravinsky::store {

struct BundleLimits {
  uint64_t archive_max_bytes = 512ULL << 20U;  // of the archive itself
  uint64_t files_max = 100'000;
  uint64_t file_max_bytes = 64ULL << 20U;
  uint64_t total_max_bytes = 1ULL << 30U;
  size_t depth_max = 64;  // far beyond what any tree has, far below what breaks
  // Of an archive's content to its size, once more than ratio_free_bytes came out.
  uint64_t ratio_max = 200;
  uint64_t ratio_free_bytes = 16ULL << 20U;
};

struct RawFile {
  fs::RelPath path;  // in the source
  uint32_t mode = 0;
  std::string content{};
};

class BundleSource {
 public:
  virtual ~BundleSource() = default;
  // The names in a directory; empty when there is no such directory.
  virtual Result<std::vector<fs::DirEntry>> list(const std::string& dir) = 0;
  // One file; nullopt when there is none.
  virtual Result<std::optional<RawFile>> read(const std::string& path) = 0;
  // Takes the file at path, or all files beneath it, out of the source: ask for a
  // thing once, and read() before. Links and devices among them are refused. What the
  // tree at `root` never manages may be left out: the projects of a user's own ~/.claude
  // would all be read.
  virtual Status collect(const std::string& path, const std::string& root,
                         std::vector<RawFile>& files) = 0;
};

// The directory must stay open as long as the source.
std::unique_ptr<BundleSource> directory_source(fs::FileSystem& fs, fs::Fd dir,
                                               const BundleLimits& limits);
// A .tar, .tar.gz, .tar.zst or .zip by its content, whatever it is called. kCorrupt for
// everything else, for one that was cut, and for one that no honest tool would have made.
Result<std::unique_ptr<BundleSource>> archive_source(std::string_view bytes,
                                                     const BundleLimits& limits);

// Whether the tree at root never manages what lies at path in the source.
bool is_never_managed(const fs::RelPath& path, const std::string& root);

// The refusal of a bundle, naming the member: kCorrupt.
Error refuse_bundle(std::string_view member, std::string rule);
// The rules for the kinds of members, each by its name.
Error refuse_link(std::string_view member);
Error refuse_hard_link(std::string_view member);
Error refuse_special(std::string_view member);

// For bytes that are no archive at all.
Error no_archive();

// True for a directory at the top of a tree of which a named file brings all the rest
// along: not one that a tool keeps for itself.
bool brings_what_lies_beside(std::string_view top);

// "a/b" from "a" and "b"; "b" from "" and "b".
std::string join_path(const std::string& dir, std::string_view name);

}  // namespace stravinsky::store
