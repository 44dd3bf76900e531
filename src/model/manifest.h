// Manifest: what a backup is and what is in it; backups/<id>/manifest.json.
//
// The text is canonical JSON (codec/canonical_json.h). "digest" is the SHA-256 of
// the text without that member, so that any changed byte is noticed before a
// value is believed. Names and link texts are kept in the reversible escape of
// base/strings.h; numbers that can exceed 2^53 (times in ns) as decimal text.
//
// Invariants, checked by parse_manifest: entries ascend by scope and path, so
// none is there twice; each belongs to a known component; each stored file, link
// and directory of an archive lies inside the archive; names that differ only in
// the case of ASCII letters are announced by case_fold_duplicates.
// Hostile until parsed: a path is a checked RelPath, but not yet a safe target.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "codec/tar_gz.h"
#include "model/component.h"
#include "model/version.h"

namespace stravinsky::model {

inline constexpr uint64_t kManifestFormatVersion = 1;
inline constexpr uint64_t kManifestMaxBytes = 512ULL << 20U;

enum class BackupKind {
  kManual,       // asked for by the user
  kPreUpdate,    // taken before an update
  kPreRollback,  // taken before a rollback
  kPreRecovery,  // taken before a recovery
  kAuto,         // taken by a schedule or a hook
};
std::string_view backup_kind_name(BackupKind kind);  // "manual", "pre_update", ...

enum class BackupType {
  kFull,         // every archive has bytes of its own
  kIncremental,  // an archive is shared with an earlier backup; complete all the same
};

enum class EntryState {
  kStored,    // its content is in the backup
  kUnstable,  // as stored, but it kept changing while it was read
  kAbsent,    // the top of a component that was not there
  // Reported, not stored: a socket, FIFO or device; a file that could not be read; a
  // directory whose content could not be listed.
  kSkipped,
};

struct Entry {
  const Component* component = nullptr;
  LogicalPath path;
  EntryState state = EntryState::kStored;
  fs::NodeType type = fs::NodeType::kFile;
  uint32_t mode = 0;
  uint32_t uid = 0;
  uint32_t gid = 0;
  int64_t mtime_ns = 0;
  uint64_t size_bytes = 0;  // of a file
  codec::Digest sha256{};   // of a file's content
  std::string link_text{};  // of a symlink that is stored as a link
  // The top of a component that is a symlink: its text. The rest of the entry, and
  // the entries beneath, describe what the link leads to.
  std::string via_link{};
  uint64_t offset = 0;  // in the archive; 0 for a byte-exact copy
  uint64_t length = 0;

  bool is_stored() const { return state == EntryState::kStored || state == EntryState::kUnstable; }
  // In an archive, rather than a copy beside the archives.
  bool in_archive() const { return is_stored() && component->kind != ComponentKind::kFile; }
};

// The archive's member that an entry describes. CHECKs in_archive().
codec::ArchiveMember archive_member_of(const Entry& entry);

// An archive or a byte-exact copy of the backup.
struct StoredFile {
  const Component* component = nullptr;
  Scope scope = Scope::kUser;  // counts for ComponentKind::kFile only
  bool present = false;        // something of it was there
  uint64_t size_bytes = 0;
  codec::Digest sha256{};
  uint64_t files_count = 0;  // files and links
  uint64_t directories_count = 0;

  // An archive is always written, a copy only of a file that was there.
  bool is_written() const { return present || component->kind != ComponentKind::kFile; }
};

struct UserModification {
  std::string path;    // LogicalPath::display()
  std::string status;  // "user_added", "user_modified", "user_deleted"
  bool backed_up = false;
};

// Facts that the caller measured before the backup; never constants.
struct MeasuredFacts {
  std::optional<std::string> python_version;  // of the interpreter hooks run with
  std::string system;                         // "Linux-6.1-x86_64"
  uint64_t disk_space_available_bytes = 0;
  bool permissions_verified = false;
  bool no_locks_detected = false;
};

struct Manifest {
  std::string id;
  uint64_t sequence = 0;
  BackupKind kind = BackupKind::kManual;
  BackupType type = BackupType::kFull;
  Version version;
  Version previous_version;
  int64_t time_ns = 0;
  bool pinned = false;
  std::string user_root;     // canonical; may be a directory that is not there
  std::string project_root;  // empty without a project
  // The root whose version `version` is; empty in manifests that do not tell: the user's.
  std::string version_of;
  MeasuredFacts facts;
  bool all_files_readable = true;  // false when something was skipped
  bool case_fold_duplicates = false;
  std::vector<UserModification> user_modifications;
  std::string audit_head;  // the audit log's head when the backup was taken
  std::vector<StoredFile> files;
  std::vector<Entry> entries;

  // nullptr when the path is not in the backup. Binary search.
  const Entry* find(const LogicalPath& path) const;
  const StoredFile* find_file(const Component& component, Scope scope) const;
};

// Sorts the entries and sets case_fold_duplicates. To be called before the text is made.
void normalise(Manifest& manifest);

// CHECKs the order of the entries.
std::string manifest_text(const Manifest& manifest);
// kCorrupt, naming the member, when one that is read is not as manifest_text writes it;
// members that nobody reads are passed over. kUnsupported for a newer format.
Result<Manifest> parse_manifest(std::string_view text);

}  // namespace stravinsky::model
