#include "txn/archive.h"

#include "base/mutant.h"
#include "model/store_layout.h"

namespace stravinsky::txn {
namespace {

namespace layout = model::layout;

fs::RelPath shelf_path(Shelf shelf) {
  switch (shelf) {
    case Shelf::kOpen:
      return layout::transactions();
    case Shelf::kDone:
      return layout::done_transactions();
    case Shelf::kInconsistent:
      return layout::inconsistent_transactions();
  }
  return layout::transactions();
}

Status move_to(const TransactionContext& context, const std::string& id, Shelf shelf) {
  fs::FileSystem& fs = context.fs;
  const fs::RelPath to = shelf_path(shelf);
  RETURN_IF_ERROR(fs::ensure_dir(fs, context.store, to, layout::kDirectoryMode));
  RETURN_IF_ERROR(fs.rename(context.store, layout::transaction(id), context.store,
                            to / fs::RelPath::of(id), fs::RenameMode::kReplace));
  for (const fs::RelPath& path : {to, layout::transactions()}) {
    ASSIGN_OR_RETURN(const fs::File dir,
                     fs::File::open(fs, context.store, path, fs::OpenMode::kDirectory));
    if (!MUTANT(archive_without_sync)) RETURN_IF_ERROR(fs.sync(dir.fd(), fs::SyncKind::kFull));
  }
  return {};
}

}  // namespace

Result<fs::File> make_transaction_dir(const TransactionContext& context, const std::string& id) {
  fs::FileSystem& fs = context.fs;
  RETURN_IF_ERROR(
      fs::ensure_dir(fs, context.store, layout::transactions(), layout::kDirectoryMode));
  RETURN_IF_ERROR(fs.make_dir(context.store, layout::transaction(id), layout::kDirectoryMode));
  auto dir = fs::File::open(fs, context.store, layout::transaction(id), fs::OpenMode::kDirectory);
  if (!dir) (void)fs.remove_dir(context.store, layout::transaction(id));
  return dir;
}

Status archive_transaction(const TransactionContext& context, const std::string& id) {
  return move_to(context, id, Shelf::kDone);
}

Status set_transaction_aside(const TransactionContext& context, const std::string& id) {
  return move_to(context, id, Shelf::kInconsistent);
}

Result<std::vector<std::string>> list_transactions(fs::FileSystem& fs, fs::Fd store, Shelf shelf) {
  std::vector<std::string> ids;
  ASSIGN_OR_RETURN(const auto dir,
                   fs::open_if_present(fs, store, shelf_path(shelf), fs::OpenMode::kDirectory));
  if (!dir) return ids;
  ASSIGN_OR_RETURN(const auto entries, fs.list(dir->fd()));
  for (const fs::DirEntry& entry : entries) {
    if (layout::is_transaction_id(entry.name)) ids.push_back(entry.name);
  }
  return ids;
}

Result<fs::File> open_transaction(fs::FileSystem& fs, fs::Fd store, Shelf shelf,
                                  const std::string& id) {
  return fs::File::open(fs, store, shelf_path(shelf) / fs::RelPath::of(id),
                        fs::OpenMode::kDirectory);
}

}  // namespace stravinsky::txn
