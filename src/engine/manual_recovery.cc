#include "engine/manual_recovery.h"

#include <algorithm>
#include <set>

#include "base/strings.h"
#include "engine/inverse.h"
#include "fs/atomic_file.h"
#include "fs/file.h"
#include "model/component.h"
#include "model/store_layout.h"

namespace stravinsky::engine {
namespace {

namespace layout = model::layout;
using model::ComponentKind;
using model::ImageKind;

// Shell commands, in an order in which settings never name a hook that is absent.
class Commands {
 public:
  Commands(const Session& session, const model::ChangePlan& plan, std::string backup_dir)
      : session_(session), backup_dir_(std::move(backup_dir)) {
    const auto changes = path_changes(plan);
    for (const PathChange& one : changes)
      if (one.before.kind == ImageKind::kDirectory) add(make_dir_, "mkdir -p " + live(one.path));
    for (const PathChange& one : changes) bring_back(one);
    std::ranges::for_each(changes.rbegin(), changes.rend(),
                          [&](const PathChange& one) { remove(one); });
  }

  std::string text() const {
    std::string text = "    T=$(mktemp -d)\n";
    for (const std::string& archive : archives_)
      text += "    tar xzpf " + shell_quote(backup_dir_ + "/" + archive) + " -C \"$T\"\n";
    for (const std::string* part : {&make_dir_, &content_, &settings_, &removals_}) text += *part;
    return text + "    rm -rf \"$T\"\n";
  }

 private:
  static void add(std::string& part, const std::string& command) {
    part += "    " + command + "\n";
  }

  std::string live(const model::LogicalPath& path) const {
    const store::Root* root = session_.roots().of(path.scope);
    return shell_quote((root == nullptr ? "" : root->path + "/") + path.path.str());
  }

  void bring_back(const PathChange& one) {
    const std::string target = live(one.path);
    if (one.before.kind == ImageKind::kSymlink)
      return add(content_, "ln -sfn " + shell_quote(one.before.link_text) + " " + target);
    if (one.before.kind != ImageKind::kFile) return;
    const model::Component* component = model::component_of(one.path.path);
    if (component == nullptr) return;
    const std::string stored = model::stored_name(*component, one.path.scope);
    if (component->kind == ComponentKind::kFile) {
      // A copy has the modes of the store.
      add(settings_, "cp -f " + shell_quote(backup_dir_ + "/" + stored) + " " + target);
      add(settings_, "chmod " + octal(one.before.mode) + " " + target);
      return;
    }
    archives_.insert(stored);
    const std::string member = model::archive_member(*component, one.path);
    add(content_, "mkdir -p \"$(dirname " + target + ")\"");
    add(content_, "cp -pf \"$T\"/" + shell_quote(member) + " " + target);
  }

  void remove(const PathChange& one) {
    if (!one.before.is_absent()) return;
    if (one.after.kind == ImageKind::kDirectory) {
      add(removals_, "rmdir " + live(one.path) + " 2>/dev/null || true");
    } else {
      add(removals_, "rm -f " + live(one.path));
    }
  }

  static std::string octal(uint32_t mode) {
    std::string text;
    for (int shift = 9; shift >= 0; shift -= 3)
      text += static_cast<char>('0' + ((mode >> static_cast<uint32_t>(shift)) & 7U));
    return text;
  }

  const Session& session_;
  std::string backup_dir_;
  std::set<std::string> archives_;
  std::string make_dir_;
  std::string content_;
  std::string settings_;
  std::string removals_;
};

}  // namespace

std::string manual_recovery_text(Session& session, const FailedRollback& failed) {
  const model::TransactionFacts& facts = failed.plan.facts;
  const std::string kind(transaction_kind_name(facts.kind));
  std::string text = "MANUAL RECOVERY\n\nThe " + kind + " from " + facts.from_version + " to " +
                     facts.to_version +
                     " failed, and it could not be taken back completely. The files below may be "
                     "a mix of both.\n\nWhy it failed:\n    " +
                     escape(failed.cause.to_string()) + "\nWhy it could not be taken back:\n    " +
                     escape(failed.rollback_error.to_string()) +
                     "\n\nNothing is lost: every old file is kept in the store.\n\n"
                     "1. Put right what the second cause names (room on the disk, rights), then "
                     "let the program finish:\n\n    " +
                     failed.try_again + "\n\n";
  if (facts.backup_id.empty())
    return text +
           "2. No backup was taken before it (it was switched off), so that only the program can "
           "put the old files back, from " +
           session.store_path() + "/" + layout::transaction(facts.id).str() + ".\n";
  const std::string backup_dir = session.store_path() + "/" + layout::backup(facts.backup_id).str();
  text += "2. Or without the program, in any shell, from the backup " + facts.backup_id +
          ". This puts back what the " + kind + " changed and touches nothing else:\n\n" +
          Commands(session, failed.plan, backup_dir).text() +
          "\n   Names that begin with .rbk- are leftovers; once the files are right,\n"
          "   stravinsky recovery resume finds them so and removes the leftovers.\n\n"
          "3. Restart Claude Code.\n";
  return text;
}

Result<std::string> save_manual_recovery(Session& session, const FailedRollback& failed) {
  const fs::RelPath name = layout::manual_recovery(failed.plan.facts.id);
  RETURN_IF_ERROR(fs::write_atomically(session.fs(), session.store().fd(), name,
                                       manual_recovery_text(session, failed)));
  return session.store_path() + "/" + name.str();
}

Status remove_manual_recovery(fs::FileSystem& fs, fs::Fd store, const std::string& txid) {
  const fs::RelPath name = layout::manual_recovery(txid);
  ASSIGN_OR_RETURN(const auto stat, fs::stat_if_present(fs, store, name));
  return stat ? fs.unlink(store, name) : Status();
}

}  // namespace stravinsky::engine
