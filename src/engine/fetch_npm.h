// fetch_npm: the tarball of a package, by `npm pack`, so that the user's own registry,
// proxy and credentials hold.
//
// npm writes into a private directory of recovery/staging/, which is removed
// afterwards; what a killed run left is swept by the next one, under a lock of its own,
// so that nobody else waits for the network. No script of the package runs, and no
// .npmrc of the working directory is read. Names are checked by npm's own rules before
// npm sees them: a name can be neither an option nor a path nor an address.
//
// A dry run writes nothing to the store, so npm gets a private directory of the system's
// (mktemp) and rm takes it away: programs of their own, since what this program itself
// opens in a dry run cannot be written to.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "engine/session.h"
#include "model/version.h"

namespace stravinsky::engine {

struct NpmPackage {
  std::string name;
  std::string version;  // or a tag; "latest" when none was given

  // "npm:NAME[@VERSION]"; kUsage for a name that the registry could not have.
  static Result<NpmPackage> parse(std::string_view source);
  // A whole version ("1.2.3", "v1.2.3-rc.1"); nullopt for a tag and for a range ("1.2").
  std::optional<model::Version> exact_version() const;
};

bool is_npm(std::string_view source);

// kNotFound when npm knows no such package or version; kUnsupported without npm; kIo for
// the rest.
Result<std::string> fetch_npm(Session& session, const NpmPackage& package, uint64_t size_max_bytes);

}  // namespace stravinsky::engine
