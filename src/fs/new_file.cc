#include "fs/new_file.h"

#include "base/strings.h"
#include "fs/file.h"

namespace stravinsky::fs {
namespace {

Error in_the_way(const std::string& absolute) {
  return make_error(ErrorCode::kAlreadyExists, "there is a file of this name", escape(absolute))
      .with_untouched("It was left as it is.")
      .with_remedy("Remove it, or give another name.");
}

}  // namespace

Status write_new_file(FileSystem& fs, const std::string& absolute, std::string_view bytes,
                      uint32_t mode) {
  const size_t slash = absolute.rfind('/');
  const std::string context = "while writing " + escape(absolute);
  ASSIGN_OR_RETURN_WHILE(const RelPath name, RelPath::parse(absolute.substr(slash + 1)), context);
  ASSIGN_OR_RETURN_WHILE(
      const File dir, File::open_root(fs, slash == 0 ? "/" : absolute.substr(0, slash)), context);
  auto file = File::open(fs, dir.fd(), name, OpenMode::kCreateExclusive, mode);
  if (!file && file.error().code == ErrorCode::kAlreadyExists) return in_the_way(absolute);
  if (!file) return Error(std::move(file).error()).with_context(context);
  const Status written = [&]() -> Status {
    RETURN_IF_ERROR(fs.write(file->fd(), 0, as_byte_span(bytes)));
    RETURN_IF_ERROR(fs.sync(file->fd(), SyncKind::kFull));
    RETURN_IF_ERROR(file->close());
    return fs.sync(dir.fd(), SyncKind::kFull);
  }();
  if (written) return {};
  (void)fs.unlink(dir.fd(), name);  // half a file would look like a whole one
  return Error(written.error()).with_context(context);
}

Status check_new_file(FileSystem& fs, const std::string& absolute) {
  const size_t slash = absolute.rfind('/');
  const std::string context = "while looking at " + escape(absolute);
  ASSIGN_OR_RETURN_WHILE(const RelPath name, RelPath::parse(absolute.substr(slash + 1)), context);
  ASSIGN_OR_RETURN_WHILE(
      const File dir, File::open_root(fs, slash == 0 ? "/" : absolute.substr(0, slash)), context);
  ASSIGN_OR_RETURN_WHILE(const auto found, stat_if_present(fs, dir.fd(), name), context);
  if (found) return in_the_way(absolute);
  return {};
}

}  // namespace stravinsky::fs
