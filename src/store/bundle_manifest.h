// BundleManifest: stravinsky-bundle.json, the hashes of a bundle's files.
//
// `bundle create` writes it; a bundle that has one is refused unless its files are
// just those of the manifest. It proves that nothing was lost or mixed up, not who
// made it: that is what a signature is for (store/bundle_signature.h).
//
//   {"files":[{"mode":493,"path":"hooks/x.sh","sha256":"...","size":12}, ...],
//    "format_version":1,"name":"...","version":"0.3.9"}
//
// Canonical JSON; paths relative to its own directory, escaped as base/strings.h does.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "store/bundle_source.h"

namespace stravinsky::store {

inline constexpr const char* kBundleManifestName = "stravinsky-bundle.json";

// Paths of files as they shall stand in the manifest.
std::string make_bundle_manifest(const std::vector<RawFile>& files, const std::string& name,
                                 const std::string& version);

// Whether the files of the tree are those of the manifest, which lies in the directory
// `at` of the source, and whether the rest of what it names is there. kCorrupt names the
// file; kUnsupported for a newer format.
Status check_bundle_manifest(BundleSource& source, const std::string& at, const std::string& text,
                             const std::vector<RawFile>& tree);

}  // namespace stravinsky::store
