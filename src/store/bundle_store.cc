#include "store/bundle_store.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/check.h"
#include "base/mutant.h"
#include "base/strings.h"
#include "codec/canonical_json.h"
#include "fs/file.h"
#include "model/json_object.h"
#include "model/store_layout.h"

namespace stravinsky::store {
namespace {

namespace layout = model::layout;
using fs::OpenMode;
using fs::RelPath;
using nlohmann::json;

constexpr uint64_t kBundleRecordFormat = 1;
constexpr uint64_t kManifestMaxBytes = 64ULL << 20U;
constexpr int kThreads = 2;

std::string member_name(const RelPath& path, model::Scope scope) {
  const model::Component* component = model::component_of(path);
  CHECK(component != nullptr);
  if (component->kind == model::ComponentKind::kFile) return model::stored_name(*component, scope);
  return model::archive_member(*component, {scope, path});
}

std::string text_of(const StoredBundle& bundle) {
  json files = json::array();
  for (size_t i = 0; i < bundle.members.size(); ++i) {
    const codec::ArchiveMember& member = bundle.members[i];
    files.push_back({{"gid", member.gid},
                     {"length", member.length},
                     {"mode", member.mode},
                     {"offset", member.offset},
                     {"path", escape(bundle.installed.files[i].path.str())},
                     {"sha256", member.sha256.hex()},
                     {"size", member.size_bytes},
                     {"uid", member.uid}});
  }
  json value = {
      {"archive", {{"sha256", bundle.archive_sha256.hex()}, {"size", bundle.archive_bytes}}},
      {"files", std::move(files)},
      {"format_version", kBundleRecordFormat},
      {"id", bundle.installed.id},
      {"name", escape(bundle.installed.name)},
      {"scope", model::scope_name(bundle.installed.scope)},
      {"version", bundle.installed.version.str()}};
  value["digest"] = codec::sha256(codec::canonical_json(value)).hex();
  return codec::canonical_json(value);
}

Status check_digest(const json& value, std::string_view text) {
  json without = value;
  without.erase("digest");
  const auto recorded = value.find("digest");
  const bool good = recorded != value.end() && recorded->is_string() &&
                    codec::has_canonical_form(value) && codec::canonical_json(value) == text &&
                    *recorded == codec::sha256(codec::canonical_json(without)).hex();
  if (good || MUTANT(bundle_digest_not_checked)) return {};
  return make_error(ErrorCode::kCorrupt, "the bundle's manifest is not what was written");
}

Result<StoredBundle> parse(std::string_view text) {
  ASSIGN_OR_RETURN(const json value,
                   codec::parse_strict_json(text, {.size_max_bytes = kManifestMaxBytes}));
  RETURN_IF_ERROR(model::check_format_version(value, kBundleRecordFormat, "bundle's manifest"));
  RETURN_IF_ERROR(check_digest(value, text));
  model::JsonObject object(value, "the bundle's manifest");
  StoredBundle bundle;
  bundle.installed.id = object.text("id");
  bundle.installed.name = object.bytes("name");
  if (auto version = model::Version::parse(object.text("version"))) {
    bundle.installed.version = std::move(*version);
  } else {
    object.fail("version", "a version");
  }
  const auto scope = model::parse_scope(object.text("scope"));
  if (!scope) object.fail("scope", "\"user\" or \"project\"");
  bundle.installed.scope = scope.value_or(model::Scope::kUser);
  model::JsonObject archive(object.object("archive"), "\"archive\"");
  bundle.archive_bytes = archive.number("size");
  bundle.archive_sha256 = archive.digest("sha256");
  for (const json& one : object.array("files")) {
    model::JsonObject file(one, "a file of the bundle");
    const auto path = RelPath::parse(file.bytes("path"));
    if (!path || model::component_of(*path) == nullptr) file.fail("path", "a path in the root");
    const auto mode = static_cast<uint32_t>(file.number("mode", 0777));
    codec::ArchiveMember member;
    member.mode = mode;
    member.uid = static_cast<uint32_t>(file.number("uid", UINT32_MAX));
    member.gid = static_cast<uint32_t>(file.number("gid", UINT32_MAX));
    member.size_bytes = file.number("size");
    member.sha256 = file.digest("sha256");
    member.offset = file.number("offset");
    member.length = file.number("length");
    RETURN_IF_ERROR(file.status());
    if (!bundle.installed.files.empty() && bundle.installed.files.back().path >= *path)
      file.fail("path", "behind the one before it");
    RETURN_IF_ERROR(file.status());
    member.path = member_name(*path, bundle.installed.scope);
    bundle.installed.files.push_back({*path, mode, member.size_bytes, member.sha256});
    bundle.members.push_back(std::move(member));
  }
  RETURN_IF_ERROR(object.status());
  RETURN_IF_ERROR(archive.status());
  return bundle;
}

Result<StoredBundle> read_stored(fs::FileSystem& fs, fs::Fd dir, const std::string& id) {
  ASSIGN_OR_RETURN(const std::string text,
                   fs::read_file(fs, dir, layout::manifest_name(), kManifestMaxBytes));
  ASSIGN_OR_RETURN(StoredBundle bundle, parse(text));
  if (bundle.installed.id != id)
    return make_error(ErrorCode::kCorrupt, "the manifest is that of " + bundle.installed.id);
  return bundle;
}

Result<fs::File> open_bundle(const StoreDir& store, const std::string& id) {
  const auto missing = [&] {
    return make_error(ErrorCode::kNotFound, "there is no kept bundle " + escape(id));
  };
  if (!layout::is_backup_id(id)) return missing();
  ASSIGN_OR_RETURN(auto dir, open_if_present(store.file_system(), store.fd(), layout::bundle(id),
                                             OpenMode::kDirectory));
  if (!dir) return missing();
  return std::move(*dir);
}

bool holds(const InstalledBundle& installed, const Bundle& bundle, model::Scope scope) {
  return installed.scope == scope && installed.name == bundle.name() &&
         std::ranges::equal(installed.files, bundle.files(),
                            [](const BundleFile& a, const BundleFile& b) {
                              return a.path == b.path && a.mode == b.mode && a.sha256 == b.sha256;
                            });
}

// A file that holds bytes and has no name any more: content for the archive.
Result<fs::File> nameless_file(fs::FileSystem& fs, fs::Fd dir, const Bundle& bundle, size_t index) {
  const RelPath name = RelPath::of("content");
  ASSIGN_OR_RETURN(fs::File file,
                   fs::File::open(fs, dir, name, OpenMode::kCreateExclusive, layout::kFileMode));
  RETURN_IF_ERROR(fs.unlink(dir, name));
  uint64_t at = 0;
  RETURN_IF_ERROR(bundle.read(index, [&](std::span<const std::byte> piece) -> Status {
    RETURN_IF_ERROR(fs.write(file.fd(), at, piece));
    at += piece.size();
    return {};
  }));
  // The same content gives the same archive, whenever it was installed.
  RETURN_IF_ERROR(fs.set_attributes(
      file.fd(), {.mode = bundle.files()[index].mode, .owner = {}, .mtime_ns = 0}));
  return file;
}

Status write_and_sync(fs::FileSystem& fs, fs::File& file) {
  if (!MUTANT(bundle_file_not_synced)) RETURN_IF_ERROR(fs.sync(file.fd(), fs::SyncKind::kFull));
  return file.close();
}

Status verify_archive(fs::FileSystem& fs, fs::Fd dir, const StoredBundle& stored) {
  ASSIGN_OR_RETURN(const fs::File file,
                   fs::File::open(fs, dir, layout::bundle_archive_name(), OpenMode::kRead));
  fs.advise(file.fd(), fs::Advice::kDropCache);
  ASSIGN_OR_RETURN(const codec::Digest digest, codec::hash_file(fs, file.fd()));
  ASSIGN_OR_RETURN(const auto problems,
                   codec::verify_members(fs, file.fd(), stored.members, kThreads));
  if (digest == stored.archive_sha256 && problems.empty()) return {};
  return make_error(ErrorCode::kCorrupt, "what was read back is not what was written")
      .with_remedy("The disk may be failing: look at the kernel's log before trying again.");
}

// Everything of a new bundle, in its partial directory.
Status build(fs::FileSystem& fs, fs::Fd dir, const Bundle& bundle, StoredBundle& stored) {
  std::vector<codec::ArchiveMember> members;
  for (const BundleFile& file : bundle.files()) {
    codec::ArchiveMember member;
    member.path = member_name(file.path, stored.installed.scope);
    members.push_back(std::move(member));
  }
  const auto content = [&](size_t index) { return nameless_file(fs, dir, bundle, index); };
  ASSIGN_OR_RETURN(fs::File out, fs::File::open(fs, dir, layout::bundle_archive_name(),
                                                OpenMode::kCreateExclusive, layout::kFileMode));
  codec::WriteOptions options;
  options.threads = 1;  // a bundle is small, and one name for the contents is enough
  ASSIGN_OR_RETURN(codec::Archive archive,
                   codec::write_tar_gz(fs, out.fd(), members, content, options));
  RETURN_IF_ERROR(write_and_sync(fs, out));
  for (size_t i = 0; i < archive.members.size(); ++i)
    CHECK(archive.members[i].sha256 == bundle.files()[i].sha256);
  stored.members = std::move(archive.members);
  stored.archive_bytes = archive.size_bytes;
  stored.archive_sha256 = archive.sha256;

  ASSIGN_OR_RETURN(fs::File text, fs::File::open(fs, dir, layout::manifest_name(),
                                                 OpenMode::kCreateExclusive, layout::kFileMode));
  RETURN_IF_ERROR(fs.write(text.fd(), 0, as_byte_span(text_of(stored))));
  RETURN_IF_ERROR(write_and_sync(fs, text));
  if (!MUTANT(bundle_directory_not_synced)) RETURN_IF_ERROR(fs.sync(dir, fs::SyncKind::kFull));
  if (MUTANT(bundle_not_verified)) return {};
  return verify_archive(fs, dir, stored);
}

}  // namespace

const BundleFile* InstalledBundle::find(const RelPath& path) const {
  const auto at = std::ranges::lower_bound(files, path, {}, &BundleFile::path);
  return at != files.end() && at->path == path ? &*at : nullptr;
}

Result<const StoredBundle*> BundleStore::stored(const std::string& id, fs::Fd dir) const {
  if (const auto known = read_.find(id); known != read_.end()) return &known->second;
  ASSIGN_OR_RETURN(StoredBundle bundle, read_stored(store_->file_system(), dir, id));
  return &read_.insert_or_assign(id, std::move(bundle)).first->second;
}

Result<InstalledBundle> BundleStore::load(const std::string& id) const {
  const std::string context = "while reading the kept bundle " + escape(id);
  ASSIGN_OR_RETURN(const fs::File dir, open_bundle(*store_, id));
  ASSIGN_OR_RETURN_WHILE(const StoredBundle* bundle, stored(id, dir.fd()), context);
  return bundle->installed;
}

Result<std::vector<std::string>> BundleStore::list() const {
  fs::FileSystem& fs = store_->file_system();
  std::vector<std::string> ids;
  ASSIGN_OR_RETURN(const auto home,
                   open_if_present(fs, store_->fd(), layout::bundles(), OpenMode::kDirectory));
  if (!home) return ids;
  ASSIGN_OR_RETURN(const auto names, fs.list(home->fd()));
  for (const fs::DirEntry& entry : names)
    if (layout::is_backup_id(entry.name)) ids.push_back(entry.name);
  return ids;
}

Result<BundleContent> BundleStore::open(const std::string& id) const {
  const std::string context = "while reading the kept bundle " + escape(id);
  fs::FileSystem& fs = store_->file_system();
  ASSIGN_OR_RETURN(const fs::File dir, open_bundle(*store_, id));
  ASSIGN_OR_RETURN_WHILE(const StoredBundle* bundle, stored(id, dir.fd()), context);
  ASSIGN_OR_RETURN_WHILE(
      fs::File archive,
      fs::File::open(fs, dir.fd(), layout::bundle_archive_name(), OpenMode::kRead), context);
  return BundleContent(fs, std::move(archive), bundle->installed, bundle->members);
}

Status BundleContent::read(const RelPath& path, const codec::Sink& sink) const {
  const std::string context =
      "while reading " + escape(path.str()) + " of the kept bundle " + installed_.id;
  const BundleFile* file = installed_.find(path);
  if (file == nullptr)
    return make_error(ErrorCode::kNotFound, "there is no such file").with_context(context);
  const auto index = static_cast<size_t>(file - installed_.files.data());
  RETURN_IF_ERROR_WHILE(codec::read_member(*fs_, archive_.fd(), members_[index], sink), context);
  return {};
}

Status BundleStore::read(const std::string& id, const RelPath& path,
                         const codec::Sink& sink) const {
  ASSIGN_OR_RETURN(const BundleContent content, open(id));
  return content.read(path, sink);
}

Result<std::string> BundleStore::save(const Bundle& bundle, const model::Version& version,
                                      model::Scope scope) {
  const std::string context = "while keeping the bundle of " + version.display();
  fs::FileSystem& fs = store_->file_system();
  RETURN_IF_ERROR(store_->ensure(layout::bundles()));
  ASSIGN_OR_RETURN(const fs::File home,
                   fs::File::open(fs, store_->fd(), layout::bundles(), OpenMode::kDirectory));
  ASSIGN_OR_RETURN(const auto names, fs.list(home.fd()));
  uint64_t next = 0;
  for (const fs::DirEntry& entry : names) {
    const auto numbered = layout::parse_numbered_id(entry.name);
    const bool is_numbered = numbered && numbered->label == version.str();
    if (entry.name != version.str() && !is_numbered) continue;
    next = std::max(next, is_numbered ? numbered->sequence + 1 : 1);
    const auto there = load(entry.name);
    if (there && there->version == version && holds(*there, bundle, scope)) return entry.name;
  }

  StoredBundle stored;
  stored.installed.id = layout::bundle_id(version.str(), next);
  stored.installed.name = bundle.name();
  stored.installed.version = version;
  stored.installed.scope = scope;
  stored.installed.files = bundle.files();
  const std::string& id = stored.installed.id;
  const RelPath partial = layout::partial_bundle(id);
  const Status done = [&]() -> Status {
    RETURN_IF_ERROR(fs::remove_tree(fs, store_->fd(), partial));
    RETURN_IF_ERROR(fs.make_dir(store_->fd(), partial, layout::kDirectoryMode));
    ASSIGN_OR_RETURN(const fs::File dir,
                     fs::File::open(fs, store_->fd(), partial, OpenMode::kDirectory));
    RETURN_IF_ERROR(build(fs, dir.fd(), bundle, stored));
    // The name is free: the caller holds the lock and next is beyond all others.
    RETURN_IF_ERROR(fs.rename(store_->fd(), partial, store_->fd(), layout::bundle(id),
                              fs::RenameMode::kReplace));
    if (MUTANT(bundle_publication_not_synced)) return {};
    return fs.sync(home.fd(), fs::SyncKind::kFull);
  }();
  if (!done) {
    (void)fs::remove_tree(fs, store_->fd(), partial);  // else the next save of this id does it
    return Error(done.error()).with_context(context);
  }
  return id;
}

}  // namespace stravinsky::store
