// Snapshot: what the managed trees look like now, without a byte of content read.
//
// Both scopes are listed by the component table. The top of a component that is a
// symlink is the user's own arrangement: the entry keeps the link's text
// (via_link) and describes what it leads to, and its contents are listed beneath;
// a link that leads to nothing, and one that leads out of the home and project
// roots without consent, is an entry of type symlink. A link deeper in the tree is
// an entry of type symlink and never followed.
//
// Holds the directories open, so that what is read later lies where it was listed.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "fs/file.h"
#include "model/manifest.h"
#include "store/location.h"
#include "store/roots.h"

namespace stravinsky::store {

enum class OutsideLinks {
  kStoreAsLink,  // the user has not agreed
  kFollow,       // the user has
};

struct SnapshotRequest {
  Roots roots;
  // Files that settings name; those of other components, excluded and absent ones
  // are passed over.
  std::vector<model::LogicalPath> referenced{};
  OutsideLinks outside_links = OutsideLinks::kStoreAsLink;
};

struct SnapshotDirectory {
  fs::File file;
  std::string path;           // absolute, canonical
  std::vector<LinkHop> hops;  // that led to it
  bool outside = false;
};

struct TreeEntry {
  const model::Component* component;
  model::LogicalPath path;
  model::EntryState state;  // never kUnstable
  fs::Stat stat{};
  std::string link_text{};
  std::string via_link{};
  size_t directory = 0;  // in Snapshot::directories; meaningless when absent
  fs::RelPath beneath;   // its path in that directory
};

struct Snapshot {
  Roots roots;
  std::vector<SnapshotDirectory> directories;
  std::vector<TreeEntry> entries;  // ascending by path

  const TreeEntry* find(const model::LogicalPath& path) const;
  // CHECKs that the entry is not absent.
  Location location_of(const TreeEntry& entry) const;
  uint64_t content_bytes() const;  // of all files
};

Result<Snapshot> take_snapshot(fs::FileSystem& fs, const SnapshotRequest& request);

}  // namespace stravinsky::store
