#include <array>

#include "base/strings.h"
#include "checks/environment_checks.h"
#include "fs/file.h"
#include "model/store_layout.h"

namespace stravinsky::checks {
namespace {

class PermissionsCheck {
 public:
  explicit PermissionsCheck(const Surroundings& around) : around_(around) {}

  Result<std::vector<Finding>> run() {
    for (const store::TreeEntry& entry : around_.snapshot.entries)
      if (entry.state == model::EntryState::kStored) RETURN_IF_ERROR(check_entry(entry));
    // What could not be read has no entry that one could look at again.
    for (const store::Omission& omission : around_.snapshot.omissions)
      if (around_.snapshot.is_unreadable(omission.path))
        say(Severity::kBlocking, "permission.unreadable", omission.path.display(),
            omission.to_string(), "Run chmod u+rX on it, as its owner.");
    for (const store::SnapshotDirectory& directory : around_.snapshot.directories)
      RETURN_IF_ERROR(
          check_directory(directory.file.fd(), escape(directory.path), "permission.not_writable"));
    if (around_.store != fs::Fd::kNone) RETURN_IF_ERROR(check_store());
    return std::move(findings_);
  }

 private:
  void say(Severity severity, std::string_view rule, std::string file, std::string message,
           std::string remedy) {
    findings_.push_back({.severity = severity,
                         .check = "permissions",
                         .rule = std::string(rule),
                         .file = std::move(file),
                         .message = std::move(message),
                         .remedy = std::move(remedy)});
  }

  Status check_entry(const store::TreeEntry& entry) {
    const std::string name = entry.path.display();
    if (entry.stat.immutable)
      say(Severity::kBlocking, "permission.immutable", name,
          "it has the immutable or append-only attribute", "Take it off with chattr -ia.");
    if (entry.stat.uid != around_.user_id && around_.user_id != 0)
      say(Severity::kWarning, "permission.owner", name, "it belongs to another user",
          "Run stravinsky as its owner, or give it to yourself with chown.");
    const fs::Fd dir = around_.snapshot.directories[entry.directory].file.fd();
    if (entry.stat.type == fs::NodeType::kFile) {
      const auto file = fs::open_if_present(around_.fs, dir, entry.beneath, fs::OpenMode::kRead);
      if (!file)
        say(Severity::kBlocking, "permission.unreadable", name,
            "it cannot be read: " + file.error().message, "Run chmod u+r on it, as its owner.");
    } else if (entry.stat.type == fs::NodeType::kDirectory) {
      const auto opened =
          fs::open_if_present(around_.fs, dir, entry.beneath, fs::OpenMode::kDirectory);
      if (!opened) {
        say(Severity::kBlocking, "permission.unreadable", name,
            "it cannot be opened: " + opened.error().message, "Run chmod u+rwx on it.");
      } else if (opened->has_value()) {
        return check_directory((*opened)->fd(), name, "permission.not_writable");
      }
    }
    return {};
  }

  Status check_directory(fs::Fd dir, const std::string& name, std::string_view rule) {
    ASSIGN_OR_RETURN(const bool may, around_.fs.may_change_names(dir));
    if (!may)
      say(Severity::kBlocking, rule, name, "you may not change what is in this directory",
          "Run chmod u+rwx on it, as its owner.");
    return {};
  }

  Status check_store() {
    RETURN_IF_ERROR(check_directory(around_.store, escape(around_.store_path), "permission.store"));
    for (const fs::RelPath& path :
         {model::layout::backups(), model::layout::staging(), model::layout::audit()}) {
      const auto dir =
          fs::open_if_present(around_.fs, around_.store, path, fs::OpenMode::kDirectory);
      const std::string name = escape(around_.store_path + "/" + std::string(path.str()));
      if (!dir) {
        say(Severity::kBlocking, "permission.store", name,
            "it cannot be opened: " + dir.error().message, "Run chmod 700 on it.");
      } else if (dir->has_value()) {
        RETURN_IF_ERROR(check_directory((*dir)->fd(), name, "permission.store"));
      }
    }
    return {};
  }

  const Surroundings& around_;
  std::vector<Finding> findings_;
};

}  // namespace

Result<std::vector<Finding>> check_permissions(const Surroundings& around) {
  return PermissionsCheck(around).run();
}

}  // namespace stravinsky::checks
