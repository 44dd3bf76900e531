#include "store/bundle_signature.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/strings.h"
#include "codec/canonical_json.h"
#include "codec/sha256.h"
#include "model/json_object.h"

namespace stravinsky::store {
namespace {

using nlohmann::json;

constexpr uint64_t kSignatureFormat = 1;
constexpr std::string_view kPurpose = "stravinsky bundle signature v1\n";

std::string message_for(std::string_view bundle) {
  return std::string(kPurpose) + codec::sha256(bundle).hex() + "\n";
}

Error refuse(std::string why) {
  return make_error(ErrorCode::kChecksRefused,
                    "the bundle's signature does not hold: " + std::move(why))
      .with_untouched("Nothing was changed.")
      .with_remedy("Get the bundle and its .sig again; if that does not help, ask its author.");
}

}  // namespace

std::string make_signature(std::string_view bundle, const codec::Ed25519PrivateKey& key) {
  return codec::canonical_json(
             {{"algorithm", "ed25519"},
              {"format_version", kSignatureFormat},
              {"public_key", key.public_key().text()},
              {"sha256", codec::sha256(bundle).hex()},
              {"signature", to_hex(key.sign(as_byte_span(message_for(bundle))))}}) +
         "\n";
}

Result<codec::Ed25519PublicKey> check_signature(std::string_view bundle,
                                                std::string_view signature) {
  if (signature.size() > kSignatureMaxBytes) return refuse("it is too large");
  const auto value = codec::parse_strict_json(signature);
  if (!value || !value->is_object()) return refuse("it is not one");
  if (Status known = model::check_format_version(*value, kSignatureFormat, "signature"); !known)
    return refuse(known.error().message);
  model::JsonObject object(*value, "the signature");
  const auto key = codec::Ed25519PublicKey::parse(object.text("public_key"));
  const auto bytes = from_hex(object.text("signature"));
  codec::Ed25519Signature raw{};
  if (!object.ok() || !key || !bytes || bytes->size() != raw.size()) return refuse("it is not one");
  std::ranges::copy(*bytes, raw.begin());
  if (!key->verifies(as_byte_span(message_for(bundle)), raw))
    return refuse("these bytes were not signed with " + key->text());
  return *key;
}

}  // namespace stravinsky::store
