#include "engine/hold.h"

#include <nlohmann/json.hpp>

#include "base/strings.h"
#include "codec/canonical_json.h"
#include "engine/inverse.h"
#include "fs/file.h"
#include "model/store_layout.h"
#include "store/store_dir.h"

namespace stravinsky::engine {
namespace {

namespace layout = model::layout;
using model::ImageKind;
using nlohmann::json;

constexpr uint64_t kHoldFormatVersion = 1;
constexpr uint64_t kHoldMaxBytes = 64U << 20U;

}  // namespace

Status write_hold(fs::FileSystem& fs, fs::Fd store_dir, const model::ChangePlan& plan,
                  int64_t now_ns) {
  json files = json::array();
  for (const PathChange& one : path_changes(plan)) {
    if (one.after.kind == ImageKind::kFile) {
      files.push_back({{"path", one.path.display()}, {"sha256", one.after.sha256.hex()}});
    } else if (one.after.is_absent() && one.before.kind != ImageKind::kDirectory) {
      files.push_back({{"path", one.path.display()}, {"sha256", nullptr}});
    }
  }
  const json object = {{"format_version", kHoldFormatVersion},
                       {"held_version", plan.facts.to_version},
                       {"since", utc_seconds(now_ns)},
                       {"files", std::move(files)}};
  return store::write_derived(fs, store_dir, layout::hold(), codec::canonical_json(object) + "\n");
}

Status remove_hold(fs::FileSystem& fs, fs::Fd store_dir) {
  ASSIGN_OR_RETURN(const auto found, fs::stat_if_present(fs, store_dir, layout::hold()));
  if (!found) return {};
  if (found->type != fs::NodeType::kFile) {
    RETURN_IF_ERROR(store::set_aside_damaged(fs, store_dir, layout::hold()));
  } else {
    RETURN_IF_ERROR(fs.unlink(store_dir, layout::hold()));
  }
  return fs.sync(store_dir, fs::SyncKind::kFull);
}

Result<std::string> held_version(fs::FileSystem& fs, fs::Fd store) {
  auto text = fs::read_file(fs, store, layout::hold(), kHoldMaxBytes);
  if (!text) {
    if (is_not_found(text.error())) return std::string();
    return std::move(text).error();
  }
  const auto parsed = codec::parse_strict_json(*text);
  if (!parsed || !parsed->is_object() || !parsed->contains("held_version") ||
      !parsed->at("held_version").is_string())
    return make_error(ErrorCode::kCorrupt, "is not what this program writes", "hold.json");
  return parsed->at("held_version").get<std::string>();
}

}  // namespace stravinsky::engine
