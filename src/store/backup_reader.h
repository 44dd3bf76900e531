// BackupReader: one backup, opened for reading the content of its entries.
//
// Holds the archives open. Safe to use from several threads at once.
#pragma once

#include <map>
#include <string>

#include "base/error.h"
#include "codec/tar_gz.h"
#include "fs/file.h"
#include "model/manifest.h"
#include "store/store_dir.h"

namespace stravinsky::store {

class BackupReader {
 public:
  // kNotFound without such a backup, kCorrupt when its manifest is not valid. A
  // missing archive is noticed when it is read from.
  static Result<BackupReader> open(const StoreDir& store, const std::string& id);

  const model::Manifest& manifest() const { return manifest_; }
  // The content of a stored file; kCorrupt unless size and hash are those of the
  // manifest. The sink may have received bytes before the damage was found.
  Status read(const model::Entry& entry, const codec::Sink& sink) const;
  // The same as one string; kCorrupt, unread, when larger than size_max_bytes.
  Result<std::string> read_text(const model::Entry& entry, uint64_t size_max_bytes) const;

 private:
  explicit BackupReader(model::Manifest manifest) : manifest_(std::move(manifest)) {}
  model::Manifest manifest_;
  std::map<std::string, fs::File> files_;  // by stored name
};

}  // namespace stravinsky::store
