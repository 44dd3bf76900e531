#include "txn/recovery.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "model/store_layout.h"
#include "testing/forwarding_fs.h"
#include "testing/outcome.h"
#include "testing/trace_fs.h"
#include "testing/txn_sweep.h"
#include "txn/archive.h"
#include "txn/journal.h"

namespace stravinsky::txn {
namespace {

using testing::kTreeRoot;
using testing::kTxId;
using testing::MemFs;
using testing::Op;
using testing::outcome;
using testing::StopAfter;
using testing::TraceFs;
using testing::TxnFixture;

const std::string kRoot = std::string(kTreeRoot) + "/";
const std::string kStore = std::string(testing::kStoreRoot) + "/";
const std::string kTx = kStore + "recovery/tx/00000000000000a1/";
const std::string kInconsistentDir = kStore + "recovery/tx/inconsistent/00000000000000a1/";

TxnFixture& a_hook_and_more(TxnFixture& t) {
  t.file("hooks/a.py", "old a", 0755).file("hooks/gone.py", "gone").settle();
  return t.replace("hooks/a.py", "new a").add("hooks/b.py", "b").remove("hooks/gone.py");
}

// Recovery after a process that came so far; the one answer.
struct Found {
  std::vector<Recovered> answers;
  explicit Found(Result<std::vector<Recovered>> result) {
    EXPECT_EQ(outcome(result), "ok");
    if (result) answers = std::move(*result);
    EXPECT_EQ(answers.size(), 1U);
    if (answers.empty()) answers.emplace_back();
  }
  std::string_view action() const { return recovery_action_name(answers[0].action); }
  std::string error() const {
    return answers[0].error ? std::string(code_name(answers[0].error->code)) : "none";
  }
  const Recovered* operator->() const { return &answers[0]; }
};

std::string broken(TxnFixture& t, bool acknowledged) {
  std::string text;
  for (const std::string& rule : t.broken_rules(t.disk(), acknowledged)) text += rule + "\n";
  return text;
}
bool is_old(TxnFixture& t) {
  return difference(t.old_tree(), t.tree(t.disk())).empty();
}

// --- the table

TEST(Recovery, NothingOpenIsNothingToDo) {
  TxnFixture t;
  t.settle();
  EXPECT_TRUE(t.recover_all(t.disk())->empty());
}

TEST(Recovery, WithoutBeginTheDirectoryGoes) {
  for (const char* journal : {"", "SRBREC01 torn"}) {
    TxnFixture t;
    a_hook_and_more(t);
    t.disk().make_dirs(kTx.substr(0, kTx.size() - 1), 0700);
    t.disk().write_file(kTx + "before", "half");
    if (*journal != '\0') t.disk().write_file(kTx + "journal", journal);
    EXPECT_EQ(Found(t.recover_all(t.disk())).action(), "discarded");
    EXPECT_TRUE(t.disk().snapshot(kTx.substr(0, kTx.size() - 1)).empty());
    EXPECT_TRUE(is_old(t));
  }
}

TEST(Recovery, AfterBeginTheStagesGo) {
  TxnFixture t;
  a_hook_and_more(t);
  ASSERT_TRUE(t.update_until(t.disk(), StopAfter::kPrepare));
  const Found found(t.recover_all(t.disk()));
  EXPECT_EQ(found.action(), "discarded");
  EXPECT_EQ(found.error(), "none");
  EXPECT_TRUE(is_old(t));
  EXPECT_EQ(broken(t, false), "");
}

TEST(Recovery, AfterApplyingItRollsBack) {
  TxnFixture t;
  a_hook_and_more(t);
  ASSERT_TRUE(t.update_until(t.disk(), StopAfter::kVerify));
  const Found found(t.recover_all(t.disk()));
  EXPECT_EQ(found.action(), "rolled_back");
  EXPECT_EQ(found->facts.to_version, "0.3.10");
  EXPECT_EQ(found->changed.size(), 3U);
  EXPECT_TRUE(found->kept.empty());
  EXPECT_TRUE(is_old(t));
  EXPECT_EQ(broken(t, false), "");
}

TEST(Recovery, AfterCommitItTouchesNoTarget) {
  TxnFixture t;
  a_hook_and_more(t);
  ASSERT_TRUE(t.update_until(t.disk(), StopAfter::kCommit));
  t.file("hooks/a.py", "edited since");
  TraceFs trace(t.disk());
  EXPECT_EQ(Found(t.recover_all(trace)).action(), "completed");
  EXPECT_EQ(t.contents("hooks/a.py"), "edited since");
  EXPECT_EQ(trace.count(Op::kRenameExchange), 0U);
  t.file("hooks/a.py", "new a", 0755);
  EXPECT_EQ(broken(t, true), "");
}

TEST(Recovery, AfterAbortedItCleansUp) {
  TxnFixture t;
  a_hook_and_more(t);
  auto opened = t.open(t.disk());
  {
    auto transaction = t.prepare(opened);
    ASSERT_TRUE(transaction->apply());
    ASSERT_TRUE(transaction->roll_back());
  }
  t.file("hooks/a.py", "edited since");
  EXPECT_EQ(Found(t.recover_all(t.disk())).action(), "rolled_back");
  EXPECT_EQ(t.contents("hooks/a.py"), "edited since");
  t.file("hooks/a.py", "old a", 0755);
  EXPECT_EQ(broken(t, false), "");
}

TEST(Recovery, AfterEndItArchivesEvenWithoutTheRoot) {
  TxnFixture t;
  a_hook_and_more(t);
  ASSERT_TRUE(t.update(t.disk()));
  auto opened = t.open(t.disk());
  ASSERT_TRUE(t.disk().rename(opened.store.fd(), model::layout::done_transaction(kTxId),
                              opened.store.fd(), model::layout::transaction(kTxId),
                              fs::RenameMode::kReplace));
  t.disk().remove(kTreeRoot);
  EXPECT_EQ(Found(t.recover_all(t.disk())).action(), "completed");
  EXPECT_FALSE(*needs_recovery(t.disk(), opened.store.fd()));
}

TEST(Recovery, AnAlteredJournalIsKeptForAHuman) {
  TxnFixture t;
  a_hook_and_more(t);
  ASSERT_TRUE(t.update_until(t.disk(), StopAfter::kCommit));
  std::string journal = *t.disk().contents(kTx + "journal");
  journal[100] = static_cast<char>(journal[100] ^ 1);
  t.disk().write_file(kTx + "journal", journal);
  const auto before = t.disk().snapshot();
  const Found found(t.recover_all(t.disk()));
  EXPECT_EQ(found.action(), "damaged");
  EXPECT_EQ(found.error(), "corrupt");
  EXPECT_EQ(difference(before, t.disk().snapshot()), "");
}

TEST(Recovery, AJournalOfAnotherTransactionIsNotFollowed) {
  TxnFixture t;
  a_hook_and_more(t);
  ASSERT_TRUE(t.update_until(t.disk(), StopAfter::kApply));
  const std::string other = kStore + "recovery/tx/00000000000000ff";
  const std::string journal = *t.disk().contents(kTx + "journal");
  t.disk().remove(kTx.substr(0, kTx.size() - 1));
  t.disk().write_file(other + "/journal", journal);
  EXPECT_EQ(Found(t.recover_all(t.disk())).action(), "damaged");
}

TEST(Recovery, ANewerJournalIsKept) {
  TxnFixture t;
  a_hook_and_more(t);
  ASSERT_TRUE(t.update_until(t.disk(), StopAfter::kApply));
  std::string body = encode_plan(t.plan());
  body[0] = 2;
  t.disk().remove(kTx + "journal");
  const auto dir = fs::File::open_root(t.disk(), kTx);
  auto writer = JournalWriter::create(t.disk(), dir->fd());
  ASSERT_TRUE(writer->append(Tag::kBegin, body, Durable::kYes));
  const Found found(t.recover_all(t.disk()));
  EXPECT_EQ(found.action(), "postponed");
  EXPECT_EQ(found.error(), "unsupported");
}

TEST(Recovery, AMissingRootIsRefusedAndTheJournalKept) {
  TxnFixture t;
  a_hook_and_more(t);
  ASSERT_TRUE(t.update_until(t.disk(), StopAfter::kApply));
  auto home = fs::File::open_root(t.disk(), "/home/u");
  const auto move = [&](const char* from, const char* to) {
    ASSERT_TRUE(t.disk().rename(home->fd(), fs::RelPath::of(from), home->fd(), fs::RelPath::of(to),
                                fs::RenameMode::kReplace));
  };
  move(".claude", "unmounted");
  for (int times = 0; times < 5; ++times) {  // never an attempt
    const Found found(t.recover_all(t.disk()));
    EXPECT_EQ(found.action(), "postponed");
    EXPECT_EQ(found.error(), "recovery_required");
    EXPECT_FALSE(found->error->remedy.empty());
  }
  move("unmounted", ".claude");
  EXPECT_EQ(Found(t.recover_all(t.disk())).action(), "rolled_back");
  EXPECT_TRUE(is_old(t));
}

TEST(Recovery, AReplacedRootIsRefusedUntilItIsAccepted) {
  TxnFixture t;
  a_hook_and_more(t);
  ASSERT_TRUE(t.update_until(t.disk(), StopAfter::kApply));
  t.disk().remove(kTreeRoot);
  t.file("hooks/a.py", "new a", 0755);  // a copy from elsewhere
  EXPECT_EQ(Found(t.recover_all(t.disk())).error(), "recovery_required");
  EXPECT_EQ(t.contents("hooks/a.py"), "new a");
  const Found found(t.recover_all(t.disk(), {.replaced_root = ReplacedRoot::kAccept}));
  EXPECT_EQ(found.action(), "rolled_back");
  EXPECT_TRUE(is_old(t));  // built again from the saved bytes
}

// --- users

TEST(Recovery, AnEditMetDuringRecoveryIsKeptAndToldOf) {
  TxnFixture t;
  a_hook_and_more(t);
  ASSERT_TRUE(t.update_until(t.disk(), StopAfter::kApply));
  t.file("hooks/a.py", "their a");
  t.file("hooks/b.py", "their b");
  const Found found(t.recover_all(t.disk()));
  EXPECT_EQ(found.action(), "rolled_back");
  EXPECT_EQ(t.contents("hooks/a.py"), "old a");
  EXPECT_EQ(t.contents("hooks/b.py"), "their b") << "ours that they edited stays theirs";
  ASSERT_EQ(found->kept.size(), 2U);
  std::string kept_at;
  for (const Kept& kept : found->kept) {
    if (kept.display == "~/.claude/hooks/a.py") kept_at = kept.kept_at;
  }
  EXPECT_EQ(t.disk().contents(kStore + kept_at), "their a");
  const auto after = t.disk().crashed({});
  EXPECT_EQ(after->contents(kStore + kept_at), "their a");
}

TEST(Recovery, ADirectoryThatIsGoneIsLeftAlone) {
  TxnFixture t;
  a_hook_and_more(t);
  ASSERT_TRUE(t.update_until(t.disk(), StopAfter::kApply));
  t.disk().remove(kRoot + "hooks");
  const Found found(t.recover_all(t.disk()));
  EXPECT_EQ(found.action(), "rolled_back");
  EXPECT_EQ(found->kept.size(), 3U);
  EXPECT_TRUE(t.disk().snapshot(kRoot + "hooks").empty());
}

// --- attempts

// Nothing can be exchanged: a roll back cannot be carried out.
class NoExchange final : public testing::ForwardingFs {
 public:
  using ForwardingFs::ForwardingFs;
  Status rename(fs::Fd from_dir, const fs::RelPath& from, fs::Fd to_dir, const fs::RelPath& to,
                fs::RenameMode mode) override {
    if (mode == fs::RenameMode::kExchange) return errno_error(EIO, from.str());
    return ForwardingFs::rename(from_dir, from, to_dir, to, mode);
  }
};

TEST(Recovery, AttemptsAreCountedAndThenItIsSetAside) {
  TxnFixture t;
  a_hook_and_more(t);
  ASSERT_TRUE(t.update_until(t.disk(), StopAfter::kApply));
  NoExchange failing(t.disk());
  EXPECT_EQ(Found(t.recover_all(failing)).action(), "postponed");
  EXPECT_EQ(Found(t.recover_all(failing)).action(), "postponed");
  const Found found(t.recover_all(failing));
  EXPECT_EQ(found.action(), "set_aside");
  EXPECT_EQ(found.error(), "recovery_required");
  EXPECT_TRUE(t.recover_all(failing)->empty()) << "other commands work again";
  const std::string text = t.disk().contents(kInconsistentDir + "README.txt").value_or("");
  EXPECT_NE(text.find("hooks/a.py"), std::string::npos);
  EXPECT_NE(text.find("INCONSISTENT"), std::string::npos);
  EXPECT_NE(text.find(".rbk-00000000000000a1-0"), std::string::npos);
  EXPECT_NE(text.find("v0.3.9.pre_update.12"), std::string::npos);
}

TEST(Recovery, WhatWasSetAsideCanBeTriedAgain) {
  TxnFixture t;
  a_hook_and_more(t);
  ASSERT_TRUE(t.update_until(t.disk(), StopAfter::kApply));
  NoExchange failing(t.disk());
  (void)t.recover_all(failing, {.attempts_max = 1});
  auto opened = t.open(t.disk());
  ASSERT_EQ(outcome(requeue(opened.context, kTxId)), "ok");
  EXPECT_EQ(Found(t.recover_all(t.disk())).action(), "rolled_back");
  EXPECT_TRUE(is_old(t));
  EXPECT_EQ(broken(t, false), "");
}

// Names beginning so cannot be removed.
class NoUnlink final : public testing::ForwardingFs {
 public:
  using ForwardingFs::ForwardingFs;
  Status unlink(fs::Fd dir, const fs::RelPath& path) override {
    if (path.name().starts_with(".rbk-")) return errno_error(EACCES, path.str());
    return ForwardingFs::unlink(dir, path);
  }
};

TEST(Recovery, ALeftoverThatCannotBeRemovedNeitherBlocksForEverNorUndoesTheCommit) {
  TxnFixture t;
  a_hook_and_more(t);
  ASSERT_TRUE(t.update_until(t.disk(), StopAfter::kCommit));
  NoUnlink failing(t.disk());
  (void)t.recover_all(failing);
  (void)t.recover_all(failing);
  EXPECT_EQ(Found(t.recover_all(failing)).action(), "set_aside");
  const std::string text = t.disk().contents(kInconsistentDir + "README.txt").value_or("");
  EXPECT_NE(text.find("The files themselves are complete"), std::string::npos);
  auto opened = t.open(t.disk());
  ASSERT_EQ(outcome(requeue(opened.context, kTxId)), "ok");
  EXPECT_EQ(Found(t.recover_all(t.disk())).action(), "completed");
  EXPECT_EQ(broken(t, true), "");
}

TEST(Recovery, ADamagedJournalIsNotTriedAgain) {
  TxnFixture t;
  a_hook_and_more(t);
  ASSERT_TRUE(t.update_until(t.disk(), StopAfter::kCommit));
  std::string journal = *t.disk().contents(kTx + "journal");
  const auto opened = t.open(t.disk());
  ASSERT_TRUE(set_transaction_aside(opened.context, kTxId));
  t.disk().write_file(kInconsistentDir + "journal", journal + journal);
  EXPECT_EQ(outcome(requeue(opened.context, kTxId)), "corrupt");
}

TEST(Recovery, RequeueIsAllOrNothing) {
  TxnFixture t;
  a_hook_and_more(t);
  ASSERT_TRUE(t.update_until(t.disk(), StopAfter::kApply));
  NoExchange failing(t.disk());
  (void)t.recover_all(failing, {.attempts_max = 1});
  t.disk().sync_everything();
  const auto aside = t.disk().crashed({});
  const testing::SweepCase the_case = {
      .make_initial = [&] { return aside->crashed({}); },
      .operation = [&](fs::FileSystem& fs) -> Status {
        const auto opened = t.open(fs);
        return requeue(opened.context, kTxId);
      },
      .recover = [&](fs::FileSystem& fs) -> Status {
        const auto opened = t.open(fs);
        const Status again = requeue(opened.context, kTxId);
        if (!again && !is_not_found(again.error())) return again;
        return t.recover(fs);
      },
      .violations = [&](MemFs& after, bool) { return t.broken_rules(after, false); }};
  const auto report = run_crash_sweep(the_case);
  EXPECT_TRUE(report.is_clean()) << report.to_string();
}

// --- telling

TEST(Recovery, TheOutcomeIsToldBeforeTheJournalIsArchivedAndAgainIfItFails) {
  TxnFixture t;
  a_hook_and_more(t);
  ASSERT_TRUE(t.update_until(t.disk(), StopAfter::kCommit));
  int told = 0;
  RecoveryOptions options;
  options.on_outcome = [&](const Recovered& recovered) -> Status {
    EXPECT_EQ(recovered.action, RecoveryAction::kCompleted);
    EXPECT_TRUE(t.disk().contents(kTx + "journal"));
    ++told;
    if (told < 5) return make_error(ErrorCode::kIo, "the trail cannot be written");
    return {};
  };
  for (int times = 0; times < 4; ++times)
    EXPECT_EQ(Found(t.recover_all(t.disk(), options)).action(), "postponed");
  EXPECT_EQ(Found(t.recover_all(t.disk(), options)).action(), "completed");
  EXPECT_EQ(told, 5);
}

TEST(Recovery, WhatCouldNotBeToldIsNotCalledSetAside) {
  TxnFixture t;
  a_hook_and_more(t);
  ASSERT_TRUE(t.update_until(t.disk(), StopAfter::kApply));
  NoExchange failing(t.disk());
  RecoveryOptions options{.attempts_max = 1};
  options.on_outcome = [](const Recovered&) -> Status {
    return make_error(ErrorCode::kIo, "the trail cannot be written");
  };
  EXPECT_EQ(Found(t.recover_all(failing, options)).action(), "postponed");
  EXPECT_EQ(Found(t.recover_all(failing)).action(), "set_aside");
}

// --- full disks

TEST(Recovery, OnAFullDiskTheTreeComesBackAndTheRestLater) {
  TxnFixture t;
  a_hook_and_more(t);
  ASSERT_TRUE(t.update_until(t.disk(), StopAfter::kApply));
  t.disk().set_free(0, 0);
  const Found found(t.recover_all(t.disk()));
  EXPECT_EQ(found.action(), "postponed");
  EXPECT_EQ(found.error(), "no_space");
  EXPECT_EQ(t.contents("hooks/a.py"), "old a");
  EXPECT_EQ(t.contents("hooks/b.py"), "<absent>");
  EXPECT_EQ(t.contents("hooks/gone.py"), "gone");
  t.disk().set_free(1U << 20U, 100);
  EXPECT_EQ(Found(t.recover_all(t.disk())).action(), "rolled_back");
  EXPECT_EQ(broken(t, false), "");
}

TEST(Recovery, OnAFullDiskACommitStaysOne) {
  TxnFixture t;
  a_hook_and_more(t);
  ASSERT_TRUE(t.update_until(t.disk(), StopAfter::kCommit));
  t.disk().set_free(0, 0);
  EXPECT_EQ(Found(t.recover_all(t.disk())).error(), "no_space");
  t.disk().set_free(1U << 20U, 100);
  EXPECT_EQ(Found(t.recover_all(t.disk())).action(), "completed");
  EXPECT_EQ(broken(t, true), "");
}

// --- errors

TEST(Recovery, NoErrorDuringItIsSwallowed) {
  for (const StopAfter last : {StopAfter::kPrepare, StopAfter::kApply, StopAfter::kCommit}) {
    const auto t = testing::make_mixed();
    const auto left = t->fresh_disk();
    ASSERT_TRUE(t->update_until(*left, last));
    left->sync_everything();
    auto the_case = sweep_case(*t);
    the_case.make_initial = [&] { return left->crashed({}); };
    the_case.operation = the_case.recover;
    the_case.violations = [&](MemFs& after, bool) {
      return t->broken_rules(after, last == StopAfter::kCommit);
    };
    const auto report = run_errno_sweep(the_case, {.runs_max = 600});
    EXPECT_TRUE(report.is_clean()) << report.to_string();
  }
}

TEST(Recovery, NeedsRecoveryWritesNothing) {
  TxnFixture t;
  a_hook_and_more(t);
  TraceFs trace(t.disk());
  const auto opened = t.open(trace);
  EXPECT_FALSE(*needs_recovery(trace, opened.store.fd()));
  ASSERT_TRUE(t.update_until(t.disk(), StopAfter::kPrepare));
  EXPECT_TRUE(*needs_recovery(trace, opened.store.fd()));
  EXPECT_TRUE(trace.mutating_lines().empty());
}

}  // namespace
}  // namespace stravinsky::txn
