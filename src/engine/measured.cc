#include "engine/measured.h"

#include <map>

#include "base/background.h"
#include "engine/present_tree.h"

namespace stravinsky::engine {
namespace {

constexpr int64_t kPythonTimeoutMs = 2000;
constexpr uint32_t kOwnerRead = 0400;
constexpr uint32_t kOwnerReadWriteSearch = 0700;

bool may_be_changed(const store::TreeEntry& entry, uint32_t user_id) {
  if (user_id == 0) return !entry.stat.immutable;
  if (entry.stat.immutable || entry.stat.uid != user_id) return false;
  if (entry.stat.type == fs::NodeType::kDirectory)
    return (entry.stat.mode & kOwnerReadWriteSearch) == kOwnerReadWriteSearch;
  return entry.stat.type != fs::NodeType::kFile || (entry.stat.mode & kOwnerRead) != 0;
}

Result<bool> is_open_for_writing(fs::FileSystem& fs, const store::Snapshot& snapshot,
                                 const store::TreeEntry& entry) {
  const fs::Fd dir = snapshot.directories[entry.directory].file.fd();
  ASSIGN_OR_RETURN(const auto file,
                   fs::open_if_present(fs, dir, entry.beneath, fs::OpenMode::kRead));
  if (!file) return false;
  return fs.has_writer(file->fd());
}

}  // namespace

std::shared_future<std::optional<std::string>> ask_python_version(const Environment& environment) {
  ProcessRunner& processes = environment.processes;
  const auto ask = [&processes]() -> std::optional<std::string> {
    const auto answer = processes.run({.argv = {"python3", "-V"},
                                       .input = {},
                                       .timeout_ms = kPythonTimeoutMs,
                                       .environment = {}});
    constexpr std::string_view kPrefix = "Python ";
    if (!answer || answer->exit_code != 0 || !answer->output.starts_with(kPrefix))
      return std::nullopt;
    std::string version = answer->output.substr(kPrefix.size());
    while (!version.empty() && (version.back() == '\n' || version.back() == '\r'))
      version.pop_back();
    return version;
  };
  return start_work(runs_in(environment.overlap), ask).share();
}

Result<model::MeasuredFacts> measure(const Environment& environment, fs::Fd store,
                                     const store::Snapshot& snapshot) {
  model::MeasuredFacts facts;
  facts.system = environment.system;
  ASSIGN_OR_RETURN(const fs::Space space, environment.fs.space(store));
  facts.disk_space_available_bytes = space.available_bytes;
  facts.permissions_verified = true;
  facts.no_locks_detected = true;
  for (const store::TreeEntry& entry : snapshot.entries) {
    if (entry.state != model::EntryState::kStored) continue;
    if (!may_be_changed(entry, environment.user_id)) facts.permissions_verified = false;
    if (entry.stat.type != fs::NodeType::kFile) continue;
    const auto busy = is_open_for_writing(environment.fs, snapshot, entry);
    if (!busy || *busy) facts.no_locks_detected = false;
  }
  return facts;
}

Result<std::vector<model::UserModification>> user_modifications(
    fs::FileSystem& fs, const store::Snapshot& snapshot, const store::InstalledBundle& base) {
  std::vector<model::UserModification> found;
  for (const store::BundleFile& file : base.files) {
    const model::LogicalPath path{base.scope, file.path};
    const store::TreeEntry* entry = snapshot.find(path);
    if (snapshot.is_unreadable(path)) continue;  // nobody can tell
    if (entry == nullptr || entry->state != model::EntryState::kStored) {
      found.push_back({path.display(), "user_deleted", false});
      continue;
    }
    if (entry->stat.type != fs::NodeType::kFile) {
      found.push_back({path.display(), "user_modified", true});
      continue;
    }
    codec::Sha256 hash;
    RETURN_IF_ERROR(
        read_managed(fs, snapshot, path, [&](std::span<const std::byte> piece) -> Status {
          hash.update(piece);
          return {};
        }));
    if (hash.finish() != file.sha256) found.push_back({path.display(), "user_modified", true});
  }
  for (const store::TreeEntry& entry : snapshot.entries) {
    const bool is_node =
        entry.state == model::EntryState::kStored && entry.stat.type != fs::NodeType::kDirectory;
    if (is_node && entry.path.scope == base.scope && base.find(entry.path.path) == nullptr)
      found.push_back({entry.path.display(), "user_added", true});
  }
  return found;
}

}  // namespace stravinsky::engine
