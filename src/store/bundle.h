// Bundle: the files that an update brings, read from a directory or a .tar.gz.
//
// Layouts: ".claude/..." , or the components' folders at the top; either of them
// also beneath "package/" (npm) or beneath a single top directory. A plugin
// (".claude-plugin/plugin.json") has its folders at the top.
//
// Hostile input. Refused whole, with kUsage and the name: "..", absolute and
// overlong names, links, hard links, devices and FIFOs, the same name twice or in
// another case, a file that is also a directory, and what is over the limits. What
// is never managed, secrets included, is passed over and noted; so are setuid,
// setgid and sticky bits. Modes are cut down to 0755, and the owner can always
// read. Nothing is written anywhere: contents are in memory.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "codec/sha256.h"
#include "codec/tar_gz.h"
#include "fs/file_system.h"
#include "model/version.h"

namespace stravinsky::store {

struct BundleLimits {
  uint64_t files_max = 100'000;
  uint64_t file_max_bytes = 64ULL << 20U;
  uint64_t total_max_bytes = 1ULL << 30U;
  // Of an archive's content to its size, once more than ratio_free_bytes came out.
  uint64_t ratio_max = 200;
  uint64_t ratio_free_bytes = 16ULL << 20U;
};

struct BundleFile {
  fs::RelPath path;  // in the .claude root
  uint32_t mode = 0644;
  uint64_t size_bytes = 0;
  codec::Digest sha256{};
};

class Bundle {
 public:
  // kNotFound without such a source, kUsage for one that is no bundle.
  static Result<Bundle> open(fs::FileSystem& fs, const std::string& absolute_source,
                             const BundleLimits& limits = {});

  // Of the components, and those that the bundle's settings.json names by
  // ".claude/<path>"; ascending by path.
  const std::vector<BundleFile>& files() const { return files_; }
  // The content of files()[index].
  Status read(size_t index, const codec::Sink& sink) const;
  // From plugin.json, package.json or pyproject.toml, in this order.
  const std::optional<model::Version>& version() const { return version_; }
  // The package's name, from plugin.json or package.json; empty when none is told.
  const std::string& name() const { return name_; }
  // A sentence for each thing that was passed over or changed.
  const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  std::vector<BundleFile> files_;
  std::vector<std::string> contents_;  // of files_, in the same order
  std::optional<model::Version> version_;
  std::string name_;
  std::vector<std::string> warnings_;
};

}  // namespace stravinsky::store
