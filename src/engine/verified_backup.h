// A backup that was read as a whole and is what its manifest says, opened.
#pragma once

#include <memory>
#include <string>

#include "base/error.h"
#include "engine/session.h"
#include "engine/tree_edit.h"
#include "store/backup_reader.h"

namespace stravinsky::engine {

using BackupHandle = std::shared_ptr<store::BackupReader>;

// Of a version of the user's tree: its newest sound backup; with now, the present tree,
// the newest that is not just that: who goes back to a version wants another tree than
// the one that was saved when it was broken already. kNotFound lists what there is;
// kCorrupt names the damage.
Result<BackupHandle> open_verified(Session& session, const std::string& version_or_id,
                                   const KnownTree* now = nullptr);

// Puts image at the entry's place; a file's bytes come out of the backup.
Edit edit_of_entry(const BackupHandle& backup, const model::Entry& entry, model::Image image);

}  // namespace stravinsky::engine
