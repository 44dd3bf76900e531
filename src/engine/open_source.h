// open_source: the bundle that an update, a check or an inspection is about, wherever it
// comes from.
//
//   a directory, or an archive by its path
//   https://HOST/PATH     engine/fetch_url.h
//   npm:NAME[@VERSION]    engine/fetch_npm.h
// An archive is held in memory from the first byte to the last look at it, so that what
// was hashed and whose signature was checked is what is unpacked.
//
// The version of an npm package is the one that was asked for when that is exact, else that
// of its package.json: what the registry knows it by.
//
// Signatures: SOURCE.sig beside an archive or behind an address. One that does not hold
// is refused, always. With update.require_signature a bundle must have one, by one of
// update.trusted_keys; directories and npm packages have none.
#pragma once

#include <optional>
#include <string>

#include "base/error.h"
#include "engine/session.h"
#include "model/component.h"
#include "store/bundle.h"

namespace stravinsky::engine {

struct SourceRequest {
  std::string source{};                 // absolute when it is a path
  std::optional<std::string> subdir{};  // where in the bundle its tree is
  std::optional<std::string> sha256{};  // of the archive
  model::Scope scope = model::Scope::kUser;
  store::Sources sources = store::Sources::kDrop;
};

// True for what is no path.
bool is_remote(std::string_view source);

// Errors: kUsage for a bundle without a tree or a bad request; kNotFound; kChecksRefused for
// a signature that is missing or does not hold; kCorrupt for another hash, and for what is
// no bundle, damaged or hostile.
Result<store::Bundle> open_source(Session& session, const SourceRequest& request);

}  // namespace stravinsky::engine
