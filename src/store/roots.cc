#include "store/roots.h"

#include "base/strings.h"
#include "fs/file.h"
#include "store/location.h"

namespace stravinsky::store {
namespace {

const fs::RelPath& claude_name() {
  static const fs::RelPath kName = fs::RelPath::of(".claude");
  return kName;
}

std::string absolute_from(const std::string& directory, const std::string& path) {
  return path.starts_with('/') ? path : directory + "/" + path;
}

Result<Root> make_root(fs::FileSystem& fs, const std::string& absolute) {
  Root root;
  ASSIGN_OR_RETURN(root.path, real_path(fs, absolute));
  const auto dir = fs::File::open_root(fs, root.path);
  if (!dir && is_not_found(dir.error())) return root;
  if (!dir) return Error(dir.error());
  ASSIGN_OR_RETURN(const fs::Stat stat, fs.stat_fd(dir->fd()));
  root.exists = true;
  root.device = stat.device;
  root.inode = stat.inode;
  return root;
}

// The nearest directory with a .claude, from start upwards; empty when none.
Result<std::string> search_project(fs::FileSystem& fs, const std::string& start,
                                   const std::string& home) {
  std::string directory = start;
  while (directory != home) {
    ASSIGN_OR_RETURN(const fs::File dir, fs::File::open_root(fs, directory));
    ASSIGN_OR_RETURN(const auto claude, stat_if_present(fs, dir.fd(), claude_name()));
    const bool may_be_root = claude && (claude->type == fs::NodeType::kDirectory ||
                                        claude->type == fs::NodeType::kSymlink);
    if (may_be_root) return directory;
    ASSIGN_OR_RETURN(const auto git, stat_if_present(fs, dir.fd(), fs::RelPath::of(".git")));
    if (git || directory == "/") return std::string();
    directory = parent_of(directory);
  }
  return std::string();
}

Error unfit(std::string message, const std::string& path, std::string remedy) {
  return make_error(ErrorCode::kUsage, std::move(message), escape(path))
      .with_untouched("Nothing was changed.")
      .with_remedy(std::move(remedy));
}

// A tree that is managed must be one: what is not of Claude Code would be taken for it.
Status refuse_unfit(const Root& root, const std::string& home, const std::string& named_by) {
  if (root.path != "/" && root.path != home) return {};
  return unfit(root.path == "/" ? "the top of the file system cannot be a managed tree"
                                : "the home directory itself cannot be a managed tree",
               root.path, "Name a directory of its own, like ~/.claude, with " + named_by + ".");
}

bool is_same(const Root& a, const Root& b) {
  if (a.path == b.path) return true;
  return a.exists && b.exists && a.device == b.device && a.inode == b.inode;
}

Status add_project(fs::FileSystem& fs, const std::string& directory, Roots& roots) {
  if (directory.empty() || directory == roots.home) return {};
  ASSIGN_OR_RETURN(Root project, make_root(fs, directory + "/.claude"));
  if (is_same(project, roots.user)) return {};
  roots.project = std::move(project);
  roots.project_directory = directory;
  return {};
}

}  // namespace

const Root* Roots::of(model::Scope scope) const {
  if (scope == model::Scope::kUser) return &user;
  return project ? &*project : nullptr;
}

std::vector<std::string> Roots::allowed() const {
  std::vector<std::string> directories = {home, user.path};
  if (project) directories.insert(directories.end(), {project_directory, project->path});
  return directories;
}

Result<Roots> find_roots(fs::FileSystem& fs, const RootsRequest& request) {
  Roots roots;
  ASSIGN_OR_RETURN_WHILE(roots.home, real_path(fs, request.home),
                         "while looking for the home directory");
  const bool is_set = request.claude_config_dir && !request.claude_config_dir->empty();
  if (is_set && !request.claude_config_dir->starts_with('/'))
    return unfit("CLAUDE_CONFIG_DIR is relative, which means another tree in every directory",
                 *request.claude_config_dir,
                 "Set it to the whole path: CLAUDE_CONFIG_DIR=" +
                     shell_quote(request.working_directory + "/" + *request.claude_config_dir));
  const std::string user = is_set ? *request.claude_config_dir : roots.home + "/.claude";
  ASSIGN_OR_RETURN_WHILE(roots.user, make_root(fs, user), "while looking for the user's root");
  RETURN_IF_ERROR(refuse_unfit(roots.user, roots.home, "CLAUDE_CONFIG_DIR"));

  if (request.project) {
    const std::string given = absolute_from(request.working_directory, *request.project);
    auto opened = fs::File::open_root(fs, given);
    if (!opened)
      return Error(std::move(opened).error())
          .with_context("while opening the project's directory")
          .with_remedy("Give a directory that exists with --project.");
    ASSIGN_OR_RETURN(const std::string directory, fs.path_of(opened->fd()));
    RETURN_IF_ERROR(refuse_unfit({.path = directory}, roots.home, "--project"));
    RETURN_IF_ERROR(add_project(fs, directory, roots));
    return roots;
  }
  ASSIGN_OR_RETURN(const std::string start, real_path(fs, request.working_directory));
  ASSIGN_OR_RETURN_WHILE(const std::string found, search_project(fs, start, roots.home),
                         "while looking for the project's root");
  RETURN_IF_ERROR(add_project(fs, found, roots));
  return roots;
}

Status refuse_overlap(fs::FileSystem& fs, const Roots& roots, const std::string& store) {
  ASSIGN_OR_RETURN_WHILE(const std::string path, real_path(fs, store), "while opening the store");
  for (const model::Scope scope : {model::Scope::kUser, model::Scope::kProject}) {
    const Root* root = roots.of(scope);
    if (root == nullptr) continue;
    if (is_beneath(path, root->path))
      return unfit("the store lies in the managed tree " + escape(root->path), path,
                   "Choose another place for it with --root or STRAVINSKY_ROLLBACK_HOME.");
    if (is_beneath(root->path, path))
      return unfit("the managed tree lies in the store " + escape(path), root->path,
                   "Choose another tree with CLAUDE_CONFIG_DIR or --project.");
  }
  return {};
}

}  // namespace stravinsky::store
