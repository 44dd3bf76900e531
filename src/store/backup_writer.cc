#include "store/backup_writer.h"

#include <algorithm>
#include <atomic>

#include "base/check.h"
#include "base/mutant.h"
#include "base/strings.h"
#include "base/units.h"
#include "codec/tar_gz.h"
#include "codec/threads.h"
#include "model/store_layout.h"
#include "store/backup_verify.h"

namespace stravinsky::store {
namespace {

using fs::NodeType;
using model::Component;
using model::ComponentKind;
using model::Entry;
using model::EntryState;
using model::Scope;
using model::StoredFile;

constexpr int kReadTries = 3;

Result<fs::File> open_content(fs::FileSystem& fs, const Snapshot& snapshot,
                              const TreeEntry& entry) {
  const fs::Fd dir = snapshot.directories[entry.directory].file.fd();
  auto file = fs::File::open(fs, dir, entry.beneath, fs::OpenMode::kRead);
  if (file) return file;
  Error error = std::move(file).error();
  error.path = entry.path.display();
  if (error.code == ErrorCode::kNotFound || error.code == ErrorCode::kWrongType) {
    error.code = ErrorCode::kChanged;
    error.message = "it changed while the backup was made";
    error.remedy = "Try again when nothing else writes to the tree.";
  }
  return error;
}

bool same_stat(const fs::Stat& a, const fs::Stat& b) {
  return a.inode == b.inode && a.device == b.device && a.size_bytes == b.size_bytes &&
         a.mtime_ns == b.mtime_ns && a.ctime_ns == b.ctime_ns;
}

Entry describe(const TreeEntry& tree) {
  return {.component = tree.component,
          .path = tree.path,
          .state = tree.state,
          .type = tree.stat.type,
          .mode = tree.stat.mode,
          .uid = tree.stat.uid,
          .gid = tree.stat.gid,
          .mtime_ns = tree.stat.mtime_ns,
          .link_text = tree.link_text,
          .via_link = tree.via_link};
}

// What a tar header says, apart from the size and the content.
bool same_header(const Entry& before, const Entry& now) {
  return before.path == now.path && before.type == now.type && before.mode == now.mode &&
         before.uid == now.uid && before.gid == now.gid && before.link_text == now.link_text &&
         before.mtime_ns / kNanosPerSecond == now.mtime_ns / kNanosPerSecond;
}

// The stored entries of a component, in the order of the archive.
std::vector<const Entry*> entries_of(const model::Manifest& manifest, const Component& component) {
  std::vector<const Entry*> entries;
  for (const Entry& entry : manifest.entries)
    if (entry.component == &component && entry.in_archive()) entries.push_back(&entry);
  return entries;
}

class BackupWriter {
 public:
  BackupWriter(fs::FileSystem& fs, fs::Fd dir, const Snapshot& snapshot,
               const WriterOptions& options)
      : fs_(fs), dir_(dir), snapshot_(snapshot), options_(options) {}

  Result<WrittenBackup> run() {
    for (const Component& component : model::components()) {
      if (component.kind == ComponentKind::kFile) {
        RETURN_IF_ERROR(write_copies(component));
      } else {
        RETURN_IF_ERROR_WHILE(write_archive(component),
                              "while storing " + std::string(component.name));
      }
    }
    return std::move(written_);
  }

 private:
  // An open archive of the previous backup whose bytes were just hashed.
  struct Reusable {
    fs::File file;
    const StoredFile* recorded = nullptr;
    std::vector<const Entry*> entries;
  };

  Status write_archive(const Component& component) {
    std::vector<const TreeEntry*> trees;
    StoredFile file{.component = &component};
    for (const TreeEntry& tree : snapshot_.entries) {
      if (tree.component != &component) continue;
      file.present = file.present || tree.state != EntryState::kAbsent;
      if (tree.state != EntryState::kStored) {
        written_.entries.push_back(describe(tree));
        continue;
      }
      trees.push_back(&tree);
      ++(tree.stat.type == NodeType::kDirectory ? file.directories_count : file.files_count);
    }
    if (trees.empty() && !component.always) return {};

    ASSIGN_OR_RETURN(const auto reusable, open_reusable(component));
    if (reusable) {
      ASSIGN_OR_RETURN(const bool linked, link_unchanged(component, trees, *reusable, file));
      if (linked) return {};
    }
    return compress(component, trees, reusable ? &*reusable : nullptr, file);
  }

  // The previous archive, when it is there and still what was written.
  Result<std::optional<Reusable>> open_reusable(const Component& component) {
    if (!options_.previous) return std::nullopt;
    const model::Manifest& manifest = *options_.previous->manifest;
    Reusable reusable;
    reusable.recorded = manifest.find_file(component, Scope::kUser);
    reusable.entries = entries_of(manifest, component);
    if (reusable.recorded == nullptr || reusable.entries.empty()) return std::nullopt;
    const std::string name = model::stored_name(component, Scope::kUser);
    auto opened =
        fs::File::open(fs_, options_.previous->dir, fs::RelPath::of(name), fs::OpenMode::kRead);
    bool good = false;
    if (opened) {
      const auto as_recorded = MUTANT(backup_reuse_without_hash)
                                   ? Result<bool>(true)
                                   : is_as_recorded(fs_, opened->fd(), *reusable.recorded);
      good = as_recorded && *as_recorded;
    }
    if (!good) {
      written_.damaged.push_back(name);
      return std::nullopt;
    }
    reusable.file = std::move(*opened);
    return reusable;
  }

  // Links the previous archive when every header and every byte is the same.
  Result<bool> link_unchanged(const Component& component,
                              const std::vector<const TreeEntry*>& trees, const Reusable& previous,
                              StoredFile file) {
    if (trees.size() != previous.entries.size()) return false;
    for (size_t i = 0; i < trees.size(); ++i) {
      const bool is_file = trees[i]->stat.type == NodeType::kFile;
      if (!same_header(*previous.entries[i], describe(*trees[i]))) return false;
      if (is_file && trees[i]->stat.size_bytes != previous.entries[i]->size_bytes) return false;
      if (previous.entries[i]->state == EntryState::kUnstable) return false;
    }
    if (!same_content(trees, previous.entries)) return false;
    const fs::RelPath name = fs::RelPath::of(model::stored_name(component, Scope::kUser));
    // Not every file system has hard links, and a file has a largest number of them.
    if (!fs_.hard_link(options_.previous->dir, name, dir_, name)) return false;

    file.size_bytes = previous.recorded->size_bytes;
    file.sha256 = previous.recorded->sha256;
    written_.files.push_back(file);
    written_.linked.push_back(name.str());
    for (size_t i = 0; i < trees.size(); ++i) {
      Entry entry = describe(*trees[i]);
      entry.size_bytes = previous.entries[i]->size_bytes;
      entry.sha256 = previous.entries[i]->sha256;
      entry.offset = previous.entries[i]->offset;
      entry.length = previous.entries[i]->length;
      written_.entries.push_back(std::move(entry));
    }
    return true;
  }

  // Hashes the live files, each between two looks at it; any doubt is "no".
  bool same_content(const std::vector<const TreeEntry*>& trees,
                    const std::vector<const Entry*>& entries) {
    std::atomic<size_t> next = 0;
    std::atomic<bool> same = true;
    const auto work = [&] {
      for (size_t i = next++; i < trees.size() && same; i = next++)
        if (trees[i]->stat.type == NodeType::kFile && !has_content(*trees[i], entries[i]->sha256))
          same = false;
    };
    {
      constexpr size_t kWorthAThread = 16;
      const codec::Threads others(trees.size() < kWorthAThread ? 0 : options_.threads - 1, work);
      work();
    }
    return same;
  }

  bool has_content(const TreeEntry& tree, const codec::Digest& expected) {
    const auto file = open_content(fs_, snapshot_, tree);
    if (!file) return false;
    const auto before = fs_.stat_fd(file->fd());
    if (!before || !same_stat(*before, tree.stat)) return false;
    const auto digest = codec::hash_file(fs_, file->fd());
    const auto after = fs_.stat_fd(file->fd());
    return digest && *digest == expected && after && same_stat(*before, *after);
  }

  Status compress(const Component& component, const std::vector<const TreeEntry*>& trees,
                  const Reusable* previous, StoredFile file) {
    std::vector<codec::ArchiveMember> members;
    members.reserve(trees.size());
    for (const TreeEntry* tree : trees)
      members.push_back(model::archive_member_of(describe(*tree)));
    std::vector<codec::ArchiveMember> previous_members;
    codec::WriteOptions options;
    options.level = options_.level;
    options.threads = options_.threads;
    if (previous != nullptr) {
      for (const Entry* entry : previous->entries)
        if (entry->state == EntryState::kStored)
          previous_members.push_back(model::archive_member_of(*entry));
      options.previous = &previous->file;
      options.previous_members = previous_members;
    }
    const fs::RelPath name = fs::RelPath::of(model::stored_name(component, Scope::kUser));
    ASSIGN_OR_RETURN(fs::File out, fs::File::open(fs_, dir_, name, fs::OpenMode::kCreateExclusive,
                                                  model::layout::kFileMode));
    const auto content = [&](size_t index) { return open_content(fs_, snapshot_, *trees[index]); };
    ASSIGN_OR_RETURN(const codec::Archive archive,
                     codec::write_tar_gz(fs_, out.fd(), members, content, options));
    fs_.advise(out.fd(), fs::Advice::kStartWriteback);
    written_.unsynced.push_back(std::move(out));
    CHECK(archive.members.size() == trees.size());

    file.size_bytes = archive.size_bytes;
    file.sha256 = archive.sha256;
    written_.files.push_back(file);
    for (size_t i = 0; i < trees.size(); ++i) {
      const codec::ArchiveMember& member = archive.members[i];
      Entry entry = describe(*trees[i]);
      entry.state = member.unstable ? EntryState::kUnstable : EntryState::kStored;
      entry.mode = member.mode;
      entry.uid = member.uid;
      entry.gid = member.gid;
      entry.mtime_ns = member.mtime_ns;
      entry.size_bytes = member.size_bytes;
      entry.sha256 = member.sha256;
      entry.offset = member.offset;
      entry.length = member.length;
      written_.entries.push_back(std::move(entry));
    }
    return {};
  }

  // The copies of a single-file component, one a scope.
  Status write_copies(const Component& component) {
    for (const TreeEntry& tree : snapshot_.entries) {
      if (tree.component != &component) continue;
      StoredFile file{.component = &component, .scope = tree.path.scope};
      Entry entry = describe(tree);
      if (tree.state == EntryState::kStored && tree.stat.type == NodeType::kFile) {
        RETURN_IF_ERROR_WHILE(copy(tree, entry, file), "while storing " + tree.path.display());
      }
      if (file.present || component.always) written_.files.push_back(file);
      written_.entries.push_back(std::move(entry));
    }
    return {};
  }

  Status copy(const TreeEntry& tree, Entry& entry, StoredFile& file) {
    const fs::RelPath name = fs::RelPath::of(model::stored_name(*tree.component, tree.path.scope));
    ASSIGN_OR_RETURN(fs::File out, fs::File::open(fs_, dir_, name, fs::OpenMode::kCreateExclusive,
                                                  model::layout::kFileMode));
    entry.state = EntryState::kUnstable;
    for (int i = 0; i < kReadTries && entry.state == EntryState::kUnstable; ++i) {
      ASSIGN_OR_RETURN(const fs::File in, open_content(fs_, snapshot_, tree));
      ASSIGN_OR_RETURN(const fs::Stat before, fs_.stat_fd(in.fd()));
      RETURN_IF_ERROR(copy_bytes(in.fd(), out.fd(), entry));
      ASSIGN_OR_RETURN(const fs::Stat after, fs_.stat_fd(in.fd()));
      entry.mode = before.mode;
      entry.uid = before.uid;
      entry.gid = before.gid;
      entry.mtime_ns = before.mtime_ns;
      if (same_stat(before, after) || MUTANT(backup_copy_unstable_not_noticed))
        entry.state = EntryState::kStored;
    }
    fs_.advise(out.fd(), fs::Advice::kStartWriteback);
    written_.unsynced.push_back(std::move(out));
    file.present = true;
    file.size_bytes = entry.size_bytes;
    file.sha256 = entry.sha256;
    file.files_count = 1;
    return {};
  }

  // Size and hash are those of the bytes that were written.
  Status copy_bytes(fs::Fd in, fs::Fd out, Entry& entry) {
    codec::Sha256 hash;
    uint64_t at = 0;
    RETURN_IF_ERROR(fs::read_pieces(fs_, in, [&](std::span<const std::byte> piece) -> Status {
      hash.update(piece);
      RETURN_IF_ERROR(fs_.write(out, at, piece));
      at += piece.size();
      return {};
    }));
    RETURN_IF_ERROR(fs_.truncate(out, at));
    entry.size_bytes = at;
    entry.sha256 = hash.finish();
    return {};
  }

  fs::FileSystem& fs_;
  fs::Fd dir_;
  const Snapshot& snapshot_;
  const WriterOptions& options_;
  WrittenBackup written_;
};

}  // namespace

Result<WrittenBackup> write_backup(fs::FileSystem& fs, fs::Fd dir, const Snapshot& snapshot,
                                   const WriterOptions& options) {
  return BackupWriter(fs, dir, snapshot, options).run();
}

}  // namespace stravinsky::store
