// store_layout: every name that lies on disk, made and parsed here and nowhere else.
//
// Paths are relative to the store's root, except where a comment says otherwise:
//
//   backups/<id>/manifest.json, archives and copies (model/component.h)
//   backups/.<id>.partial/     a backup being made, or one being deleted
//   backups/latest.json        derived
//   backups/sequence.json      the next sequence number and the bare labels ever used
//   quarantine/<id>/           what failed verification, with reason.json
//   bundles/<id>/              bundle.tar.gz, manifest.json: what was installed
//   recovery/tx/<txid>/        journal, before/: an open transaction
//   recovery/tx/done/<txid>/   a finished one
//   recovery/tx/inconsistent/<txid>/  one that recovery gave up on, with README.txt
//   recovery/conflicts/<txid>/ what was set aside, under the names that backups use
//   recovery/unrecorded/<event id>.json  events that the trail could not take
//   recovery/staging/          temporary, swept under the lock
//   recovery/staging/health/   the scratch home of health checks
//   recovery/fetch.lock        held by whoever fetches into staging/
//   recovery/accepted.list     derived: the scripts that a parser has accepted
//   recovery/backups.list      derived: what manifests said of their backups
//   recovery/manual-<txid>.txt  what to do by hand when a rollback failed
//   recovery/rescue.sh         derived: the way back without this program
//   recovery/aside/<time>/     what it replaced; made by it alone
//   audit/operations.log, audit/head.json, audit/audit.db, audit/archive/
//   audit/lock, audit/torn-<seq>.bin
//   config.json, hold.json, lock
//
// In the user's tree, while a transaction is open: ".rbk-<txid>-<n>" (a stage),
// ".rbk-<txid>-<n>o" (a stash) and ".rbk-<txid>-<n>r" (a rebuilt node); no reader
// loads a name like these.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "fs/rel_path.h"
#include "model/component.h"

namespace stravinsky::model::layout {

inline constexpr uint32_t kDirectoryMode = 0700;
inline constexpr uint32_t kFileMode = 0600;

// --- ids of backups
// A label is 1 to 100 bytes of [A-Za-z0-9._+-] and begins with a letter, a digit,
// '_' or '+'. "latest.json" and the like are refused as well. kUsage otherwise.
Status check_label(std::string_view label);
// "<label>.<sequence>"
std::string numbered_id(std::string_view label, uint64_t sequence);
struct NumberedId {
  std::string label;
  uint64_t sequence = 0;
};
// The parts of a name that has the form of numbered_id; "v0.3.8" has it too.
std::optional<NumberedId> parse_numbered_id(std::string_view id);
// True for what may be a backup's directory; false for ".x.partial", latest.json, ...
bool is_backup_id(std::string_view name);
// The id in ".<id>.partial".
std::optional<std::string> parse_partial_backup(std::string_view name);

// --- backups
// Derived files that could not be understood: recovery/damaged/<name>.<n>.
fs::RelPath damaged();
fs::RelPath damaged_file(std::string_view name, uint64_t n);

// What is being written, or a crash left of it: ".<name>.partial".
bool is_partial_name(std::string_view name);

fs::RelPath backups();
fs::RelPath backup(std::string_view id);
fs::RelPath partial_backup(std::string_view id);
fs::RelPath latest();
fs::RelPath sequence();
fs::RelPath manifest_name();  // in a backup's or bundle's directory
fs::RelPath quarantine();
fs::RelPath quarantined(std::string_view id);
fs::RelPath reason_name();  // in a quarantined directory

// --- bundles
fs::RelPath bundles();
fs::RelPath bundle(std::string_view id);
fs::RelPath partial_bundle(std::string_view id);
fs::RelPath bundle_archive_name();  // in a bundle's directory
// "0.3.9" for n == 0, "0.3.9.n" otherwise.
std::string bundle_id(std::string_view version, uint64_t n);

// --- transactions
// 16 lower-case hexadecimal digits.
bool is_transaction_id(std::string_view txid);
fs::RelPath transactions();
fs::RelPath transaction(std::string_view txid);
fs::RelPath journal_name();        // in a transaction's directory
fs::RelPath before_images_name();  // in a transaction's directory
fs::RelPath done_transactions();
fs::RelPath done_transaction(std::string_view txid);
fs::RelPath inconsistent_transactions();
fs::RelPath inconsistent_transaction(std::string_view txid);
fs::RelPath conflicts();
fs::RelPath conflicts(std::string_view txid);
// Where a version of a file is set aside: conflicts/<txid>/hooks/x.py, and
// conflicts/<txid>/project_hooks/x.py for the project's. kUsage for a name too long.
Result<fs::RelPath> conflict_copy(std::string_view txid, const LogicalPath& path);

// --- events that the trail could not take
// "evt_" and 32 lower-case hexadecimal digits.
bool is_event_id(std::string_view text);
fs::RelPath unrecorded_events();
fs::RelPath unrecorded_event(std::string_view event_id);
// The event's id in a name of that directory.
std::optional<std::string> parse_unrecorded_event(std::string_view name);

// --- names in the user's tree
std::string stage_name(std::string_view txid, uint64_t n);
std::string stash_name(std::string_view txid, uint64_t n);
std::string rebuilt_name(std::string_view txid, uint64_t n);
// True for every name that the three above make.
bool is_reserved_name(std::string_view name);

// --- the rest
fs::RelPath recovery();
fs::RelPath staging();
fs::RelPath fetched(std::string_view random);  // a private directory in staging()
fs::RelPath health_home();
fs::RelPath fetch_lock();
fs::RelPath accepted_sources();
fs::RelPath remembered_backups();
fs::RelPath rescue_script();
fs::RelPath manual_recovery(std::string_view txid);
fs::RelPath emergency_guide();  // what is left to do by hand
fs::RelPath audit();
fs::RelPath audit_log();
fs::RelPath audit_head();
fs::RelPath audit_lock();
// Bytes cut off in front of event seq: torn-<seq>.bin, torn-<seq>.<attempt>.bin from 1 on.
fs::RelPath audit_torn(uint64_t seq, uint64_t attempt);
fs::RelPath audit_index();
fs::RelPath audit_archive();
fs::RelPath config();
fs::RelPath begun_update();
fs::RelPath hold();
fs::RelPath lock();

}  // namespace stravinsky::model::layout
