#include "fs/atomic_file.h"

#include "base/mutant.h"
#include "base/strings.h"
#include "fs/file.h"

namespace stravinsky::fs {
namespace {

Status write_partial(FileSystem& fs, Fd dir, const RelPath& partial, std::string_view bytes,
                     uint32_t mode) {
  ASSIGN_OR_RETURN(File file, File::open(fs, dir, partial, OpenMode::kCreateExclusive, mode));
  RETURN_IF_ERROR(fs.write(file.fd(), 0, as_byte_span(bytes)));
  if (!MUTANT(atomic_file_no_sync)) RETURN_IF_ERROR(fs.sync(file.fd(), SyncKind::kFull));
  return file.close();
}

}  // namespace

Status write_atomically(FileSystem& fs, Fd dir, const RelPath& path, std::string_view bytes,
                        uint32_t mode) {
  const RelPath partial = path.sibling("." + std::string(path.name()) + ".partial");
  ASSIGN_OR_RETURN(const auto leftover, stat_if_present(fs, dir, partial));
  if (leftover) RETURN_IF_ERROR(fs.unlink(dir, partial));
  Status done = write_partial(fs, dir, partial, bytes, mode);
  if (done) done = fs.rename(dir, partial, dir, path, RenameMode::kReplace);
  if (!done) {
    (void)fs.unlink(dir, partial);
    return done;
  }
  if (MUTANT(atomic_file_no_dir_sync)) return {};
  if (!path.has_parent()) return sync_names(fs, dir);
  ASSIGN_OR_RETURN(const File parent, File::open(fs, dir, path.parent(), OpenMode::kDirectory));
  return sync_names(fs, parent.fd());
}

}  // namespace stravinsky::fs
