#include "testing/engine_fixture.h"

#include "engine/rollback.h"
#include "engine/take_backup.h"
#include "engine/updater.h"
#include "txn/archive.h"

namespace stravinsky::testing {

using engine::OperationResult;
using engine::Session;

EngineFixture::EngineFixture() : disk_(std::make_unique<MemFs>()) {
  disk_->make_dirs(kTree);
  disk_->make_dirs("/bundles");
  // MemFs nodes belong to its user.
  disk_->sync_everything();
}

EngineFixture& EngineFixture::file(const std::string& path, std::string_view bytes, uint32_t mode) {
  disk_->write_file(std::string(kTree) + "/" + path, bytes, mode);
  disk_->sync_everything();
  return *this;
}

EngineFixture& EngineFixture::bundle(const std::string& name, const Files& files) {
  for (const auto& [path, bytes] : files)
    disk_->write_file("/bundles/" + name + "/.claude/" + path, bytes,
                      path.ends_with(".sh") ? 0755 : 0644);
  disk_->sync_everything();
  return *this;
}

EngineFixture& EngineFixture::variable(const std::string& name, const std::string& value) {
  variables_[name] = value;
  return *this;
}

engine::Environment EngineFixture::environment(fs::FileSystem& fs) {
  return {.fs = fs,
          .clock = clock_,
          .random = random_,
          .processes = processes_,
          .variable = [this](const std::string& name) -> std::optional<std::string> {
            const auto found = variables_.find(name);
            return found == variables_.end() ? std::nullopt : std::optional(found->second);
          },
          .home = kHome,
          .working_directory = kHome,
          .user_name = "u",
          .hostname = "host",
          .system = "Linux-6.1-x86_64",
          .user_id = 1000,
          .process_id = 1,
          .overlap = engine::Overlap::kNo,
          .downloads = downloads_};
}

Result<std::unique_ptr<Session>> EngineFixture::open(fs::FileSystem& fs,
                                                     engine::SessionRequest request) {
  return Session::open(environment(fs), std::move(request), store::IfAbsent::kCreate);
}

Result<OperationResult> EngineFixture::update(fs::FileSystem& fs, const std::string& bundle) {
  ASSIGN_OR_RETURN(const auto session, open(fs));
  return engine::update(*session, {.version = bundle.substr(1), .source = "/bundles/" + bundle});
}

Result<OperationResult> EngineFixture::undo(fs::FileSystem& fs) {
  ASSIGN_OR_RETURN(const auto session, open(fs));
  return engine::undo(*session);
}

Result<OperationResult> EngineFixture::redo() {
  ASSIGN_OR_RETURN(const auto session, open(*disk_));
  return engine::redo(*session);
}

Result<OperationResult> EngineFixture::rollback_to(const std::string& version, fs::FileSystem* fs) {
  ASSIGN_OR_RETURN(const auto session, open(fs == nullptr ? *disk_ : *fs));
  return engine::rollback_to(*session, {.version_or_id = version});
}

Status EngineFixture::back_up(fs::FileSystem& fs, const std::string& label) {
  ASSIGN_OR_RETURN(const auto session, open(fs));
  RETURN_IF_ERROR(session->begin_writing());
  ASSIGN_OR_RETURN(const store::Latest latest, session->latest());
  ASSIGN_OR_RETURN(store::Snapshot snapshot, session->list_tree());
  ASSIGN_OR_RETURN(const auto taken,
                   engine::take_backup(*session, latest, std::move(snapshot), {.label = label}));
  return {};
}

Status EngineFixture::recover(fs::FileSystem& fs) {
  ASSIGN_OR_RETURN(const auto session, open(fs));
  RETURN_IF_ERROR(session->begin_writing());
  RETURN_IF_ERROR(session->audit().recover());
  ASSIGN_OR_RETURN(const auto swept, session->backups().sweep());
  return {};
}

std::string EngineFixture::contents(const MemFs& disk, const std::string& path) {
  return disk.contents(std::string(kTree) + "/" + path).value_or("<absent>");
}

std::vector<std::string> EngineFixture::broken_rules(MemFs& disk) {
  std::vector<std::string> broken;
  for (const auto& [path, node] : disk.snapshot(kTree))
    if (path.find("/.rbk-") != std::string::npos) broken.push_back("litter: " + path);
  auto session = open(disk);
  if (!session) return {"the session does not open: " + session.error().to_string()};
  Session& s = **session;
  const auto open_ids = txn::list_transactions(disk, s.store().fd(), txn::Shelf::kOpen);
  if (!open_ids || !open_ids->empty()) broken.emplace_back("a transaction is still open");
  const auto aside = txn::list_transactions(disk, s.store().fd(), txn::Shelf::kInconsistent);
  if (!aside || !aside->empty()) broken.emplace_back("a transaction was set aside");
  if (const auto verdict = s.audit().verify(); !verdict || !verdict->ok())
    broken.push_back("the trail: " + (verdict ? verdict->message : verdict.error().to_string()));
  const auto list = s.backups().list();
  if (!list) return {"the backups cannot be listed: " + list.error().to_string()};
  for (const auto& one : list->broken) broken.push_back("broken backup " + one.id);
  for (const store::BackupInfo& info : list->backups) {
    const auto problems = s.backups().verify(info.id, store::VerifyDepth::kFull, 1);
    if (!problems || !problems->empty())
      broken.push_back(
          "backup " + info.id + ": " +
          (problems ? store::to_string(problems->front()) : problems.error().to_string()));
  }
  return broken;
}

}  // namespace stravinsky::testing
