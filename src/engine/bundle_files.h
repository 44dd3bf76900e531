// bundle_files: what authors of bundles do with files of their own: pack, sign, verify.
//
// Nothing that is there is ever replaced: a file in the way is an error. Each can be done
// but for the writing: what would be written is told, and so is what stands in the way.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "codec/ed25519.h"
#include "codec/sha256.h"
#include "engine/environment.h"

namespace stravinsky::engine {

enum class Writing { kDo, kPretend };

struct PackedBundle {
  uint64_t size_bytes = 0;
  codec::Digest sha256;
  size_t files_count = 0;
  std::vector<std::string> warnings;  // a sentence for each thing that was passed over
};

// Packs a directory (or another bundle) into a new file; what was packed has been opened
// again and compared. kUsage for a file that is not called .tar.gz or .tgz, which it is.
Result<PackedBundle> create_bundle(const Environment& environment, const std::string& source,
                                   const std::optional<std::string>& subdir,
                                   const std::string& file, Writing writing);

// A new private key in `file` (0600) and its public half in `file`.pub.
Result<codec::Ed25519PublicKey> make_key(const Environment& environment, const std::string& file);
// An error where make_key would find something in its way.
Status may_make_key(const Environment& environment, const std::string& file);

// Writes `bundle`.sig.
Result<codec::Ed25519PublicKey> sign_bundle(const Environment& environment,
                                            const std::string& bundle, const std::string& key_file,
                                            Writing writing);

// The key that signed it. kNotFound without a .sig; kChecksRefused when it does not hold
// or the key is none of `trusted`.
Result<codec::Ed25519PublicKey> verify_bundle(const Environment& environment,
                                              const std::string& bundle,
                                              const std::vector<std::string>& trusted);

// "ed25519:..." itself, or out of a file that holds it.
Result<std::string> read_public_key(const Environment& environment, const std::string& text,
                                    const std::string& absolute);

}  // namespace stravinsky::engine
