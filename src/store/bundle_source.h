// bundle_source: the raw files of a bundle's directory or archive, before anybody
// has looked for its layout. Everything here is hostile.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "fs/file.h"
#include "store/bundle.h"

namespace stravinsky::store {

struct RawFile {
  fs::RelPath path;  // in the source
  uint32_t mode = 0;
  std::string content{};
};

struct RawFiles {
  std::vector<RawFile> files;  // in no order, duplicates included
  // The names at the top of the source.
  std::vector<std::string> tops;
};

// Only what a layout could use is kept: paths beneath ".claude" or a component's
// folder, and files that tell the version, each also one directory further down.
bool is_candidate(const fs::RelPath& path);

Result<RawFiles> read_directory(fs::FileSystem& fs, fs::Fd dir, const BundleLimits& limits);
Result<RawFiles> read_archive(fs::FileSystem& fs, fs::Fd file, const BundleLimits& limits);

// The refusal of a bundle, naming the member.
Error refuse_bundle(std::string_view member, std::string rule);

}  // namespace stravinsky::store
