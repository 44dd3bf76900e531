// Every step of the protocol is there for a reason: a transaction that leaves one
// out is caught. The table names for each mutant the proof that catches it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <regex>
#include <set>

#include "base/mutant.h"
#include "testing/forwarding_fs.h"
#include "testing/meddling_fs.h"
#include "testing/seeded_random.h"
#include "testing/txn_sweep.h"
#include "txn/archive.h"
#include "txn/journal.h"

#ifdef STRAVINSKY_FAULT_POINTS

namespace stravinsky::txn {
namespace {

using testing::FaultFs;
using testing::FaultKind;
using testing::kLooseDirectorySync;
using testing::kOrdinary;
using testing::kPlainRenameOnly;
using testing::make_mixed;
using testing::MeddlingFs;
using testing::MemFs;
using testing::MemFsOptions;
using testing::Op;
using testing::RecoveryCrashes;
using testing::Saving;
using testing::StopAfter;
using testing::SweepReport;
using testing::TxnFixture;

// Says what is wrong; empty when nothing is.
using Proof = std::function<std::string()>;

std::string verdict(const SweepReport& report) {
  return report.is_clean() ? "" : report.to_string();
}

Proof crash(StopAfter last, const MemFsOptions& options = kOrdinary,
            RecoveryCrashes in_recovery = RecoveryCrashes::kNone) {
  return [=] {
    const auto t = make_mixed(options);
    return verdict(run_crash_sweep(sweep_case(*t, last), {.subset_limit = 8,
                                                          .recovery_subset_limit = 2,
                                                          .crash_in_recovery = in_recovery,
                                                          .stops_at_first = true}));
  };
}
Proof crash_twice(StopAfter last) {
  return crash(last, kOrdinary, RecoveryCrashes::kSampled);
}

std::string killed_during_update() {
  const auto t = make_mixed();
  return verdict(run_kill_sweep(*t, StopAfter::kFinish, {.subset_limit = 4, .cuts_max = 8}));
}

Proof meddling(Saving saving, const MemFsOptions& options = kOrdinary) {
  return [=] {
    const auto t = make_mixed(options);
    return verdict(run_meddling_sweep(*t, saving, {0, 1, 3, testing::kToTheEnd}));
  };
}

// A small one, for what needs no sweep.
std::unique_ptr<TxnFixture> make_small(const MemFsOptions& options = kOrdinary) {
  auto t = std::make_unique<TxnFixture>(options);
  t->file("hooks/a.py", "old").settle();
  t->replace("hooks/a.py", "new").add("hooks/b.py", "b");
  return t;
}

// What a failed sync of a journal record leaves behind.
enum class Pages { kDropped, kOnTheDisk };

struct BadSyncPlan {
  int nth = 0;  // which fdatasync fails
  Pages pages = Pages::kDropped;
  bool fails_directory = false;  // the first fsync of a directory after it fails too
  bool fills_disk = false;       // before the recovery
};

class BadSync final : public testing::ForwardingFs {
 public:
  BadSync(MemFs& disk, const BadSyncPlan& plan)
      : ForwardingFs(disk), disk_(disk), plan_(plan), left_(plan.nth) {}

  Status sync(fs::Fd fd, fs::SyncKind kind) override {
    if (kind == fs::SyncKind::kData && left_ > 0 && --left_ == 0) {
      if (plan_.pages == Pages::kDropped) disk_.forget_dirty(fd);
      if (plan_.pages == Pages::kOnTheDisk) RETURN_IF_ERROR(disk_.sync(fd, kind));
      return errno_error(EIO, "");
    }
    const bool is_directory = disk_.stat_fd(fd)->type == fs::NodeType::kDirectory;
    if (left_ == 0 && plan_.fails_directory && is_directory) {
      plan_.fails_directory = false;
      return errno_error(EIO, "");
    }
    return disk_.sync(fd, kind);
  }

 private:
  MemFs& disk_;
  BadSyncPlan plan_;
  int left_;
};

constexpr int kApplyingSync = 2;
constexpr int kCommitSync = 3;

// A record's sync fails; the process goes on and is killed at each call; the next
// one recovers, and at each call of that the power goes.
std::string bad_sync(const BadSyncPlan& plan) {
  const auto t = make_mixed();
  testing::SeededRandom random(1);
  for (uint64_t kill = 50; kill < 130; kill += 4) {
    for (uint64_t cut = 1; cut < 50; cut += 5) {
      const auto disk = t->fresh_disk();
      {
        BadSync bad(*disk, plan);
        FaultFs stop(bad, {.kind = FaultKind::kStop, .at = kill});
        if (t->update(stop) && !stop.fired()) return "the failed sync went unnoticed";
      }
      t->told().clear();
      if (plan.fills_disk) disk->set_free(0, 0);
      FaultFs stop(*disk, {.kind = FaultKind::kStop, .at = cut});
      (void)t->recover(stop);
      const auto told = t->told();
      for (const auto& choice : disk->crash_choices(4, random)) {
        const auto after = disk->crashed(choice);
        after->set_free(1U << 20U, 1000);
        if (const Status recovered = t->recover(*after); !recovered)
          return "recovery failed: " + recovered.error().to_string();
        const bool is_done = std::ranges::find(told, "completed") != told.end();
        const auto broken = t->broken_rules(*after, is_done);
        if (!broken.empty()) return broken.front();
      }
    }
  }
  return "";
}

std::string failed_sync_of_applying() {
  return bad_sync({.nth = kApplyingSync});
}
std::string failed_sync_of_commit() {
  return bad_sync({.nth = kCommitSync});
}
std::string failed_replace_of_commit() {
  return bad_sync({.nth = kCommitSync, .fails_directory = true});
}
std::string failed_replace_of_commit_and_full_disk() {
  return bad_sync({.nth = kCommitSync,
                   .pages = Pages::kOnTheDisk,
                   .fails_directory = true,
                   .fills_disk = true});
}

std::string target_changed_before_prepare() {
  const auto t = make_small();
  t->disk().write_file("/home/u/.claude/hooks/a.py", "theirs");
  auto opened = t->open(t->disk());
  return t->prepare(opened) ? "prepared over a change" : "";
}

std::string wrong_content() {
  const auto t = make_small();
  t->new_bytes()["hooks/b.py|"] = "x";
  auto opened = t->open(t->disk());
  return t->prepare(opened) ? "staged other bytes than planned" : "";
}

// Applies, lets somebody act, and verifies.
std::string verified_after(const std::function<void(MemFs&)>& before_apply,
                           const std::function<void(MemFs&)>& after_apply) {
  const auto t = make_small();
  auto opened = t->open(t->disk());
  auto transaction = t->prepare(opened);
  if (!transaction) return "not prepared";
  before_apply(t->disk());
  if (!transaction->apply()) return "not applied";
  after_apply(t->disk());
  return transaction->verify() ? "verified over a change" : "";
}
void nobody(MemFs&) {}
std::string target_changed_before_verify() {
  return verified_after(
      nobody, [](MemFs& disk) { disk.write_file("/home/u/.claude/hooks/a.py", "theirs"); });
}
std::string saved_before_apply() {
  return verified_after(
      [](MemFs& disk) { disk.write_file("/home/u/.claude/hooks/a.py", "theirs"); }, nobody);
}

std::string restored_file_goes_bad() {
  const auto t = make_small();
  auto opened = t->open(t->disk());
  bool is_rolling_back = false;
  MeddlingFs meddling(t->disk(), [&](const MeddlingFs::Upcoming& upcoming) {
    if (is_rolling_back && upcoming.op == Op::kSync)
      t->disk().write_file("/home/u/.claude/hooks/a.py", "bad");
  });
  auto through = t->open(meddling);
  auto transaction = t->prepare(through);
  if (!transaction || !transaction->apply()) return "not applied";
  is_rolling_back = true;
  return transaction->roll_back() ? "a roll back that did not restore was a success" : "";
}

std::string added_file_was_edited() {
  const auto t = make_small();
  if (!t->update_until(t->disk(), StopAfter::kApply)) return "not applied";
  t->disk().write_file("/home/u/.claude/hooks/b.py", "edited");
  (void)t->recover(t->disk());
  return t->contents("hooks/b.py") == "edited" ? "" : "an edited file was taken away";
}

std::string equal_file_is_theirs() {
  const auto t = make_small();
  const auto counted = t->fresh_disk();
  uint64_t first_rename = 0;
  FaultFs counting(*counted, {});
  MeddlingFs watching(counting, [&](const MeddlingFs::Upcoming& upcoming) {
    if (upcoming.op == Op::kRenameExchange) first_rename = counting.mutating_count() + 1;
  });
  (void)t->update(watching);
  FaultFs stop(t->disk(), {.kind = FaultKind::kStop, .at = first_rename});
  (void)t->update(stop);
  t->disk().write_file("/home/u/.claude/hooks/b.py", "b");
  (void)t->recover(t->disk());
  return t->contents("hooks/b.py") == "b" ? "" : "a file that was never ours was taken away";
}

// Nothing can be exchanged: a recovery that cannot be carried out.
class ExchangeFails final : public testing::ForwardingFs {
 public:
  using ForwardingFs::ForwardingFs;
  Status rename(fs::Fd from_dir, const fs::RelPath& from, fs::Fd to_dir, const fs::RelPath& to,
                fs::RenameMode mode) override {
    if (mode == fs::RenameMode::kExchange) return errno_error(EIO, from.str());
    return ForwardingFs::rename(from_dir, from, to_dir, to, mode);
  }
};

std::string recovery_fails_for_ever() {
  const auto t = make_small();
  if (!t->update_until(t->disk(), StopAfter::kApply)) return "not applied";
  ExchangeFails failing(t->disk());
  for (int attempt = 0; attempt < 3; ++attempt) (void)t->recover_all(failing);
  const auto opened = t->open(t->disk());
  const auto left = needs_recovery(t->disk(), opened.store.fd());
  if (!left || *left) return "a transaction blocks for ever";
  const auto dir =
      open_transaction(t->disk(), opened.store.fd(), Shelf::kInconsistent, testing::kTxId);
  if (!dir) return "it is not among the inconsistent ones";
  const auto journal = read_journal(t->disk(), dir->fd());
  return journal && journal->state == TransactionState::kInconsistent ? "" : "it is not labelled";
}

std::string archived_for_good() {
  const auto t = make_small();
  if (!t->update(t->disk())) return "not updated";
  const auto after = t->disk().crashed({});
  const auto opened = t->open(*after);
  const auto left = needs_recovery(*after, opened.store.fd());
  return left && !*left ? "" : "finished, and open again after a power cut";
}

// The displaced nodes are gone: recovery builds them again.
std::string displaced_nodes_are_gone() {
  const auto t = make_mixed();
  const auto applied = t->fresh_disk();
  if (!t->update_until(*applied, StopAfter::kApply)) return "not applied";
  for (const auto& [path, node] : applied->snapshot("/home/u")) {
    const auto name = path.substr(path.rfind('/') + 1);
    if (name.starts_with(".rbk-")) applied->remove(path);
  }
  applied->sync_everything();
  auto the_case = sweep_case(*t);
  the_case.make_initial = [&] { return applied->crashed({}); };
  the_case.operation = the_case.recover;
  the_case.violations = [&](MemFs& after, bool) {
    auto broken = t->broken_rules(after, false);
    const auto from_old = testing::difference(t->old_tree(), t->tree(after));
    if (!from_old.empty()) broken.push_back("not the old tree:\n" + from_old);
    return broken;
  };
  return verdict(run_crash_sweep(the_case, {.subset_limit = 8,
                                            .recovery_subset_limit = 2,
                                            .crash_in_recovery = RecoveryCrashes::kNone,
                                            .stops_at_first = true}));
}

std::string readers_see_no_dangling_settings() {
  const auto t = make_mixed();
  const auto disk = t->fresh_disk();
  std::string seen;
  MeddlingFs watching(*disk, [&](const MeddlingFs::Upcoming&) {
    const bool is_new =
        disk->contents(std::string(testing::kDotfiles) + "/claude.json")->find("lib/b") !=
        std::string::npos;
    const char* hook = is_new ? "hooks/lib/b.py" : "hooks/gone.py";
    if (t->contents(*disk, hook) == "<absent>") seen = "settings name an absent hook";
  });
  (void)t->update(watching);
  return seen;
}

// What each proof catches.
struct Group {
  Proof proof;
  std::vector<const char*> mutants;
};

std::vector<Group> table() {
  const auto update = StopAfter::kFinish;
  const auto back = StopAfter::kRollBack;
  return {
      {crash(update),
       {"begin_without_sync", "begin_without_directory_sync", "begin_without_parent_sync",
        "applying_without_record", "applying_without_sync", "commit_without_record",
        "commit_without_sync", "end_without_record", "recovery_abort_without_record",
        "recovery_end_without_record", "before_images_without_sync", "stage_without_file_sync",
        "stage_without_directory_sync", "apply_without_sync", "targets_without_directory_sync",
        "leftovers_without_sync"}},
      {crash(back), {"abort_without_record", "roll_back_without_sync"}},
      {crash(update, kLooseDirectorySync), {"targets_without_file_system_sync"}},
      {crash_twice(update), {"atomic_file_no_sync"}},
      {killed_during_update, {"atomic_file_no_dir_sync"}},
      {failed_sync_of_applying, {"journal_goes_on_after_failed_sync"}},
      {failed_sync_of_commit, {"commit_failure_without_replace"}},
      {failed_replace_of_commit, {"journal_reopened_in_place"}},
      {failed_replace_of_commit_and_full_disk, {"full_disk_without_name_sync"}},
      {recovery_fails_for_ever, {"attempt_without_record", "inconsistent_without_record"}},
      {archived_for_good, {"archive_without_sync"}},
      {displaced_nodes_are_gone, {"rebuild_without_sync"}},
      {meddling(Saving::kInPlace),
       {"stage_without_name_sync", "preserve_without_sync", "leftovers_without_preserving"}},
      {meddling(Saving::kInPlace, kPlainRenameOnly), {"swap_without_link_sync"}},
      {meddling(Saving::kByRename, kPlainRenameOnly), {"swap_without_last_look"}},
      {readers_see_no_dangling_settings, {"apply_in_reverse"}},
      {target_changed_before_prepare, {"before_images_without_check"}},
      {wrong_content, {"stage_without_hash_check"}},
      {target_changed_before_verify, {"verify_without_target_check"}},
      {saved_before_apply, {"verify_without_displaced_check"}},
      {restored_file_goes_bad, {"roll_back_without_check"}},
      {added_file_was_edited, {"take_back_removes_edited"}},
      {equal_file_is_theirs, {"take_back_removes_equal"}},
  };
}

class Mutant {
 public:
  explicit Mutant(const char* name) { set_mutant(name); }
  Mutant(const Mutant&) = delete;
  Mutant& operator=(const Mutant&) = delete;
  ~Mutant() { set_mutant(""); }
};

TEST(Mutants, EachIsCaught) {
  for (const Group& group : table()) {
    EXPECT_EQ(group.proof(), "") << "it cries without " << group.mutants.front() << " too";
    for (const char* name : group.mutants) {
      const Mutant mutant(name);
      EXPECT_NE(group.proof(), "") << name << " survives";
    }
  }
}

TEST(Mutants, EachInTheSourceIsInTheTable) {
  std::set<std::string> known;
  for (const Group& group : table()) known.insert(group.mutants.begin(), group.mutants.end());
  std::set<std::string> found;
  const std::regex call(R"(MUTANT\(([a-z_]+)\))");
  const std::filesystem::path source = std::filesystem::path(STRAVINSKY_SOURCE_DIR) / "src";
  std::vector<std::filesystem::path> files = {source / "fs" / "atomic_file.cc"};
  for (const auto& entry : std::filesystem::directory_iterator(source / "txn"))
    files.push_back(entry.path());
  for (const auto& file : files) {
    if (file.filename().string().ends_with("_test.cc")) continue;
    std::ifstream stream(file);
    const std::string text{std::istreambuf_iterator<char>(stream), {}};
    for (std::sregex_iterator it(text.begin(), text.end(), call), end; it != end; ++it)
      found.insert((*it)[1]);
  }
  EXPECT_EQ(found, known);
}

}  // namespace
}  // namespace stravinsky::txn

#endif  // STRAVINSKY_FAULT_POINTS
