// What everything that brings content back out of a backup has in common.
#pragma once

#include <functional>
#include <string>

#include "base/error.h"
#include "engine/operation.h"
#include "engine/session.h"
#include "engine/verified_backup.h"
#include "model/component.h"
#include "model/image.h"

namespace stravinsky::engine {

// kNotFound while there is no store.
Status refuse_without_store(const Session& session);

FileReport file_report(FileAction action, const model::LogicalPath& path, const model::Image& now,
                       const model::Image& then, std::string note);

// What level 1 and 2 have in common as operations.
OperationRequest recovery_operation(const std::string& version_or_id);

// Adds to the proposal that everything goes that is in the directory, where a file will
// stand. The plan refuses when something is in it that no backup has.
void clear_the_place(const Present& present, const model::LogicalPath& directory,
                     Proposal& proposal);

// Opened, nothing of it verified yet.
Result<BackupHandle> open_unverified(const Session& session, const std::string& id);

// Whether the part of a backup that is about this scope was taken of the tree at hand.
bool is_of_tree_here(const Session& session, const model::Manifest& manifest, model::Scope scope);

// That the content of an entry can be had, and is what a file of its kind must be:
// settings are JSON. kCorrupt otherwise.
Status passes_its_check(const store::BackupReader& backup, const model::Entry& entry);

// What a way back saved before it changed anything is mostly what was broken (D70): it is
// the last to be taken unasked.
bool is_before_a_way_back(model::BackupKind kind);

// A link of the user's that leads nowhere stands there: what comes back takes its place.
bool leads_nowhere(const Present& present, const model::LogicalPath& path);

// Looks through the backups of the tree at hand for the first that is wanted: newest first,
// those that were taken before a way back behind all others; one that cannot be read, or
// about which nothing can be said, is passed over.
// nullptr when there is none.
using IsWanted = std::function<bool(const BackupHandle&)>;
Result<BackupHandle> newest_backup_that(Session& session, model::Scope scope,
                                        const IsWanted& is_wanted);

}  // namespace stravinsky::engine
