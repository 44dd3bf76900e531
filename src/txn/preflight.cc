#include "txn/preflight.h"

#include <fmt/format.h>

#include <map>

#include "base/mutant.h"
#include "base/strings.h"
#include "fs/file.h"

namespace stravinsky::txn {
namespace {

using model::Change;
using model::ChangePlan;
using model::Image;

constexpr int64_t kWriterPollMs = 20;

struct Need {
  uint64_t bytes = 0;
  uint64_t inodes = 0;
  fs::Fd dir = fs::Fd::kNone;
  std::string where;
};

void add_image(Need& need, const Image& image) {
  model::visit_image(image, "", [&](const std::string&, const Image& node) {
    if (node.is_absent()) return;
    need.bytes += node.size_bytes;
    ++need.inodes;
  });
}

Status check_space(const TransactionContext& context, const ChangePlan& plan,
                   const Targets& targets) {
  std::map<uint64_t, Need> needs;  // by device
  for (size_t i = 0; i < plan.changes.size(); ++i) {
    ASSIGN_OR_RETURN(const fs::Stat stat, context.fs.stat_fd(targets.dir(i)));
    Need& need = needs[stat.device];
    need.dir = targets.dir(i);
    need.where = plan.anchors[plan.changes[i].anchor].directory;
    add_image(need, plan.changes[i].after);
  }
  ASSIGN_OR_RETURN(const fs::Stat store, context.fs.stat_fd(context.store));
  Need& journal = needs[store.device];
  if (journal.dir == fs::Fd::kNone) {
    journal.dir = context.store;
    journal.where = "the store";
  }
  for (const Change& change : plan.changes) add_image(journal, change.before);
  for (const auto& [device, need] : needs) {
    ASSIGN_OR_RETURN(const fs::Space space, context.fs.space(need.dir));
    if (space.read_only)
      return make_error(ErrorCode::kPermission, "the file system is read-only", need.where);
    // Twice the need: the undo copy must fit as well.
    const uint64_t bytes = std::max(2 * need.bytes, context.reserve_bytes);
    if (space.available_bytes < bytes)
      return make_error(ErrorCode::kNoSpace,
                        fmt::format("{} bytes are free where {} are needed",
                                    with_thousands(space.available_bytes), with_thousands(bytes)),
                        need.where)
          .with_remedy("Free some space, or delete old backups, and run the command again.");
    if (space.available_inodes < 2 * need.inodes)
      return make_error(ErrorCode::kNoSpace,
                        fmt::format("{} inodes are free where {} are needed",
                                    space.available_inodes, 2 * need.inodes),
                        need.where)
          .with_remedy("Delete files that are not needed, and run the command again.");
  }
  return {};
}

Status wait_for_writers(const TransactionContext& context, fs::Fd dir, const fs::RelPath& leaf,
                        const std::string& display) {
  ASSIGN_OR_RETURN(const fs::File file, fs::File::open(context.fs, dir, leaf, fs::OpenMode::kRead));
  for (int64_t waited_ms = 0;; waited_ms += kWriterPollMs) {
    ASSIGN_OR_RETURN(const bool busy, context.fs.has_writer(file.fd()));
    if (!busy) return {};
    if (waited_ms >= context.writer_wait_ms)
      return make_error(ErrorCode::kLocked, "another program has the file open for writing",
                        display)
          .with_remedy(
              "Close that program, or wait until it has saved, and run the command again.");
    context.clock.sleep_ms(kWriterPollMs);
  }
}

// Absolute, of the directory in which the change takes place.
std::string directory_of(const ChangePlan& plan, const Change& change) {
  const std::string& anchor = plan.anchors[change.anchor].directory;
  return change.path.has_parent() ? anchor + "/" + change.path.parent().str() : anchor;
}

Status check_target(const fs::Stat& stat, const ChangePlan& plan, const Change& change) {
  if (stat.type == fs::NodeType::kOther)
    return make_error(ErrorCode::kWrongType, "is a device, socket or FIFO", change.display);
  if (stat.immutable)
    return make_error(ErrorCode::kPermission, "has the immutable or append-only attribute",
                      change.display)
        .with_remedy("Take it off with: chattr -ia " +
                     shell_quote(plan.anchors[change.anchor].directory + "/" + change.path.str()));
  if (stat.mount_point)
    return make_error(ErrorCode::kPermission, "is a mount point and cannot be replaced",
                      change.display);
  return {};
}

}  // namespace

Result<Preflight> run_preflight(const TransactionContext& context, const ChangePlan& plan,
                                const Targets& targets) {
  Preflight preflight;
  RETURN_IF_ERROR(check_links(context.fs, plan));
  for (size_t i = 0; i < plan.changes.size(); ++i) {
    const Change& change = plan.changes[i];
    if (!targets.reachable(i))
      return make_error(ErrorCode::kChanged, "the directory is gone", change.display);
    const fs::Fd dir = targets.dir(i);
    ASSIGN_OR_RETURN(const fs::Stat parent, context.fs.stat_fd(dir));
    if (parent.immutable)
      return make_error(ErrorCode::kPermission,
                        "its directory has the immutable or append-only attribute", change.display);
    ASSIGN_OR_RETURN(const bool may_change, context.fs.may_change_names(dir));
    if (!may_change)
      return make_error(ErrorCode::kPermission, "you may not change its directory", change.display)
          .with_remedy("See its owner and mode with: ls -ld " +
                       shell_quote(directory_of(plan, change)));
    ASSIGN_OR_RETURN(const auto stat, fs::stat_if_present(context.fs, dir, targets.leaf(i)));
    preflight.inodes.push_back(stat ? stat->inode : 0);
    if (!stat) continue;
    RETURN_IF_ERROR(check_target(*stat, plan, change));
    if (stat->type != fs::NodeType::kFile) continue;
    if (stat->link_count > 1)
      preflight.warnings.push_back(change.display +
                                   " has other hard links, which keep the old content");
    if (!change.after.is_absent() &&
        (stat->uid != change.after.uid || stat->gid != change.after.gid))
      preflight.warnings.push_back(change.display + " changes its owner");
    RETURN_IF_ERROR(wait_for_writers(context, dir, targets.leaf(i), change.display));
  }
  RETURN_IF_ERROR(check_space(context, plan, targets));
  return preflight;
}

}  // namespace stravinsky::txn
