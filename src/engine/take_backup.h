// take_backup: a verified backup of the present tree, on record.
#pragma once

#include <string>

#include "base/error.h"
#include "engine/session.h"

namespace stravinsky::engine {

struct TakenBackup {
  store::Snapshot snapshot;
  store::CreatedBackup created;
};
struct BackupOrder {
  std::string label{};  // empty: the current version's
  model::BackupKind kind = model::BackupKind::kManual;
  store::Pinned pinned = store::Pinned::kNo;
  std::string tree{};  // the root whose version it is; empty: the user's
};
// snapshot is of the present tree; where that moves meanwhile it is listed again.
// latest is the caller's; the caller writes it.
Result<TakenBackup> take_backup(Session& session, const store::Latest& latest,
                                store::Snapshot snapshot, const BackupOrder& order);

// The same as a command of its own: locks first, and latest.json knows of it.
Result<TakenBackup> create_backup(Session& session, const BackupOrder& order);

}  // namespace stravinsky::engine
