#include "store/backup_reader.h"

#include <vector>

#include "base/check.h"
#include "base/mutant.h"
#include "base/strings.h"
#include "store/backup_store.h"

namespace stravinsky::store {
namespace {

Status read_copy(const fs::File& file, const model::Entry& entry, const codec::Sink& sink) {
  codec::Sha256 hash;
  uint64_t at = 0;
  RETURN_IF_ERROR(fs::read_pieces(file.file_system(), file.fd(),
                                  [&](std::span<const std::byte> piece) -> Status {
                                    hash.update(piece);
                                    at += piece.size();
                                    return sink(piece);
                                  }));
  if (!MUTANT(backup_copy_not_compared) &&
      (at != entry.size_bytes || hash.finish() != entry.sha256))
    return make_error(ErrorCode::kCorrupt, "the copy in the backup is not what was written");
  return {};
}

}  // namespace

Result<BackupReader> BackupReader::open(const StoreDir& store, const std::string& id) {
  ASSIGN_OR_RETURN(const fs::File dir, open_backup(store, id));
  ASSIGN_OR_RETURN(model::Manifest manifest, read_manifest(store.file_system(), dir.fd(), id));
  BackupReader reader(std::move(manifest));
  for (const model::StoredFile& file : reader.manifest_.files) {
    if (!file.is_written()) continue;
    std::string name = model::stored_name(*file.component, file.scope);
    auto opened =
        open_if_present(store.file_system(), dir.fd(), fs::RelPath::of(name), fs::OpenMode::kRead);
    // A directory or a link in its place is as if it were missing.
    if (!opened && opened.error().code == ErrorCode::kWrongType) continue;
    if (!opened) return std::move(opened).error();
    if (*opened) reader.files_.emplace(std::move(name), std::move(**opened));
  }
  return reader;
}

Status BackupReader::read(const model::Entry& entry, const codec::Sink& sink) const {
  CHECK(entry.is_stored() && entry.type == fs::NodeType::kFile);
  const std::string name = model::stored_name(*entry.component, entry.path.scope);
  const auto file = files_.find(name);
  const std::string context = "while reading " + entry.path.display() + " from " + manifest_.id;
  if (file == files_.end())
    return make_error(ErrorCode::kCorrupt, "it is missing from the backup", name)
        .with_context(context);
  const fs::File& opened = file->second;
  RETURN_IF_ERROR_WHILE(entry.in_archive()
                            ? codec::read_member(opened.file_system(), opened.fd(),
                                                 model::archive_member_of(entry), sink)
                            : read_copy(opened, entry, sink),
                        context);
  return {};
}

Result<std::string> BackupReader::read_text(const model::Entry& entry,
                                            uint64_t size_max_bytes) const {
  if (entry.size_bytes > size_max_bytes)
    return make_error(ErrorCode::kCorrupt, "the file is too large", entry.path.display());
  std::string text;
  RETURN_IF_ERROR(read(entry, [&](std::span<const std::byte> bytes) -> Status {
    text += as_text(bytes);
    return {};
  }));
  return text;
}

}  // namespace stravinsky::store
