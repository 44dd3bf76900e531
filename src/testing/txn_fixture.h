// TxnFixture: a tree in memory, a plan for it and the steps of a transaction, so
// that a case is five lines:
//
//   TxnFixture t;
//   t.file("hooks/a.py", "old").settle();
//   t.replace("hooks/a.py", "new").add("hooks/b.py", "b").remove("hooks/c.py");
//   EXPECT_EQ(outcome(t.update(t.disk())), "ok");
//   EXPECT_EQ(t.contents("hooks/a.py"), "new");
//
// Paths are relative to the present anchor: kTreeRoot, or what anchor() chose.
// The before-image of a change is what stands there when it is planned, so the
// tree comes first, then settle(), then the plan. The fixture knows the tree
// before and the tree that the plan leads to; broken_rules() says how a disk
// differs from what a transaction may leave.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "model/change_plan.h"
#include "testing/fake_clock.h"
#include "testing/mem_fs.h"
#include "txn/content.h"
#include "txn/context.h"
#include "txn/recovery.h"
#include "txn/transaction.h"

namespace stravinsky::testing {

inline constexpr const char* kTreeRoot = "/home/u/.claude";
inline constexpr const char* kStoreRoot = "/home/u/.stravinsky/rollback";
inline constexpr const char* kTxId = "00000000000000a1";

// What is to stand in a new directory: "sub/" is a directory, "x" a file with these bytes.
using DirContents = std::vector<std::pair<std::string, std::string>>;

// How far a transaction goes before its process is gone without a trace.
enum class StopAfter {
  kPrepare,
  kApply,
  kVerify,
  kCommit,
  kFinish,
  kRollBack,  // instead of a commit: rolls back, and finishes
};

class TxnFixture {
 public:
  explicit TxnFixture(MemFsOptions options = {});

  // --- the tree
  TxnFixture& file(const std::string& path, std::string_view bytes, uint32_t mode = 0644);
  TxnFixture& dir(const std::string& path, uint32_t mode = 0755);
  TxnFixture& link(const std::string& path, const std::string& text);
  // The directory that what follows is relative to, in the tree and in the plan.
  TxnFixture& anchor(const std::string& absolute);
  // Makes the tree durable; from here on it is the old one.
  TxnFixture& settle();

  // --- the plan
  TxnFixture& replace(const std::string& path, const std::string& bytes);  // mode as before
  TxnFixture& replace(const std::string& path, const std::string& bytes, uint32_t mode);
  TxnFixture& replace_by_dir(const std::string& path, const DirContents& contents);
  TxnFixture& replace_by_link(const std::string& path, const std::string& text);
  TxnFixture& settings(const std::string& path, const std::string& bytes);
  TxnFixture& add(const std::string& path, const std::string& bytes, uint32_t mode = 0644);
  TxnFixture& add_dir(const std::string& path, const DirContents& contents, uint32_t mode = 0755);
  TxnFixture& add_link(const std::string& path, const std::string& text);
  TxnFixture& remove(const std::string& path);
  TxnFixture& through_link(const std::string& directory, const std::string& name);

  // --- what came of it
  model::ChangePlan& plan();                  // in order
  size_t change_of(const std::string& path);  // its number in the ordered plan
  // Bytes of the after-images; edit it to break them.
  std::map<std::string, std::string>& new_bytes() { return new_bytes_; }
  txn::Content content();
  MemFs& disk() { return *disk_; }
  FakeClock& clock() { return clock_; }
  const Snapshot& old_tree() const { return old_tree_; }
  // The tree that the plan leads to; needs the plan to be complete.
  const Snapshot& new_tree();
  // A disk that equals the one at settle().
  std::unique_ptr<MemFs> fresh_disk() const { return settled_->crashed({}); }

  // --- the steps, on any disk of the same shape
  // Opens the store and hands out a context for it.
  struct Opened {
    fs::File store;
    txn::TransactionContext context;
  };
  Opened open(fs::FileSystem& fs);
  Result<txn::Transaction> prepare(Opened& opened);
  // As the engine does it: a failure rolls back, and is the answer.
  Status update(fs::FileSystem& fs);
  // Does so much and then forgets all about it, as a killed process would.
  Status update_until(fs::FileSystem& fs, StopAfter last);
  // What the next process does first; the first error of the answers.
  Status recover(fs::FileSystem& fs);
  Result<std::vector<txn::Recovered>> recover_all(fs::FileSystem& fs,
                                                  const txn::RecoveryOptions& options = {});
  // Appends to it what the user is told as the outcome: "completed", "rolled_back".
  std::vector<std::string>& told() { return told_; }

  // --- looking at a disk
  std::string contents(const std::string& path) { return contents(*disk_, path); }
  std::string contents(const MemFs& disk, const std::string& path) const;  // "<absent>"
  Snapshot tree(const MemFs& disk) const;                                  // of all anchors
  // The tree is the old or the new one, the new one if acknowledged; nothing is left
  // under reserved names, nothing is open in the store, nothing was set aside; the
  // saved before-images of a commit are whole.
  std::vector<std::string> broken_rules(MemFs& disk, bool acknowledged);

 private:
  TxnFixture& change(const std::string& path, model::Image after, model::ChangeOrder order);
  model::Image image_at(const std::string& path);
  model::Image file_image(const std::string& path, const std::string& inner_path,
                          const std::string& bytes, uint32_t mode);
  model::Image dir_image(const std::string& path, const DirContents& contents, uint32_t mode);
  std::string absolute(const std::string& path) const { return anchor_ + "/" + path; }
  uint32_t anchor_number();

  std::unique_ptr<MemFs> disk_;
  std::unique_ptr<MemFs> settled_;
  FakeClock clock_;
  MemFsOptions options_;
  std::string anchor_ = kTreeRoot;
  std::vector<std::string> roots_ = {kTreeRoot};
  model::ChangePlan plan_;
  bool is_ordered_ = false;
  std::map<std::string, std::string> new_bytes_;  // by display and inner path: "hooks/a.py|"
  Snapshot old_tree_;
  Snapshot new_tree_;
  std::vector<std::string> told_;
};

}  // namespace stravinsky::testing
