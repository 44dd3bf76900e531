#include "txn/transaction.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "base/strings.h"
#include "testing/fault_fs.h"
#include "testing/forwarding_fs.h"
#include "testing/outcome.h"
#include "testing/trace_fs.h"
#include "testing/txn_sweep.h"
#include "txn/archive.h"

namespace stravinsky::txn {
namespace {

using testing::FaultFs;
using testing::FaultKind;
using testing::kTreeRoot;
using testing::MemFs;
using testing::Op;
using testing::outcome;
using testing::TraceFs;
using testing::TxnFixture;

const std::string kTreePrefix = std::string(kTreeRoot) + "/";

TxnFixture& two_hooks(TxnFixture& t) {
  t.file("hooks/a.py", "old a", 0755).file("hooks/b.py", "old b").settle();
  return t.replace("hooks/a.py", "new a").replace("hooks/b.py", "new b");
}

std::string verdict(TxnFixture& t, bool acknowledged) {
  std::string text;
  for (const std::string& rule : t.broken_rules(t.disk(), acknowledged)) text += rule + "\n";
  return text;
}

// A transaction taken step by step.
struct Stepped {
  TxnFixture::Opened opened;
  Result<Transaction> transaction;
  explicit Stepped(TxnFixture& t) : Stepped(t, t.disk()) {}
  Stepped(TxnFixture& t, fs::FileSystem& fs) : opened(t.open(fs)), transaction(t.prepare(opened)) {
    EXPECT_EQ(outcome(transaction), "ok");
  }
  Transaction* operator->() { return &*transaction; }
};

// --- the good path

TEST(Transaction, PutsThePlanInPlace) {
  const auto t = testing::make_mixed();
  ASSERT_EQ(outcome(t->update(t->disk())), "ok");
  EXPECT_EQ(difference(t->new_tree(), t->tree(t->disk())), "");
  EXPECT_EQ(verdict(*t, true), "");
  EXPECT_EQ(t->disk().open_descriptors(), 0U);
}

TEST(Transaction, ModesOfReadOnlyAndExecutableFilesAreKept) {
  TxnFixture t;
  t.file("hooks/r.py", "old", 0444).file("hooks/x.py", "old", 0755).settle();
  t.replace("hooks/r.py", "new").replace("hooks/x.py", "new", 0700);
  ASSERT_EQ(outcome(t.update(t.disk())), "ok");
  const auto tree = t.tree(t.disk());
  EXPECT_EQ(tree.at(kTreePrefix + "hooks/r.py").mode, 0444U);
  EXPECT_EQ(tree.at(kTreePrefix + "hooks/x.py").mode, 0700U);
}

TEST(Transaction, ASymlinkedFileIsWrittenThroughAndStaysALink) {
  TxnFixture t;
  t.anchor("/home/u/dotfiles").file("s.json", "{}").anchor(kTreeRoot);
  t.link("settings.json", "../dotfiles/s.json").settle();
  t.through_link(kTreeRoot, "settings.json").anchor("/home/u/dotfiles").settings("s.json", "{1}");
  ASSERT_EQ(outcome(t.update(t.disk())), "ok");
  EXPECT_EQ(t.contents("s.json"), "{1}");
  EXPECT_EQ(t.tree(t.disk()).at(kTreePrefix + "settings.json").link_text, "../dotfiles/s.json");
}

TEST(Transaction, AStagedFileIsNewerThanWhatAPackageWouldCopy) {
  TxnFixture t;
  two_hooks(t);
  t.clock().set_now_ns(9'000'000'000'000'000'000);
  ASSERT_TRUE(t.update(t.disk()));
  const auto root = fs::File::open_root(t.disk(), kTreeRoot);
  EXPECT_EQ(t.disk().stat(root->fd(), fs::RelPath::of("hooks/a.py"))->mtime_ns,
            9'000'000'000'000'000'000);
}

TEST(Transaction, FilesOfOthersKeepBytesAndInode) {
  TxnFixture t;
  t.file("hooks/theirs.py", "theirs");
  two_hooks(t);
  const auto before = t.old_tree().at(kTreePrefix + "hooks/theirs.py").inode;
  ASSERT_TRUE(t.update(t.disk()));
  EXPECT_EQ(t.tree(t.disk()).at(kTreePrefix + "hooks/theirs.py").inode, before);
}

TEST(Transaction, WarnsOfAnOwnerThatChanges) {
  TxnFixture t({.uid = 0, .gid = 0});
  t.file("a", "old").settle();
  t.disk().set_owner(kTreePrefix + "a", 1000, 1000);
  t.replace("a", "new");
  Stepped step(t);
  ASSERT_EQ(step->warnings().size(), 1U);
  EXPECT_EQ(step->warnings()[0], "~/.claude/a changes its owner");
}

TEST(Transaction, PhasesAreInTheJournal) {
  TxnFixture t;
  two_hooks(t);
  ASSERT_TRUE(t.update(t.disk()));
  const auto opened = t.open(t.disk());
  const auto dir = open_transaction(t.disk(), opened.store.fd(), Shelf::kDone, testing::kTxId);
  const auto journal = read_journal(t.disk(), dir->fd());
  EXPECT_EQ(journal->state, TransactionState::kEnded);
  EXPECT_TRUE(journal->committed);
  EXPECT_EQ(journal->phases, (std::vector<std::string>{"applying", "verifying"}));
}

// --- the order of operations

TEST(Transaction, ContentThenSettingsThenDeletions) {
  const auto t = testing::make_mixed();
  TraceFs trace(t->disk());
  ASSERT_TRUE(t->update(trace));
  const size_t hook = trace.find("rename exchange hooks/a.py");
  const size_t new_dir = trace.find("rename noreplace hooks/.rbk-");
  const size_t settings = trace.find("rename exchange settings.local.json");
  const size_t linked = trace.find("rename exchange claude.json");
  const size_t deletion = trace.find("rename noreplace hooks/gone.py");
  ASSERT_NE(deletion, TraceFs::npos);
  EXPECT_LT(hook, settings);
  EXPECT_LT(new_dir, settings);
  EXPECT_LT(hook, linked);
  EXPECT_LT(settings, deletion);
  EXPECT_LT(linked, deletion);
}

TEST(Transaction, BetweenApplyingAndTheSyncsThereIsNothingButRenames) {
  const auto t = testing::make_mixed();
  TraceFs trace(t->disk());
  Stepped step(*t, trace);
  trace.clear();
  ASSERT_TRUE(step->apply());
  const auto entries = trace.entries();
  ASSERT_GT(entries.size(), 2U);
  EXPECT_EQ(entries[0].op, Op::kWrite);  // APPLYING
  EXPECT_EQ(entries[1].op, Op::kSync);
  size_t i = 2;
  while (i < entries.size() &&
         (entries[i].op == Op::kRenameExchange || entries[i].op == Op::kRenameNoReplace))
    ++i;
  EXPECT_EQ(i - 2, t->plan().changes.size());
  for (; i < entries.size(); ++i) {
    EXPECT_TRUE(entries[i].op == Op::kSync || entries[i].op == Op::kSpace) << entries[i].text;
  }
}

TEST(Transaction, BeginIsDurableBeforeAnythingIsStaged) {
  TxnFixture t;
  two_hooks(t);
  TraceFs trace(t.disk());
  ASSERT_TRUE(t.update(trace));
  const size_t journal = trace.find("sync data recovery/tx/00000000000000a1/journal");
  const size_t directory = trace.find("sync full recovery/tx", journal);
  const size_t stage = trace.find("create hooks/.rbk-");
  ASSERT_NE(journal, TraceFs::npos);
  ASSERT_NE(stage, TraceFs::npos);
  EXPECT_LT(journal, directory);
  EXPECT_LT(directory, stage);
}

// --- refusals before anything is touched

TEST(Transaction, AJournalThatCannotBeWrittenChangesNoLiveFile) {
  for (const int sys_errno : {ENOSPC, EACCES, EROFS}) {
    TxnFixture t;
    two_hooks(t);
    uint64_t create = 0;
    {
      const auto disk = t.fresh_disk();
      FaultFs counting(*disk, {});
      ASSERT_TRUE(t.update(counting));
      const auto calls = counting.calls();
      for (uint64_t seen = 0; seen < 2; ++create) seen += calls[create] == Op::kCreate ? 1U : 0U;
    }
    FaultFs fault(t.disk(), {.kind = FaultKind::kFailOnce, .at = create, .sys_errno = sys_errno});
    EXPECT_FALSE(t.update(fault));
    EXPECT_EQ(fault.fired(), Op::kCreate);
    EXPECT_EQ(difference(t.old_tree(), t.tree(t.disk())), "");
    EXPECT_EQ(verdict(t, false), "") << "and nothing is left for a recovery";
  }
}

TEST(Transaction, ATargetThatChangedSinceThePlanIsRefused) {
  TxnFixture t;
  two_hooks(t);
  t.file("hooks/a.py", "edited");
  const Status done = t.update(t.disk());
  ASSERT_EQ(outcome(done), "changed");
  EXPECT_NE(done.error().path.find("hooks/a.py"), std::string::npos);
  EXPECT_EQ(t.contents("hooks/a.py"), "edited");
  EXPECT_EQ(t.contents("hooks/b.py"), "old b");
}

TEST(Transaction, AnotherTransactionOfTheSameNameIsNotTouched) {
  TxnFixture t;
  two_hooks(t);
  ASSERT_TRUE(t.update_until(t.disk(), testing::StopAfter::kApply));
  auto opened = t.open(t.disk());
  model::ChangePlan plan = t.plan();
  std::swap(plan.changes[0].before, plan.changes[0].after);
  std::swap(plan.changes[1].before, plan.changes[1].after);
  const auto second = Transaction::prepare(opened.context, plan, t.content());
  EXPECT_EQ(outcome(second), "already_exists");
  ASSERT_TRUE(t.recover(t.disk()));
  EXPECT_EQ(difference(t.old_tree(), t.tree(t.disk())), "") << "its journal is still there";
}

TEST(Transaction, AnInterruptBeforeTheFirstChangeIsHeard) {
  for (int asked_at = 0; asked_at < 3; ++asked_at) {
    TxnFixture t;
    two_hooks(t);
    auto opened = t.open(t.disk());
    int asked = 0;
    opened.context.interrupted = [&] { return asked++ == asked_at; };
    auto transaction = t.prepare(opened);
    if (asked_at < 2) {  // once a staged file
      EXPECT_EQ(outcome(transaction), "interrupted");
    } else {
      ASSERT_TRUE(transaction);
      EXPECT_EQ(outcome(transaction->apply()), "interrupted");
      EXPECT_TRUE(transaction->roll_back());
      EXPECT_TRUE(transaction->finish());
    }
    EXPECT_EQ(verdict(t, false), "");
    EXPECT_EQ(difference(t.old_tree(), t.tree(t.disk())), "");
  }
}

// Scenario 5.
TEST(Transaction, ARollBackBeforeAnythingWasAppliedRenamesNothing) {
  TxnFixture t;
  two_hooks(t);
  TraceFs trace(t.disk());
  Stepped step(t, trace);
  trace.clear();
  ASSERT_TRUE(step->roll_back());
  for (const Op op : {Op::kRename, Op::kRenameExchange, Op::kRenameNoReplace, Op::kUnlink})
    EXPECT_EQ(trace.count(op), 0U);
  ASSERT_TRUE(step->finish());
  EXPECT_EQ(verdict(t, false), "");
}

// --- users who save meanwhile

TEST(Transaction, WhoSavesByRenameDuringTheUpdateGetsTheirFileBack) {
  TxnFixture t;
  two_hooks(t);
  Stepped step(t);
  t.disk().remove(kTreePrefix + "hooks/a.py");
  t.disk().write_file(kTreePrefix + "hooks/a.py", "theirs");
  ASSERT_TRUE(step->apply());
  EXPECT_EQ(outcome(step->verify()), "changed");
  const auto kept = step->roll_back();
  ASSERT_TRUE(kept);
  ASSERT_EQ(kept->size(), 1U);
  EXPECT_EQ(kept->front().display, "~/.claude/hooks/a.py");
  ASSERT_TRUE(step->finish());
  EXPECT_EQ(t.contents("hooks/a.py"), "theirs");
  EXPECT_EQ(t.contents("hooks/b.py"), "old b");
}

TEST(Transaction, ASaveOfTheSameBytesUnderAnotherInodeIsNoticedToo) {
  TxnFixture t;
  two_hooks(t);
  Stepped step(t);
  t.disk().remove(kTreePrefix + "hooks/a.py");
  t.disk().write_file(kTreePrefix + "hooks/a.py", "old a", 0755);
  ASSERT_TRUE(step->apply());
  EXPECT_EQ(outcome(step->verify()), "changed");
}

TEST(Transaction, WhoWritesIntoTheDisplacedFileLosesNothing) {
  TxnFixture t;
  two_hooks(t);
  Stepped step(t);
  const auto hooks = fs::File::open_root(t.disk(), kTreePrefix + "hooks");
  const auto editor =
      fs::File::open(t.disk(), hooks->fd(), fs::RelPath::of("a.py"), fs::OpenMode::kReadWrite);
  ASSERT_TRUE(step->apply());
  ASSERT_TRUE(step->verify());
  ASSERT_TRUE(step->commit());
  ASSERT_TRUE(t.disk().write(editor->fd(), 0, as_byte_span("LATE")));
  const auto kept = step->finish();
  ASSERT_TRUE(kept);
  ASSERT_EQ(kept->size(), 1U);
  EXPECT_EQ(t.contents("hooks/a.py"), "new a");
  EXPECT_EQ(t.disk().contents(std::string(testing::kStoreRoot) + "/" + kept->front().kept_at),
            "LATEa");
}

TEST(Transaction, ALinkThatIsTurnedDuringTheUpdateFailsIt) {
  TxnFixture t;
  t.file("real.json", "{}").link("settings.json", "real.json").settle();
  t.settings("real.json", "{1}").through_link(kTreeRoot, "settings.json");
  Stepped step(t);
  ASSERT_TRUE(step->apply());
  t.disk().remove(kTreePrefix + "settings.json");
  t.link("settings.json", "elsewhere");
  EXPECT_EQ(outcome(step->verify()), "changed");
}

// --- the commit

// The nth sync of file data fails; its bytes are not on the disk.
class FailingDataSync final : public testing::ForwardingFs {
 public:
  FailingDataSync(MemFs& disk, int nth) : ForwardingFs(disk), disk_(disk), left_(nth) {}
  Status sync(fs::Fd fd, fs::SyncKind kind) override {
    if (kind != fs::SyncKind::kData || --left_ != 0) return disk_.sync(fd, kind);
    disk_.forget_dirty(fd);
    return errno_error(EIO, "");
  }
  // So does every later rename, and with it a new journal.
  Status rename(fs::Fd from_dir, const fs::RelPath& from, fs::Fd to_dir, const fs::RelPath& to,
                fs::RenameMode mode) override {
    if (left_ <= 0 && fails_renames) return errno_error(EIO, "");
    return disk_.rename(from_dir, from, to_dir, to, mode);
  }
  bool fails_renames = false;

 private:
  MemFs& disk_;
  int left_;
};

TEST(Transaction, ACommitThatIsNotWrittenIsRolledBack) {
  TxnFixture t;
  two_hooks(t);
  FailingDataSync failing(t.disk(), 3);
  EXPECT_EQ(outcome(t.update(failing)), "io");
  EXPECT_EQ(difference(t.old_tree(), t.tree(t.disk())), "");
  EXPECT_EQ(verdict(t, false), "");
}

TEST(Transaction, ACommitInDoubtIsLeftAlone) {
  TxnFixture t;
  two_hooks(t);
  FailingDataSync failing(t.disk(), 3);
  Stepped step(t, failing);
  ASSERT_TRUE(step->apply());
  ASSERT_TRUE(step->verify());
  failing.fails_renames = true;
  EXPECT_EQ(outcome(step->commit()), "recovery_required");
  EXPECT_EQ(outcome(step->roll_back()), "recovery_required");
  EXPECT_FALSE(step->finish());
  EXPECT_EQ(t.contents("hooks/a.py"), "new a") << "nothing was touched";
  EXPECT_EQ(t.contents("hooks/b.py"), "new b");
  ASSERT_TRUE(t.recover(t.disk()));
  EXPECT_EQ(verdict(t, false), "");
}

TEST(Transaction, OnAFullDiskACommitThatDoesNotFitIsRolledBack) {
  TxnFixture t;
  two_hooks(t);
  Stepped step(t);
  ASSERT_TRUE(step->apply());
  ASSERT_TRUE(step->verify());
  t.disk().set_free(0, 0);
  EXPECT_EQ(outcome(step->commit()), "no_space") << "and not recovery_required";
  ASSERT_TRUE(step->roll_back());
  EXPECT_EQ(t.contents("hooks/a.py"), "old a");
  EXPECT_EQ(t.contents("hooks/b.py"), "old b");
  t.disk().set_free(1U << 20U, 100);
  ASSERT_TRUE(t.recover(t.disk()));
  EXPECT_EQ(verdict(t, false), "");
}

TEST(Transaction, FinishBeforeTheOutcomeIsRefused) {
  TxnFixture t;
  two_hooks(t);
  Stepped step(t);
  ASSERT_TRUE(step->apply());
  EXPECT_FALSE(step->finish());
  ASSERT_TRUE(t.recover(t.disk()));
  EXPECT_EQ(difference(t.old_tree(), t.tree(t.disk())), "");
}

// A process that was killed has made the store's directories; they may not be durable.
TEST(Transaction, DirectoriesThatADeadProcessMadeAreMadeDurable) {
  TxnFixture t;
  two_hooks(t);
  t.disk().make_dirs(std::string(testing::kStoreRoot) + "/recovery/tx", 0700);  // and died
  ASSERT_TRUE(t.update_until(t.disk(), testing::StopAfter::kApply));
  const auto after = t.disk().crashed({});
  ASSERT_TRUE(t.recover(*after));
  EXPECT_EQ(difference(t.old_tree(), t.tree(*after)), "");
}

}  // namespace
}  // namespace stravinsky::txn
