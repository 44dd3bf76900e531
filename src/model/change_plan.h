// ChangePlan: everything a transaction will do, known before it begins.
//
// Invariants (checked by order_plan, the first one by the transaction's preflight):
//   - the parent directory of every change exists and is not itself changed: a
//     new directory is one change whose after-image holds all that is in it;
//   - no change lies at or beneath the path of another one;
//   - before and after differ;
//   - changes stand in the order in which they are applied (ChangeOrder, then
//     anchor and path), so that settings never name an absent hook.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "fs/rel_path.h"
#include "model/component.h"
#include "model/image.h"

namespace stravinsky::model {

// What kind of operation a transaction carries out.
enum class TransactionKind : uint8_t {
  kUpdate = 1,        // a bundle's files over the tree
  kRollback = 2,      // the tree of an earlier backup
  kUndo = 3,          // the inverse of the last transaction not yet undone
  kRedo = 4,          // the inverse of the last undo
  kRecovery = 5,      // files, directories or a version out of a backup
  kAutoRollback = 6,  // what an installer did by itself, taken back since it was broken
  kDisarm = 7,        // hooks taken out of the settings
  kArm = 8,           // and put back
};
inline constexpr TransactionKind kLastTransactionKind = TransactionKind::kArm;
std::string_view transaction_kind_name(TransactionKind kind);

struct TransactionFacts {
  std::string id;         // 16 hexadecimal digits
  uint64_t sequence = 0;  // order among all transactions of the store
  TransactionKind kind = TransactionKind::kUpdate;
  int64_t started_ns = 0;
  std::string from_version;
  std::string to_version;
  std::string from_bundle;  // bundles/<id> that was installed before, empty when unknown
  std::string to_bundle;    // bundles/<id> that is installed after it
  std::string backup_id;    // the verified backup taken before it
  std::string inverts;      // for kUndo and kRedo: the transaction whose inverse this is
  std::string tree;         // the root whose version it changes: one of the two below
  std::string user_root;    // canonical ~/.claude, and the project's, empty when none
  std::string project_root;
};

// A directory that changes work in: a root of the tree, or the final directory
// that a link of the user's leads to. The inode tells a root that is not mounted
// from one that is; device numbers change from boot to boot and are not kept.
struct Anchor {
  std::string directory;  // absolute, no links in it
  uint64_t inode = 0;
};

// A symlink of the user's that a change was resolved through.
struct LinkCheck {
  std::string directory;
  std::string name;
  std::string text;
};

enum class ChangeOrder : uint8_t {
  kContent = 1,   // scripts and documents that are new or change
  kSettings = 2,  // settings, which name the scripts
  kDeletion = 3,  // names that settings no longer need
};

struct Change {
  uint32_t anchor = 0;
  fs::RelPath path;     // beneath the anchor
  LogicalPath logical;  // which managed path that is
  std::string display;  // logical.display()
  ChangeOrder order = ChangeOrder::kContent;
  Image before;
  Image after;
};

struct ChangePlan {
  TransactionFacts facts;
  std::vector<Anchor> anchors;
  std::vector<LinkCheck> links;
  std::vector<Change> changes;
};

// Puts the changes in order, then checks the invariants.
Status order_plan(ChangePlan& plan);

}  // namespace stravinsky::model
