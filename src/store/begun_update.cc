#include "store/begun_update.h"

#include <charconv>
#include <nlohmann/json.hpp>

#include "base/strings.h"
#include "codec/canonical_json.h"
#include "codec/sha256.h"
#include "fs/atomic_file.h"
#include "fs/file.h"
#include "model/store_layout.h"

namespace stravinsky::store {
namespace {

namespace layout = model::layout;
using nlohmann::json;

constexpr uint64_t kBegunUpdateMaxBytes = 1U << 20U;

Error corrupt() {
  return make_error(ErrorCode::kCorrupt, "is not what this program writes",
                    layout::begun_update().str())
      .with_remedy("Look at it, then delete it; the backup it names is in: stravinsky backup list");
}

std::string digest_of(json object) {
  object.erase("digest");
  return codec::sha256(codec::canonical_json(object)).hex();
}

json object_of(const BegunUpdate& begun) {
  json object = {{"format_version", kBegunFormatVersion},
                 {"token", begun.token},
                 {"version", escape(begun.version)},
                 {"tree", escape(begun.tree)},
                 {"backup", begun.backup},
                 {"from_version", begun.from_version},
                 {"from_bundle", begun.from_bundle},
                 {"started_ns", std::to_string(begun.started_ns)}};
  if (begun.after_sequence) object["after_sequence"] = *begun.after_sequence;
  return object;
}

bool read_text(const json& object, const char* name, std::string& out) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_string()) return false;
  const auto bytes = unescape(found->get<std::string>());
  if (bytes) out = *bytes;
  return bytes.has_value();
}

// Nanoseconds are beyond the integers that JSON is certain to keep, so they are text.
bool read_number(std::string_view text, int64_t& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

Result<std::optional<BegunUpdate>> read_begun(fs::FileSystem& fs, fs::Fd store) {
  auto text = fs::read_file(fs, store, layout::begun_update(), kBegunUpdateMaxBytes);
  if (!text) {
    if (is_not_found(text.error())) return std::optional<BegunUpdate>();
    return std::move(text).error();
  }
  const auto parsed = codec::parse_strict_json(*text);
  if (!parsed || !parsed->is_object() || !codec::has_canonical_form(*parsed)) return corrupt();
  const auto format = parsed->find("format_version");
  if (format == parsed->end() || !format->is_number_unsigned()) return corrupt();
  if (format->get<uint64_t>() > kBegunFormatVersion)
    return make_error(ErrorCode::kUnsupported, "was written by a newer stravinsky",
                      layout::begun_update().str());
  BegunUpdate begun;
  std::string digest;
  std::string started;
  const bool readable =
      read_text(*parsed, "digest", digest) && digest == digest_of(*parsed) &&
      read_text(*parsed, "token", begun.token) && layout::is_transaction_id(begun.token) &&
      read_text(*parsed, "version", begun.version) && read_text(*parsed, "tree", begun.tree) &&
      read_text(*parsed, "backup", begun.backup) && layout::is_backup_id(begun.backup) &&
      read_text(*parsed, "from_version", begun.from_version) &&
      read_text(*parsed, "from_bundle", begun.from_bundle) &&
      read_text(*parsed, "started_ns", started) && read_number(started, begun.started_ns);
  if (!readable) return corrupt();
  if (const auto sequence = parsed->find("after_sequence"); sequence != parsed->end()) {
    if (!sequence->is_number_unsigned()) return corrupt();
    begun.after_sequence = sequence->get<uint64_t>();
  }
  return std::optional<BegunUpdate>(std::move(begun));
}

Status write_begun(fs::FileSystem& fs, fs::Fd store, const BegunUpdate& begun) {
  RETURN_IF_ERROR(fs::ensure_dir(fs, store, layout::recovery(), layout::kDirectoryMode));
  json object = object_of(begun);
  object["digest"] = digest_of(object);
  return fs::write_atomically(fs, store, layout::begun_update(),
                              codec::canonical_json(object) + "\n");
}

Status remove_begun(fs::FileSystem& fs, fs::Fd store) {
  ASSIGN_OR_RETURN(const auto found, fs::stat_if_present(fs, store, layout::begun_update()));
  if (!found) return {};
  RETURN_IF_ERROR(fs.unlink(store, layout::begun_update()));
  return fs::sync_path(fs, store, layout::recovery());
}

}  // namespace stravinsky::store
