#include "engine/conflict_copies.h"

#include "base/strings.h"
#include "engine/present_tree.h"
#include "model/store_layout.h"

namespace stravinsky::engine {
namespace {

namespace layout = model::layout;

// Every name on the way to it is durable, too.
Status write_new_file(fs::FileSystem& fs, fs::Fd store, const fs::RelPath& path,
                      const std::string& bytes, uint32_t mode) {
  RETURN_IF_ERROR(fs::ensure_dir(fs, store, path.parent(), layout::kDirectoryMode));
  ASSIGN_OR_RETURN(fs::File file, fs::File::open(fs, store, path, fs::OpenMode::kCreateExclusive));
  RETURN_IF_ERROR(fs.write(file.fd(), 0, as_byte_span(bytes)));
  RETURN_IF_ERROR(fs.set_attributes(file.fd(), {.mode = mode, .owner = {}, .mtime_ns = {}}));
  RETURN_IF_ERROR(fs.sync(file.fd(), fs::SyncKind::kFull));
  RETURN_IF_ERROR(file.close());
  return fs::sync_path(fs, store, path.parent());
}

}  // namespace

Status keep_conflict_copies(Session& session, const store::Snapshot& snapshot,
                            const std::vector<SetAside>& set_aside,
                            const model::TransactionFacts& facts, std::vector<txn::Kept>& kept) {
  fs::FileSystem& fs = session.fs();
  for (const SetAside& one : set_aside) {
    const bool is_mine = one.whose == model::Side::kMine;
    std::optional<std::string> text;
    if (is_mine) {
      ASSIGN_OR_RETURN(text, read_managed_text(fs, snapshot, one.path));
    } else {
      text.emplace();
      RETURN_IF_ERROR(one.bytes([&](std::span<const std::byte> piece) -> Status {
        *text += as_text(piece);
        return {};
      }));
    }
    if (!text) {
      kept.push_back({one.path.display(), "",
                      facts.backup_id.empty()
                          ? "your link; undo brings it back"
                          : "your link; it is in the backup " + facts.backup_id});
      continue;
    }
    ASSIGN_OR_RETURN(const fs::RelPath copy, layout::conflict_copy(facts.id, one.path));
    RETURN_IF_ERROR(write_new_file(fs, session.store().fd(), copy, *text, one.mode));
    kept.push_back({one.path.display(), escape(copy.str()),
                    is_mine ? "your version, as it was before this"
                            : "the new version, which is not in force"});
  }
  return {};
}

}  // namespace stravinsky::engine
