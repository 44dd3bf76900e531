// BundleIdentity: the name and the version that a bundle's own metadata tell.
//
// Read in this order, and the first that tells a thing decides it: plugin.json,
// package.json, a wheel's METADATA, pyproject.toml, our own stravinsky-bundle.json;
// each from the package's directory or the nearest one above it. Out of a registry of npm
// package.json comes first: the registry knows the package by it, and a plugin.json beside
// it is often stale. Where these two differ in the version, a warning says so. Metadata that
// cannot be read tell nothing: a version can always be given by hand.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "model/version.h"
#include "store/bundle_source.h"

namespace stravinsky::store {

enum class FirstMetadata { kPlugin, kPackage };

struct BundleIdentity {
  std::optional<model::Version> version;
  std::string name;
  // The metadata that were read, whether or not they told anything.
  std::vector<RawFile> files;
  std::vector<std::string> warnings;
};

Result<BundleIdentity> identify(BundleSource& source, const std::string& package,
                                FirstMetadata first);

// The directory and all above it, nearest first; "" is the last.
std::vector<std::string> dir_and_above(const std::string& dir);

}  // namespace stravinsky::store
