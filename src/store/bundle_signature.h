// BundleSignature: FILE.sig, who vouches for the bundle FILE.
//
//   {"algorithm":"ed25519","format_version":1,"public_key":"ed25519:...",
//    "sha256":"...","signature":"..."}
//
// Canonical JSON. Signed is a line that says what it is for, and the SHA-256 of the
// archive's bytes. The key in the file only tells which key to look for; whether it is
// trusted is for the reader to decide.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "codec/ed25519.h"

namespace stravinsky::store {

inline constexpr std::string_view kSignatureEnding = ".sig";
inline constexpr size_t kSignatureMaxBytes = 4096;

std::string make_signature(std::string_view bundle, const codec::Ed25519PrivateKey& key);

// The key that signed these bytes. kChecksRefused when the signature is not theirs or
// cannot be understood.
Result<codec::Ed25519PublicKey> check_signature(std::string_view bundle,
                                                std::string_view signature);

}  // namespace stravinsky::store
