#include "store/latest.h"

#include <nlohmann/json.hpp>

#include "base/strings.h"
#include "codec/canonical_json.h"
#include "codec/sha256.h"
#include "fs/atomic_file.h"
#include "fs/file.h"
#include "model/store_layout.h"
#include "store/store_dir.h"

namespace stravinsky::store {
namespace {

namespace layout = model::layout;
using nlohmann::json;

constexpr uint64_t kLatestMaxBytes = 16U << 20U;

Error corrupt() {
  return make_error(ErrorCode::kCorrupt, "is not what this program writes", layout::latest().str());
}

bool read_text(const json& object, const char* name, std::string& out) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_string()) return false;
  out = found->get<std::string>();
  return true;
}

bool read_texts(const json& object, const char* name, std::vector<std::string>& out) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_array()) return false;
  for (const json& item : *found) {
    if (!item.is_string() || !layout::is_transaction_id(item.get_ref<const std::string&>()))
      return false;
    out.push_back(item.get<std::string>());
  }
  return true;
}

bool read_trees(const json& object, std::map<std::string, TreeState>& out) {
  const auto found = object.find("trees");
  if (found == object.end() || !found->is_array()) return false;
  for (const json& item : *found) {
    std::string root;
    TreeState state;
    if (!item.is_object() || !read_text(item, "root", root) ||
        !read_text(item, "version", state.version) || !read_text(item, "bundle", state.bundle))
      return false;
    const auto bytes = unescape(root);
    if (!bytes) return false;
    out[*bytes] = std::move(state);
  }
  return true;
}

// So that a flipped bit in an id is damage and not another id.
std::string digest_of(json object) {
  object.erase("digest");
  return codec::sha256(codec::canonical_json(object)).hex();
}

}  // namespace

TreeState Latest::at(const std::string& root) const {
  const auto found = trees.find(root);
  return found == trees.end() ? TreeState() : found->second;
}

Result<std::optional<Latest>> read_latest(fs::FileSystem& fs, fs::Fd store) {
  auto text = fs::read_file(fs, store, layout::latest(), kLatestMaxBytes);
  if (!text) {
    if (is_not_found(text.error())) return std::optional<Latest>();
    // What stands there is what its type says, not an error that may pass.
    const auto found = fs::stat_if_present(fs, store, layout::latest());
    if (found && *found && (*found)->type != fs::NodeType::kFile) return corrupt();
    return std::move(text).error();
  }
  const auto parsed = codec::parse_strict_json(*text);
  if (!parsed || !parsed->is_object()) return corrupt();
  const auto version = parsed->find("format_version");
  if (version == parsed->end() || !version->is_number_unsigned()) return corrupt();
  if (version->get<uint64_t>() > kLatestFormatVersion)
    return make_error(ErrorCode::kUnsupported, "was written by a newer stravinsky",
                      layout::latest().str());
  Latest latest;
  const auto sequence = parsed->find("transaction_sequence");
  std::string digest;
  const bool readable =
      codec::has_canonical_form(*parsed) && read_text(*parsed, "digest", digest) &&
      digest == digest_of(*parsed) && read_trees(*parsed, latest.trees) &&
      read_text(*parsed, "newest_backup", latest.newest_backup) &&
      read_text(*parsed, "last_transaction", latest.last_transaction) &&
      read_texts(*parsed, "undo", latest.undo) && read_texts(*parsed, "redo", latest.redo) &&
      sequence != parsed->end() && sequence->is_number_unsigned();
  if (!readable) return corrupt();
  latest.transaction_sequence = sequence->get<uint64_t>();
  return std::optional<Latest>(std::move(latest));
}

Status write_latest(fs::FileSystem& fs, fs::Fd store, const Latest& latest) {
  RETURN_IF_ERROR(fs::ensure_dir(fs, store, layout::backups(), layout::kDirectoryMode));
  json trees = json::array();
  for (const auto& [root, state] : latest.trees)
    trees.push_back({{"root", escape(root)}, {"version", state.version}, {"bundle", state.bundle}});
  json object = {{"format_version", kLatestFormatVersion},
                 {"trees", std::move(trees)},
                 {"newest_backup", latest.newest_backup},
                 {"last_transaction", latest.last_transaction},
                 {"transaction_sequence", latest.transaction_sequence},
                 {"undo", latest.undo},
                 {"redo", latest.redo}};
  object["digest"] = digest_of(object);
  return write_derived(fs, store, layout::latest(), codec::canonical_json(object) + "\n");
}

}  // namespace stravinsky::store
