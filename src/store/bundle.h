// Bundle: the files that an update brings, read from a directory or an archive.
//
// Archives are .tar, .tar.gz, .tar.zst, .zip and what else is one of these inside (.tgz,
// .whl), told by their content. Where the tree lies is said in store/bundle_layout.h;
// a Claude Code plugin is turned into a tree (store/bundle_plugin.h).
//
// Hostile input. Refused whole, with kCorrupt and the name: "..", absolute and overlong
// names, control characters in names, sparse files, the same name twice or in another
// case or form, a file that is also a directory, content that is not that of the bundle's
// own manifest, what is over the limits, a tar without its end; and in the tree links,
// hard links, devices and FIFOs, setuid and setgid files. What is never managed, secrets
// included, is passed over and noted. Modes are cut down to 0755, and the owner can
// always read. Nothing is written anywhere: contents are in memory.
//
// Besides the components a tree holds what its settings name outside of them: a file at
// its top by itself, and of a directory (scripts/run.sh) everything beneath, since a
// script needs what lies beside it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "codec/sha256.h"
#include "codec/tar_gz.h"
#include "fs/file_system.h"
#include "model/version.h"
#include "store/bundle_identity.h"
#include "store/bundle_layout.h"
#include "store/bundle_source.h"

namespace stravinsky::store {

struct BundleFile {
  fs::RelPath path;  // in the .claude root
  uint32_t mode = 0644;
  uint64_t size_bytes = 0;
  codec::Digest sha256{};
};

enum class Sources { kDrop, kKeep };

struct BundleOptions {
  BundleLimits limits = {};
  std::optional<std::string> subdir = {};  // where the tree is, as find_layout takes it
  // What becomes of ${CLAUDE_PLUGIN_ROOT} in a plugin's hooks.
  std::string root_in_commands = "$HOME/.claude";
  Sources sources = Sources::kDrop;
  std::optional<model::Version> version = {};  // known from elsewhere: it decides
  FirstMetadata first = FirstMetadata::kPlugin;
};

class Bundle {
 public:
  // kNotFound without such a source, kUsage for one without a tree, kCorrupt for one that
  // is damaged or hostile.
  static Result<Bundle> open(fs::FileSystem& fs, const std::string& absolute_source,
                             const BundleOptions& options = {});
  // An archive in memory; shown is its name in errors.
  static Result<Bundle> open_archive(std::string_view bytes, const std::string& shown,
                                     const BundleOptions& options = {});

  // Of the components, and what the bundle's settings.json names by ".claude/<path>";
  // ascending by path.
  const std::vector<BundleFile>& files() const { return files_; }
  // The content of files()[index].
  Status read(size_t index, const codec::Sink& sink) const;
  const std::string& content(size_t index) const;
  // By the bundle's own metadata (store/bundle_identity.h).
  const std::optional<model::Version>& version() const { return version_; }
  // The package's name; empty when none is told.
  const std::string& name() const { return name_; }
  const BundleLayout& layout() const { return layout_; }
  // A sentence for each thing that was passed over or changed.
  const std::vector<std::string>& warnings() const { return warnings_; }
  // The files of the tree and the metadata as they lie in the source: what packing
  // them again takes. Empty unless asked for.
  const std::vector<RawFile>& sources() const { return sources_; }

 private:
  static Result<Bundle> read_source(BundleSource& source, const BundleOptions& options);

  std::vector<BundleFile> files_;
  std::vector<std::string> contents_;  // of files_, in the same order
  std::optional<model::Version> version_;
  std::string name_;
  BundleLayout layout_;
  std::vector<std::string> warnings_;
  std::vector<RawFile> sources_;
};

// Opens what is no directory; kCorrupt naming it when it is larger than the limit.
Result<std::string> read_archive_file(fs::FileSystem& fs, const std::string& absolute,
                                      const BundleLimits& limits);

}  // namespace stravinsky::store
