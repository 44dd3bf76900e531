#include "store/backup_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "base/check.h"
#include "base/mutant.h"
#include "base/strings.h"
#include "codec/canonical_json.h"
#include "fs/atomic_file.h"
#include "model/store_layout.h"
#include "store/backup_id.h"
#include "store/backup_writer.h"

namespace stravinsky::store {
namespace {

namespace layout = model::layout;
using fs::OpenMode;
using fs::RelPath;
using model::Manifest;

// Every so many backups one shares nothing, so that one rotten block cannot take
// all history along.
constexpr uint64_t kSharesNothingEvery = 5;

bool shares_nothing(uint64_t sequence) {
  return sequence % kSharesNothingEvery == 0;
}

uint64_t size_of(const Manifest& manifest) {
  uint64_t bytes = 0;
  for (const model::StoredFile& file : manifest.files) bytes += file.size_bytes;
  return bytes;
}

BackupInfo info_of(const Manifest& manifest) {
  BackupInfo info{
      .id = manifest.id,
      .sequence = manifest.sequence,
      .kind = manifest.kind,
      .type = manifest.type,
      .version = manifest.version,
      .time_ns = manifest.time_ns,
      .pinned = manifest.pinned,
      .size_bytes = size_of(manifest),
      .user_root = manifest.user_root,
      .project_root = manifest.project_root,
      .version_of = manifest.version_of.empty() ? manifest.user_root : manifest.version_of};
  for (const model::StoredFile& file : manifest.files) info.files_count += file.files_count;
  return info;
}

Result<fs::File> write_new(fs::FileSystem& fs, fs::Fd dir, const RelPath& name,
                           std::string_view bytes) {
  ASSIGN_OR_RETURN(fs::File file,
                   fs::File::open(fs, dir, name, OpenMode::kCreateExclusive, layout::kFileMode));
  RETURN_IF_ERROR(fs.write(file.fd(), 0, as_byte_span(bytes)));
  fs.advise(file.fd(), fs::Advice::kStartWriteback);
  return file;
}

// Linked archives were synced when they were written.
Status sync_backup(fs::FileSystem& fs, fs::Fd dir, std::vector<fs::File>& files) {
  for (fs::File& file : files) {
    if (!MUTANT(backup_file_not_synced))
      RETURN_IF_ERROR_WHILE(fs.sync(file.fd(), fs::SyncKind::kFull), "while syncing its files");
    RETURN_IF_ERROR_WHILE(file.close(), "while closing its files");
  }
  if (!MUTANT(backup_directory_not_synced))
    RETURN_IF_ERROR_WHILE(fs.sync(dir, fs::SyncKind::kFull), "while syncing the new backup");
  return {};
}

// A linked archive was read back whole, and cold, just before it was linked.
Status verify_new(fs::FileSystem& fs, fs::Fd dir, const Manifest& manifest,
                  const std::vector<std::string>& linked, int threads) {
  std::vector<BackupProblem> problems;
  const auto read_back = read_manifest(fs, dir, manifest.id);
  if (!read_back) return Error(read_back.error());
  for (const model::StoredFile& file : read_back->files) {
    const std::string name = model::stored_name(*file.component, file.scope);
    if (!file.is_written() || std::ranges::find(linked, name) != linked.end()) continue;
    std::ranges::move(verify_file(fs, dir, *read_back, file, VerifyDepth::kFull, threads),
                      std::back_inserter(problems));
  }
  if (problems.empty()) return {};
  return make_error(ErrorCode::kCorrupt,
                    "what was read back is not what was written: " + to_string(problems.front()))
      .with_remedy("The disk may be failing: look at the kernel's log before trying again.");
}

std::string list_of_ids(const BackupList& list) {
  if (list.backups.empty()) return "There is no backup yet.";
  std::string text = "There are:";
  for (auto info = list.backups.rbegin(); info != list.backups.rend(); ++info)
    text += (info == list.backups.rbegin() ? " " : ", ") + info->id;
  return text + ".";
}

}  // namespace

Result<fs::File> open_backup(const StoreDir& store, const std::string& id) {
  const auto missing = [&] {
    return make_error(ErrorCode::kNotFound, "there is no backup " + escape(id))
        .with_untouched("Nothing was changed.")
        .with_remedy("See what there is: stravinsky backup list");
  };
  if (!layout::is_backup_id(id)) return missing();
  ASSIGN_OR_RETURN(auto dir, open_if_present(store.file_system(), store.fd(), layout::backup(id),
                                             OpenMode::kDirectory));
  if (!dir) return missing();
  return std::move(*dir);
}

Result<Manifest> read_manifest(fs::FileSystem& fs, fs::Fd dir, const std::string& id) {
  const std::string context = "while reading the manifest of " + escape(id);
  ASSIGN_OR_RETURN_WHILE(
      const auto file, open_if_present(fs, dir, layout::manifest_name(), OpenMode::kRead), context);
  if (!file)
    return make_error(ErrorCode::kCorrupt, "the manifest is missing").with_context(context);
  fs.advise(file->fd(), fs::Advice::kDropCache);
  ASSIGN_OR_RETURN_WHILE(const std::string text,
                         fs::read_all(fs, file->fd(), model::kManifestMaxBytes), context);
  ASSIGN_OR_RETURN_WHILE(Manifest manifest, model::parse_manifest(text), context);
  if (manifest.id != id)
    return make_error(ErrorCode::kCorrupt, "the manifest is that of " + manifest.id)
        .with_context(context);
  return manifest;
}

Status BackupStore::sync_dir(const RelPath& path) const {
  fs::FileSystem& fs = store_->file_system();
  ASSIGN_OR_RETURN(const fs::File dir,
                   fs::File::open(fs, store_->fd(), path, OpenMode::kDirectory));
  return fs.sync(dir.fd(), fs::SyncKind::kFull);
}

Result<CreatedBackup> BackupStore::create(const Snapshot& snapshot, const BackupRequest& request) {
  fs::FileSystem& fs = store_->file_system();
  RETURN_IF_ERROR(layout::check_label(request.label));
  RETURN_IF_ERROR(store_->ensure(layout::backups()));
  ASSIGN_OR_RETURN(BackupIds ids, BackupIds::load(*store_, request.known_elsewhere));
  const std::string previous = ids.newest();
  ASSIGN_OR_RETURN(const BackupId given, ids.allocate(request.label));

  const RelPath partial = layout::partial_backup(given.id);
  const std::string context = "while making backup " + given.id;
  CreatedBackup created;
  if (!ids.warning().empty()) created.warnings.push_back(ids.warning());
  Status done = [&]() -> Status {
    RETURN_IF_ERROR(fs::remove_tree(fs, store_->fd(), partial));
    RETURN_IF_ERROR(fs.make_dir(store_->fd(), partial, layout::kDirectoryMode));
    ASSIGN_OR_RETURN(const fs::File dir,
                     fs::File::open(fs, store_->fd(), partial, OpenMode::kDirectory));
    ASSIGN_OR_RETURN(created.manifest, build(dir.fd(), snapshot, request, given.id, given.sequence,
                                             previous, created));
    return publish(given.id);
  }();
  if (!done) {
    (void)fs::remove_tree(fs, store_->fd(), partial);  // else sweep() does it
    return Error(std::move(done).error().with_context(context));
  }
  created.size_bytes = size_of(created.manifest);
  return created;
}

Result<Manifest> BackupStore::build(fs::Fd dir, const Snapshot& snapshot,
                                    const BackupRequest& request, const std::string& id,
                                    uint64_t sequence, const std::string& previous_id,
                                    CreatedBackup& created) {
  fs::FileSystem& fs = store_->file_system();
  WriterOptions options{.level = request.level, .threads = request.threads};
  // A previous backup that cannot be opened is nothing to share with, no more.
  std::optional<fs::File> previous_dir;
  std::optional<Manifest> previous;
  if (!previous_id.empty() && !shares_nothing(sequence)) {
    if (auto opened = open_backup(*store_, previous_id)) previous_dir = std::move(*opened);
    if (previous_dir)
      if (auto read = read_manifest(fs, previous_dir->fd(), previous_id))
        previous = std::move(*read);
    if (previous) options.previous = PreviousBackup{&*previous, previous_dir->fd()};
  }
  ASSIGN_OR_RETURN(WrittenBackup written, write_backup(fs, dir, snapshot, options));
  for (const std::string& name : written.damaged)
    created.damaged.push_back(fmt::format("{} of {}", name, previous_id));

  Manifest manifest;
  manifest.id = id;
  manifest.sequence = sequence;
  manifest.kind = request.kind;
  manifest.type =
      written.linked.empty() ? model::BackupType::kFull : model::BackupType::kIncremental;
  manifest.version = request.version;
  manifest.previous_version = request.previous_version;
  manifest.version_of = request.version_of;
  manifest.time_ns = clock_->now_ns();
  manifest.pinned = request.pinned == Pinned::kYes;
  manifest.user_root = snapshot.roots.user.path;
  if (snapshot.roots.project) manifest.project_root = snapshot.roots.project->path;
  manifest.facts = request.facts;
  manifest.user_modifications = request.user_modifications;
  manifest.audit_head = request.audit_head;
  manifest.files = std::move(written.files);
  manifest.entries = std::move(written.entries);
  manifest.all_files_readable =
      snapshot.omissions.empty() &&
      std::ranges::all_of(manifest.entries, [](const model::Entry& entry) {
        return entry.state != model::EntryState::kSkipped &&
               entry.state != model::EntryState::kUnstable;
      });
  model::normalise(manifest);
  ASSIGN_OR_RETURN_WHILE(
      fs::File text, write_new(fs, dir, layout::manifest_name(), model::manifest_text(manifest)),
      "while writing the manifest");
  written.unsynced.push_back(std::move(text));
  RETURN_IF_ERROR(sync_backup(fs, dir, written.unsynced));
  if (request.verify == VerifyOnCreation::kYes && !MUTANT(backup_not_verified))
    RETURN_IF_ERROR_WHILE(verify_new(fs, dir, manifest, written.linked, request.threads),
                          "while verifying the new backup");
  return manifest;
}

Status BackupStore::publish(const std::string& id) {
  fs::FileSystem& fs = store_->file_system();
  const fs::Fd root = store_->fd();
  const RelPath partial = layout::partial_backup(id);
  Status renamed = fs.rename(root, partial, root, layout::backup(id), fs::RenameMode::kNoReplace);
  if (!renamed && renamed.error().code == ErrorCode::kUnsupported) {
    // The id is free (backup_id.h) and the lock is held; a directory that came all
    // the same would have to be empty to be replaced.
    renamed = fs.rename(root, partial, root, layout::backup(id), fs::RenameMode::kReplace);
  }
  RETURN_IF_ERROR_WHILE(std::move(renamed), "while publishing the backup");
  if (MUTANT(backup_publication_not_synced)) return {};
  RETURN_IF_ERROR_WHILE(sync_dir(layout::backups()), "while publishing the backup");
  return {};
}

Result<Manifest> BackupStore::load_manifest(const std::string& id) const {
  ASSIGN_OR_RETURN(const fs::File dir, open_backup(*store_, id));
  return read_manifest(store_->file_system(), dir.fd(), id);
}

Result<BackupInfo> BackupStore::info(const std::string& id) const {
  fs::FileSystem& fs = store_->file_system();
  if (std::exchange(recalls_, false)) known_.load(fs, store_->fd());
  const auto stat = fs.stat(store_->fd(), layout::backup(id) / layout::manifest_name());
  if (stat)
    if (auto known = known_.find(id, *stat)) return std::move(*known);
  ASSIGN_OR_RETURN(const Manifest manifest, load_manifest(id));
  BackupInfo info = info_of(manifest);
  if (stat) known_.put(*stat, info);
  return info;
}

void BackupStore::recall() {
  recalls_ = true;
}

Status BackupStore::remember() {
  if (!known_.is_changed()) return {};
  fs::FileSystem& fs = store_->file_system();
  ASSIGN_OR_RETURN(const fs::File dir,
                   fs::File::open(fs, store_->fd(), layout::backups(), OpenMode::kDirectory));
  ASSIGN_OR_RETURN(const auto names, fs.list(dir.fd()));
  std::set<std::string> there;
  for (const fs::DirEntry& entry : names) there.insert(entry.name);
  return known_.save(fs, store_->fd(), clock_->now_ns(),
                     [&](const std::string& id) { return there.contains(id); });
}

Result<BackupList> BackupStore::list() const {
  BackupList list;
  fs::FileSystem& fs = store_->file_system();
  ASSIGN_OR_RETURN(const auto dir,
                   open_if_present(fs, store_->fd(), layout::backups(), OpenMode::kDirectory));
  if (!dir) return list;
  ASSIGN_OR_RETURN(const auto names, fs.list(dir->fd()));
  for (const fs::DirEntry& entry : names) {
    if (!layout::is_backup_id(entry.name)) continue;
    auto listed = info(entry.name);
    if (listed) {
      list.backups.push_back(std::move(*listed));
    } else {
      list.broken.push_back({entry.name, std::move(listed).error()});
    }
  }
  std::ranges::sort(list.backups, {},
                    [](const BackupInfo& info) { return std::pair(info.sequence, info.time_ns); });
  return list;
}

// Of a backup whose manifest cannot be believed: by its name, or by what the damaged
// manifest says of itself. Good enough to say that it is damaged, for nothing else.
bool BackupStore::seems_of(const std::string& id, const model::Version& version) const {
  const std::string name = version.display();
  if (id == name || id.starts_with(name + ".pre_")) return true;
  if (const auto numbered = layout::parse_numbered_id(id); numbered && numbered->label == name)
    return true;
  const auto text =
      fs::read_file(store_->file_system(), store_->fd(),
                    layout::backup(id) / layout::manifest_name(), model::kManifestMaxBytes);
  return text && text->find("\"version\":\"" + version.str() + "\"") != std::string::npos;
}

Result<std::string> BackupStore::find(std::string_view version_or_id, const Wanted& wanted) const {
  ASSIGN_OR_RETURN(const BackupList all, list());
  std::string newest_sound;
  std::string newest_unsound;
  const auto version = model::Version::parse(version_or_id);
  // A label of the user's that reads like a version means that backup, unless it is one
  // of that version: then the newest of them is meant.
  const auto labelled = std::ranges::find(all.backups, version_or_id, &BackupInfo::id);
  if (version && labelled != all.backups.end() && labelled->version != *version)
    return labelled->id;
  if (version) {
    for (auto info = all.backups.rbegin(); info != all.backups.rend(); ++info) {
      if (info->version != *version) continue;
      if (!wanted.tree.empty() && info->version_of != wanted.tree) continue;
      const auto problems = verify(info->id, VerifyDepth::kQuick, 1);
      if (!problems || !problems->empty()) {
        if (newest_unsound.empty()) newest_unsound = info->id;
        continue;
      }
      if (!wanted.is_wanted) return info->id;
      ASSIGN_OR_RETURN(const bool is_wanted, wanted.is_wanted(info->id));
      if (is_wanted) return info->id;
      if (newest_sound.empty()) newest_sound = info->id;
    }
  }
  if (!newest_sound.empty()) return newest_sound;
  if (!newest_unsound.empty())
    return make_error(ErrorCode::kCorrupt,
                      fmt::format("no backup of {} is sound", escape(version_or_id)))
        .with_untouched("Nothing was changed.")
        .with_remedy("See the damage: stravinsky backup verify " + newest_unsound);
  std::string id(version_or_id);
  const auto is_it = [&](const auto& one) { return one.id == id; };
  if (std::ranges::any_of(all.backups, is_it) || std::ranges::any_of(all.broken, is_it)) return id;
  if (version) {
    for (const BackupList::Broken& broken : all.broken)
      if (seems_of(broken.id, *version))
        return make_error(ErrorCode::kCorrupt,
                          fmt::format("the backup {} of {} is damaged, and there is no other",
                                      escape(broken.id), version->display()))
            .with_untouched("Nothing was changed.")
            .with_remedy("See the damage: stravinsky backup verify " + broken.id);
  }
  return make_error(ErrorCode::kNotFound, "there is no backup " + escape(version_or_id))
      .with_untouched("Nothing was changed.")
      .with_remedy(list_of_ids(all));
}

Result<std::vector<BackupProblem>> BackupStore::verify(const std::string& id, VerifyDepth depth,
                                                       int threads) const {
  ASSIGN_OR_RETURN(const fs::File dir, open_backup(*store_, id));
  auto manifest = read_manifest(store_->file_system(), dir.fd(), id);
  if (manifest) return verify_files(store_->file_system(), dir.fd(), *manifest, depth, threads);
  // A newer program's backup is not damaged.
  if (manifest.error().code == ErrorCode::kUnsupported) return std::move(manifest).error();
  return std::vector<BackupProblem>{{.file = std::string(layout::manifest_name().str()),
                                     .member = {},
                                     .message = manifest.error().message}};
}

Status BackupStore::set_pinned(const std::string& id, Pinned pinned) {
  ASSIGN_OR_RETURN(const fs::File dir, open_backup(*store_, id));
  ASSIGN_OR_RETURN(Manifest manifest, read_manifest(store_->file_system(), dir.fd(), id));
  if (manifest.pinned == (pinned == Pinned::kYes)) return {};
  manifest.pinned = pinned == Pinned::kYes;
  RETURN_IF_ERROR_WHILE(
      fs::write_atomically(store_->file_system(), dir.fd(), layout::manifest_name(),
                           model::manifest_text(manifest), layout::kFileMode),
      "while pinning " + id);
  return {};
}

Status BackupStore::remove(const std::string& id) {
  ASSIGN_OR_RETURN(const fs::File dir, open_backup(*store_, id));
  fs::FileSystem& fs = store_->file_system();
  const RelPath partial = layout::partial_backup(id);
  const std::string context = "while deleting backup " + id;
  RETURN_IF_ERROR_WHILE(fs::remove_tree(fs, store_->fd(), partial), context);
  RETURN_IF_ERROR_WHILE(
      fs.rename(store_->fd(), layout::backup(id), store_->fd(), partial, fs::RenameMode::kReplace),
      context);
  if (!MUTANT(backup_removal_not_synced))
    RETURN_IF_ERROR_WHILE(sync_dir(layout::backups()), context);
  RETURN_IF_ERROR_WHILE(fs::remove_tree(fs, store_->fd(), partial), context);
  return {};
}

Result<std::string> BackupStore::quarantine(const std::string& id, std::string_view reason) {
  ASSIGN_OR_RETURN(const fs::File dir, open_backup(*store_, id));
  fs::FileSystem& fs = store_->file_system();
  const std::string context = "while moving " + id + " to quarantine";
  RETURN_IF_ERROR_WHILE(store_->ensure(layout::quarantine()), context);
  std::string name = id;
  for (uint64_t n = 1;; ++n) {
    ASSIGN_OR_RETURN(const auto taken,
                     stat_if_present(fs, store_->fd(), layout::quarantined(name)));
    if (!taken) break;
    name = layout::numbered_id(id, n);
  }
  // First out of the way, then the reason: a full disk must not keep it in use.
  RETURN_IF_ERROR_WHILE(fs.rename(store_->fd(), layout::backup(id), store_->fd(),
                                  layout::quarantined(name), fs::RenameMode::kReplace),
                        context);
  for (const RelPath& place : {layout::quarantine(), layout::backups()})
    if (!MUTANT(quarantine_not_synced)) RETURN_IF_ERROR_WHILE(sync_dir(place), context);
  const nlohmann::json value = {{"format_version", 1},
                                {"id", id},
                                {"reason", escape(reason)},
                                {"timestamp", utc_seconds(clock_->now_ns())}};
  RETURN_IF_ERROR_WHILE(fs::write_atomically(fs, dir.fd(), layout::reason_name(),
                                             codec::canonical_json(value), layout::kFileMode),
                        context);
  return name;
}

Result<std::vector<std::string>> BackupStore::sweep() {
  std::vector<std::string> removed;
  fs::FileSystem& fs = store_->file_system();
  ASSIGN_OR_RETURN(const auto dir,
                   open_if_present(fs, store_->fd(), layout::backups(), OpenMode::kDirectory));
  if (!dir) return removed;
  ASSIGN_OR_RETURN(const auto names, fs.list(dir->fd()));
  for (const fs::DirEntry& entry : names) {
    if (!layout::parse_partial_backup(entry.name)) continue;
    RETURN_IF_ERROR_WHILE(fs::remove_tree(fs, dir->fd(), RelPath::of(entry.name)),
                          "while removing what a crash left");
    removed.push_back(entry.name);
  }
  return removed;
}

}  // namespace stravinsky::store
