// BackupStore: the backups of a store, under backups/ and quarantine/.
//
// A backup appears whole or not at all:
//   1. give it an id that was never used, durably          (backup_id.h)
//   2. build it in backups/.<id>.partial                   (backup_writer.h)
//   3. fsync every file of its own, then the directory
//   4. read it back from the disk and compare              (backup_verify.h)
//   5. rename it, without replacing, to backups/<id>; fsync backups/
// A ".partial" directory is what a crash or a deletion left; sweep() removes it. A
// directory whose manifest is not valid is reported and never deleted here.
// A backup's files are never written again; pinning replaces its manifest whole.
// The caller of whatever changes something holds the store's lock.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "model/manifest.h"
#include "store/backup_info.h"
#include "store/backup_verify.h"
#include "store/remembered_backups.h"
#include "store/snapshot.h"
#include "store/store_dir.h"

namespace stravinsky::store {

enum class Pinned { kNo, kYes };

enum class VerifyOnCreation { kYes, kNo };

struct BackupRequest {
  std::string label;
  model::BackupKind kind = model::BackupKind::kManual;
  model::Version version{};  // of what is installed while the backup is taken
  std::string version_of{};  // the root it is installed in; empty: the user's
  model::Version previous_version{};
  Pinned pinned = Pinned::kNo;
  model::MeasuredFacts facts{};
  std::vector<model::UserModification> user_modifications{};
  std::string audit_head{};
  // Ids that journals and the trail know of, for when sequence.json is lost.
  std::function<std::vector<std::string>()> known_elsewhere{};
  VerifyOnCreation verify = VerifyOnCreation::kYes;
  int level = 1;  // of compression, 1 to 12
  int threads = 2;
};

struct CreatedBackup {
  model::Manifest manifest;
  uint64_t size_bytes = 0;  // of all its files, shared ones included
  // Archives of earlier backups found damaged and therefore not shared with:
  // "hooks.tar.gz of v0.3.8".
  std::vector<std::string> damaged{};
  std::vector<std::string> warnings{};  // what else was found and mended
};

struct BackupList {
  std::vector<BackupInfo> backups;  // ascending by sequence
  struct Broken {
    std::string id;
    Error error;
  };
  std::vector<Broken> broken;  // directories whose manifest cannot be believed
};

// Which backups of a version count.
struct Wanted {
  std::string tree{};  // the root whose version is meant; empty: any
  // Asked of each sound one, newest first; empty: the first will do.
  std::function<Result<bool>(const std::string& id)> is_wanted{};
};

class BackupStore {
 public:
  BackupStore(const StoreDir& store, Clock& clock) : store_(&store), clock_(&clock) {}

  // On failure nothing is left behind. kChanged: the tree moved since the snapshot.
  Result<CreatedBackup> create(const Snapshot& snapshot, const BackupRequest& request);

  // Reads every manifest, once a run.
  Result<BackupList> list() const;
  // From now on a manifest whose file did not change since an earlier run is not read
  // again to be listed; what is found is kept by remember(), under the store's lock.
  void recall();
  Status remember();
  // The backup that a person means: of a version the newest one that verifies quickly
  // and is wanted (if none is wanted, the newest sound one); else the one with exactly
  // this id. kNotFound lists what there is; kCorrupt when backups of that version exist
  // but none is sound, or their manifests cannot be believed.
  Result<std::string> find(std::string_view version_or_id, const Wanted& wanted = {}) const;
  Result<model::Manifest> load_manifest(const std::string& id) const;
  // Every problem of a backup; empty: all good. kNotFound without such a backup.
  Result<std::vector<BackupProblem>> verify(const std::string& id, VerifyDepth depth,
                                            int threads) const;

  Status set_pinned(const std::string& id, Pinned pinned);
  // Deletes a backup: it disappears in one step. The caller asked retention first.
  Status remove(const std::string& id);
  // Moves a damaged backup to quarantine/, with the reason; nobody but the user
  // deletes it there. Returns its name there.
  Result<std::string> quarantine(const std::string& id, std::string_view reason);
  // Removes what crashes left; the names that were removed.
  Result<std::vector<std::string>> sweep();

 private:
  Result<model::Manifest> build(fs::Fd dir, const Snapshot& snapshot, const BackupRequest& request,
                                const std::string& id, uint64_t sequence,
                                const std::string& previous_id, CreatedBackup& created);
  Status publish(const std::string& id);
  bool seems_of(const std::string& id, const model::Version& version) const;
  Status sync_dir(const fs::RelPath& path) const;

  Result<BackupInfo> info(const std::string& id) const;

  const StoreDir* store_;
  Clock* clock_;
  mutable RememberedBackups known_;
  mutable bool recalls_ = false;  // and has not done so yet
};

// --- for the readers of backups in this folder
// The directory of a backup; kNotFound names it.
Result<fs::File> open_backup(const StoreDir& store, const std::string& id);
// The manifest in an open backup's directory, which must be that of id.
Result<model::Manifest> read_manifest(fs::FileSystem& fs, fs::Fd dir, const std::string& id);

}  // namespace stravinsky::store
