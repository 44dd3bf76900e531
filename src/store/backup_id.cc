#include "store/backup_id.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/check.h"
#include "codec/canonical_json.h"
#include "fs/atomic_file.h"
#include "model/json_object.h"
#include "model/manifest.h"
#include "model/store_layout.h"

namespace stravinsky::store {
namespace {

namespace layout = model::layout;
using nlohmann::json;

constexpr uint64_t kFormatVersion = 1;
constexpr uint64_t kSizeMaxBytes = 64U << 20U;

}  // namespace

Result<BackupIds> BackupIds::load(const StoreDir& store) {
  BackupIds ids(store);
  auto bytes = fs::read_file(store.file_system(), store.fd(), layout::sequence(), kSizeMaxBytes);
  if (!bytes && !is_not_found(bytes.error())) return std::move(bytes).error();
  const auto parsed = bytes ? codec::parse_strict_json(*bytes) : json();
  if (!parsed || !parsed->is_object()) {
    RETURN_IF_ERROR_WHILE(ids.rebuild(), "while looking for the last sequence number");
    return ids;
  }
  RETURN_IF_ERROR(model::check_format_version(*parsed, kFormatVersion, "sequence.json"));
  model::JsonObject object(*parsed, "sequence.json");
  ids.next_sequence_ = object.number("next_sequence", codec::kJsonIntegerMax);
  ids.newest_ = object.text("newest");
  for (const json& label : object.array("labels")) {
    if (!label.is_string()) object.fail("labels", "a list of labels");
    if (label.is_string()) ids.labels_.insert(label.get<std::string>());
  }
  if (!ids.newest_.empty() && !layout::is_backup_id(ids.newest_)) object.fail("newest", "an id");
  if (!object.ok()) {
    ids = BackupIds(store);
    RETURN_IF_ERROR_WHILE(ids.rebuild(), "while looking for the last sequence number");
  }
  return ids;
}

Status BackupIds::rebuild() {
  fs::FileSystem& fs = store_->file_system();
  uint64_t newest_sequence = 0;
  for (const fs::RelPath& place : {layout::backups(), layout::quarantine()}) {
    ASSIGN_OR_RETURN(const auto dir,
                     open_if_present(fs, store_->fd(), place, fs::OpenMode::kDirectory));
    if (!dir) continue;
    ASSIGN_OR_RETURN(const auto entries, fs.list(dir->fd()));
    for (const fs::DirEntry& entry : entries) {
      if (!layout::is_backup_id(entry.name)) continue;
      // Both readings of "v0.3.8" count, so that neither comes back.
      labels_.insert(entry.name);
      if (const auto numbered = layout::parse_numbered_id(entry.name))
        labels_.insert(numbered->label);
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
  taken = taken || labels_.contains(label) || may_have_been_numbered(label);
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
  const json value = {{"format_version", kFormatVersion},
                      {"labels", labels_},
                      {"newest", newest_},
                      {"next_sequence", next_sequence_}};
  return fs::write_atomically(store_->file_system(), store_->fd(), layout::sequence(),
                              codec::canonical_json(value), layout::kFileMode);
}

}  // namespace stravinsky::store
