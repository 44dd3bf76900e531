#include "store/backup_id.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/check.h"
#include "codec/canonical_json.h"
#include "model/json_object.h"
#include "model/manifest.h"
#include "model/store_layout.h"

namespace stravinsky::store {
namespace {

namespace layout = model::layout;
using nlohmann::json;

constexpr uint64_t kSequenceFormat = 1;
constexpr uint64_t kSequenceMaxBytes = 64U << 20U;

}  // namespace

Result<BackupIds> BackupIds::load(const StoreDir& store, const KnownElsewhere& elsewhere) {
  const auto bytes =
      fs::read_file(store.file_system(), store.fd(), layout::sequence(), kSequenceMaxBytes);
  const bool is_absent = !bytes && is_not_found(bytes.error());
  if (!bytes && !is_absent && bytes.error().code != ErrorCode::kCorrupt) {
    // That something else stands there is what its type says, not an error that may pass.
    ASSIGN_OR_RETURN(const auto found,
                     fs::stat_if_present(store.file_system(), store.fd(), layout::sequence()));
    if (!found || found->type == fs::NodeType::kFile) return Error(bytes.error());
  }
  if (bytes) {
    auto parsed = parse(store, *bytes);
    if (parsed || parsed.error().code == ErrorCode::kUnsupported) return parsed;
  }
  BackupIds ids(store);
  RETURN_IF_ERROR_WHILE(ids.rebuild(elsewhere), "while looking for the last sequence number");
  if (!is_absent) {
    RETURN_IF_ERROR_WHILE(set_aside_damaged(store.file_system(), store.fd(), layout::sequence()),
                          "while keeping the damaged sequence.json");
    ids.any_label_may_be_used_ = true;
    ids.warning_ =
        "backups/sequence.json was damaged and was worked out again; it is kept in "
        "recovery/damaged of the store";
  }
  return ids;
}

Result<BackupIds> BackupIds::parse(const StoreDir& store, std::string_view bytes) {
  BackupIds ids(store);
  ASSIGN_OR_RETURN(const json parsed, codec::parse_strict_json(bytes));
  if (!parsed.is_object()) return make_error(ErrorCode::kCorrupt, "is no object");
  RETURN_IF_ERROR(model::check_format_version(parsed, kSequenceFormat, "sequence.json"));
  model::JsonObject object(parsed, "sequence.json");
  ids.next_sequence_ = object.number("next_sequence", codec::kJsonIntegerMax);
  ids.newest_ = object.text("newest");
  if (object.has("any_label_may_be_used"))
    ids.any_label_may_be_used_ = object.flag("any_label_may_be_used");
  for (const json& label : object.array("labels")) {
    if (!label.is_string()) object.fail("labels", "a list of labels");
    if (label.is_string()) ids.labels_.insert(label.get<std::string>());
  }
  if (!ids.newest_.empty() && !layout::is_backup_id(ids.newest_)) object.fail("newest", "an id");
  RETURN_IF_ERROR(object.status());
  return ids;
}

Status BackupIds::rebuild(const KnownElsewhere& elsewhere) {
  RETURN_IF_ERROR(count_backups());
  if (elsewhere)
    for (const std::string& id : elsewhere()) count(id);
  if (labels_.empty()) return {};  // a store without a backup yet
  any_label_may_be_used_ = true;
  next_sequence_ += kGap;
  return {};
}

// Both readings of "v0.3.8" count, so that neither comes back.
void BackupIds::count(const std::string& id) {
  if (!layout::is_backup_id(id)) return;
  labels_.insert(id);
  const auto numbered = layout::parse_numbered_id(id);
  if (!numbered) return;
  labels_.insert(numbered->label);
  // A version's last number is one, too; it makes the numbers larger than they must be.
  if (numbered->sequence < codec::kJsonIntegerMax / 2)
    next_sequence_ = std::max(next_sequence_, numbered->sequence + 1);
}

Status BackupIds::count_backups() {
  fs::FileSystem& fs = store_->file_system();
  uint64_t newest_sequence = 0;
  for (const fs::RelPath& place : {layout::backups(), layout::quarantine()}) {
    ASSIGN_OR_RETURN(const auto dir,
                     open_if_present(fs, store_->fd(), place, fs::OpenMode::kDirectory));
    if (!dir) continue;
    ASSIGN_OR_RETURN(const auto entries, fs.list(dir->fd()));
    for (const fs::DirEntry& entry : entries) {
      if (!layout::is_backup_id(entry.name)) continue;
      count(entry.name);
      const auto text =
          fs::read_file(fs, dir->fd(), fs::RelPath::of(entry.name) / layout::manifest_name(),
                        model::kManifestMaxBytes);
      const auto manifest = text ? model::parse_manifest(*text) : Error(text.error());
      if (!manifest) continue;
      next_sequence_ = std::max(next_sequence_, manifest->sequence + 1);
      if (place == layout::backups() && manifest->sequence >= newest_sequence) {
        newest_sequence = manifest->sequence;
        newest_ = manifest->id;
      }
    }
  }
  return {};
}

Result<bool> BackupIds::is_taken(const std::string& id) const {
  for (const fs::RelPath& path : {layout::backup(id), layout::quarantined(id)}) {
    ASSIGN_OR_RETURN(const auto found, stat_if_present(store_->file_system(), store_->fd(), path));
    if (found) return true;
  }
  return false;
}

// "v0.3.8" is also the eighth backup of a label "v0.3", if that was ever used.
bool BackupIds::may_have_been_numbered(const std::string& label) const {
  const auto numbered = layout::parse_numbered_id(label);
  return numbered && numbered->sequence < next_sequence_ && labels_.contains(numbered->label);
}

Result<BackupId> BackupIds::allocate(const std::string& label) {
  RETURN_IF_ERROR(layout::check_label(label));
  BackupId given{.id = label, .sequence = next_sequence_};
  ASSIGN_OR_RETURN(bool taken, is_taken(label));
  taken =
      taken || any_label_may_be_used_ || labels_.contains(label) || may_have_been_numbered(label);
  while (taken) {
    given.id = layout::numbered_id(label, given.sequence);
    ASSIGN_OR_RETURN(taken, is_taken(given.id));
    taken = taken || labels_.contains(given.id);
    if (taken) ++given.sequence;
  }
  next_sequence_ = given.sequence + 1;
  labels_.insert(label);
  newest_ = given.id;
  RETURN_IF_ERROR_WHILE(save(), "while writing the next sequence number");
  return given;
}

Status BackupIds::save() const {
  const json value = {{"any_label_may_be_used", any_label_may_be_used_},
                      {"format_version", kSequenceFormat},
                      {"labels", labels_},
                      {"newest", newest_},
                      {"next_sequence", next_sequence_}};
  return write_derived(store_->file_system(), store_->fd(), layout::sequence(),
                       codec::canonical_json(value));
}

}  // namespace stravinsky::store
