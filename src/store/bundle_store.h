// BundleStore: bundles/<id>/, the pristine content of what was installed.
//
// It is the base of the next update: a file that still equals it was not touched by
// the user. Kept in the seekable archive of the backups (codec/tar_gz.h), beside a
// manifest.json in canonical JSON with a digest of itself. Written beside, synced,
// renamed: a bundle appears whole or not at all. The id is the version, or
// "<version>.<n>" with an n beyond all that are there.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "codec/tar_gz.h"
#include "fs/file.h"
#include "model/component.h"
#include "model/version.h"
#include "store/bundle.h"
#include "store/store_dir.h"

namespace stravinsky::store {

struct InstalledBundle {
  std::string id;
  std::string name;  // of the package; empty when the bundle told none
  model::Version version;
  model::Scope scope = model::Scope::kUser;
  std::vector<BundleFile> files;  // ascending by path

  // nullptr when the bundle has no such file.
  const BundleFile* find(const fs::RelPath& path) const;
};

// The pristine content of one kept bundle, opened once for many files.
class BundleContent {
 public:
  BundleContent(fs::FileSystem& fs, fs::File archive, InstalledBundle installed,
                std::vector<codec::ArchiveMember> members)
      : fs_(&fs),
        archive_(std::move(archive)),
        installed_(std::move(installed)),
        members_(std::move(members)) {}

  const InstalledBundle& installed() const { return installed_; }
  // kNotFound without such a file; kCorrupt when it is damaged.
  Status read(const fs::RelPath& path, const codec::Sink& sink) const;

 private:
  fs::FileSystem* fs_;
  fs::File archive_;
  InstalledBundle installed_;
  std::vector<codec::ArchiveMember> members_;  // of installed_.files, in the same order
};

// A bundle as it lies in the store.
struct StoredBundle {
  InstalledBundle installed;
  std::vector<codec::ArchiveMember> members;  // of installed.files, in the same order
  uint64_t archive_bytes = 0;
  codec::Digest archive_sha256;
};

// A manifest is read once: whoever holds the store's lock is the only one to add a
// bundle, and none is ever changed.
class BundleStore {
 public:
  explicit BundleStore(const StoreDir& store) : store_(&store) {}

  // The bundle's id. One with the same version, scope and files that is there
  // already is used again. The caller holds the store's lock.
  Result<std::string> save(const Bundle& bundle, const model::Version& version, model::Scope scope);
  // kNotFound; kCorrupt when its manifest is not what was written.
  Result<InstalledBundle> load(const std::string& id) const;
  // The ids of all bundles, in no order.
  Result<std::vector<std::string>> list() const;
  // As load; kNotFound when its archive is gone as well.
  Result<BundleContent> open(const std::string& id) const;
  // The pristine content of one file; kCorrupt when it is damaged.
  Status read(const std::string& id, const fs::RelPath& path, const codec::Sink& sink) const;

 private:
  Result<const StoredBundle*> stored(const std::string& id, fs::Fd dir) const;

  const StoreDir* store_;
  mutable std::map<std::string, StoredBundle> read_;
};

}  // namespace stravinsky::store
