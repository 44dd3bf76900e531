#include "engine/scratch_home.h"

#include "engine/present_tree.h"
#include "fs/file.h"
#include "model/store_layout.h"

namespace stravinsky::engine {
namespace {

namespace layout = model::layout;

constexpr std::string_view kProject = "project";

fs::RelPath place_of(const model::LogicalPath& path) {
  const fs::RelPath root = fs::RelPath::of(".claude");
  return (path.scope == model::Scope::kUser ? root : fs::RelPath::of(kProject) / root) / path.path;
}

class Copier {
 public:
  Copier(fs::FileSystem& fs, const store::Snapshot& snapshot, fs::Fd home)
      : fs_(fs), snapshot_(snapshot), home_(home) {}

  Status copy(const store::TreeEntry& entry) {
    if (entry.state != model::EntryState::kStored) return {};
    const fs::RelPath place = place_of(entry.path);
    switch (entry.stat.type) {
      case fs::NodeType::kDirectory:
        return fs::ensure_dir(fs_, home_, place, layout::kDirectoryMode);
      case fs::NodeType::kSymlink: {
        if (entry.link_text.starts_with('/') || entry.link_text.contains("..")) return {};
        RETURN_IF_ERROR(fs::ensure_dir(fs_, home_, place.parent(), layout::kDirectoryMode));
        return fs_.make_symlink(entry.link_text, home_, place);
      }
      case fs::NodeType::kFile:
        return copy_file(entry, place);
      case fs::NodeType::kOther:
        return {};
    }
    return {};
  }

 private:
  Status copy_file(const store::TreeEntry& entry, const fs::RelPath& place) {
    RETURN_IF_ERROR(fs::ensure_dir(fs_, home_, place.parent(), layout::kDirectoryMode));
    constexpr uint32_t kPermissions = 0777;
    ASSIGN_OR_RETURN(fs::File file,
                     fs::File::open(fs_, home_, place, fs::OpenMode::kCreateExclusive,
                                    (entry.stat.mode & kPermissions) | layout::kFileMode));
    uint64_t offset = 0;
    RETURN_IF_ERROR(
        read_managed(fs_, snapshot_, entry.path, [&](std::span<const std::byte> piece) -> Status {
          RETURN_IF_ERROR(fs_.write(file.fd(), offset, piece));
          offset += piece.size();
          return {};
        }));
    return file.close();
  }

  fs::FileSystem& fs_;
  const store::Snapshot& snapshot_;
  fs::Fd home_;
};

}  // namespace

std::vector<std::pair<std::string, std::string>> HomeVariables::all() const {
  std::vector<std::pair<std::string, std::string>> variables = {
      {"HOME", home}, {"CLAUDE_CONFIG_DIR", home + "/.claude"}};
  if (!project.empty()) variables.emplace_back("CLAUDE_PROJECT_DIR", project);
  return variables;
}

Result<HomeVariables> make_scratch_home(Session& session) {
  fs::FileSystem& fs = session.fs();
  RETURN_IF_ERROR(remove_scratch_home(session));
  const fs::RelPath name = layout::health_home();
  RETURN_IF_ERROR(session.store().ensure(name / fs::RelPath::of(".claude")));
  ASSIGN_OR_RETURN(const fs::File home,
                   fs::File::open(fs, session.store().fd(), name, fs::OpenMode::kDirectory));
  ASSIGN_OR_RETURN(const store::Snapshot snapshot, session.list_tree());
  Copier copier(fs, snapshot, home.fd());
  for (const store::TreeEntry& entry : snapshot.entries)
    RETURN_IF_ERROR_WHILE(copier.copy(entry), "while copying " + entry.path.display());
  HomeVariables variables{.home = session.store_path() + "/" + name.str()};
  if (session.roots().project) {
    RETURN_IF_ERROR(session.store().ensure(name / fs::RelPath::of(kProject)));
    variables.project = variables.home + "/" + std::string(kProject);
  }
  return variables;
}

Status remove_scratch_home(Session& session) {
  return fs::remove_tree(session.fs(), session.store().fd(), layout::health_home());
}

}  // namespace stravinsky::engine
