#include "model/audit_head.h"

#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "base/mutant.h"
#include "codec/canonical_json.h"
#include "model/audit_event.h"

namespace stravinsky::model {
namespace {

using nlohmann::json;

constexpr std::string_view kDigestPrefix = "stravinsky-audit-head-v1\n";

json object_of(const AuditHead& head) {
  json frontier = json::array();
  for (const codec::Digest& digest : head.frontier.hashes()) frontier.push_back(digest.hex());
  return {{"format_version", kAuditFormatVersion},
          {"log_id", head.log_id},
          {"seq", head.seq},
          {"hash", head.hash.hex()},
          {"size_bytes", head.size_bytes},
          {"frontier", std::move(frontier)},
          {"root", head.frontier.root().hex()}};
}

std::optional<AuditHead> head_of(const json& object) {
  const auto member = [&object](const char* key) {
    const auto found = object.find(key);
    return found == object.end() ? json() : *found;
  };
  const json seq = member("seq");
  const json size = member("size_bytes");
  const json log_id = member("log_id");
  const json hash = member("hash");
  const json frontier = member("frontier");
  if (!seq.is_number_unsigned() || !size.is_number_unsigned() || !log_id.is_string() ||
      !hash.is_string() || !frontier.is_array()) {
    return std::nullopt;
  }
  AuditHead head{.log_id = log_id.get<std::string>(),
                 .seq = seq.get<uint64_t>(),
                 .hash = {},
                 .size_bytes = size.get<uint64_t>(),
                 .frontier = {}};
  const auto last = codec::Digest::from_hex(hash.get<std::string>());
  if (!last) return std::nullopt;
  head.hash = *last;
  std::vector<codec::Digest> hashes;
  for (const json& text : frontier) {
    const auto digest =
        text.is_string() ? codec::Digest::from_hex(text.get<std::string>()) : std::nullopt;
    if (!digest) return std::nullopt;
    hashes.push_back(*digest);
  }
  auto restored = codec::MerkleFrontier::restore(head.seq, std::move(hashes));
  if (!restored) return std::nullopt;
  head.frontier = std::move(*restored);
  return head;
}

}  // namespace

std::string audit_head_text(const AuditHead& head) {
  json object = object_of(head);
  object["digest"] =
      codec::sha256(std::string(kDigestPrefix) + codec::canonical_json(object)).hex();
  return codec::canonical_json(object) + "\n";
}

Result<AuditHead> parse_audit_head(std::string_view text) {
  const auto corrupt = [] { return make_error(ErrorCode::kCorrupt, "the head is damaged"); };
  if (text.size() > kAuditHeadMaxBytes || !text.ends_with('\n')) return corrupt();
  const auto object = codec::parse_strict_json(text.substr(0, text.size() - 1));
  if (!object || !object->is_object() || !codec::has_canonical_form(*object)) return corrupt();
  const auto version = object->find("format_version");
  if (version != object->end() && version->is_number_unsigned() &&
      version->get<uint64_t>() > kAuditFormatVersion) {
    return make_error(ErrorCode::kUnsupported, "the head was written by a newer version");
  }
  auto head = head_of(*object);
  if (!head) return corrupt();
  // Writing it again checks the canonical form, the digest and the root at once.
  if (!MUTANT(audit_head_digest_not_checked) && audit_head_text(*head) != text) return corrupt();
  return std::move(*head);
}

}  // namespace stravinsky::model
