// A backup's manifest, as it stands and with the digest that it should have.
#include <nlohmann/json.hpp>

#include "base/check.h"
#include "codec/canonical_json.h"
#include "codec/sha256.h"
#include "fuzz_target.h"
#include "model/manifest.h"

using namespace stravinsky;

namespace {

std::string with_digest(std::string_view text) {
  nlohmann::json json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return {};
  json.erase("digest");
  if (!codec::has_canonical_form(json)) return {};
  json["digest"] = codec::sha256(codec::canonical_json(json)).hex();
  return codec::canonical_json(json);
}

}  // namespace

FUZZ_TARGET(manifest) {
  for (const std::string& text : {std::string(input), with_digest(input)}) {
    const auto manifest = model::parse_manifest(text);
    if (!manifest) {
      CHECK(!manifest.error().message.empty());
      continue;
    }
    // What was understood is what is written, and that is understood the same way.
    const std::string written = model::manifest_text(*manifest);
    const auto again = model::parse_manifest(written);
    CHECK(again && model::manifest_text(*again) == written);
    for (const model::Entry& entry : manifest->entries) CHECK(manifest->find(entry.path) == &entry);
  }
}
