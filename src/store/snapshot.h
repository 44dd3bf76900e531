// Snapshot: what the managed trees look like now, without a byte of content read.
//
// Both scopes are listed by the component table. The top of a component that is a
// symlink is the user's own arrangement: the entry keeps the link's text
// (via_link) and describes what it leads to, and its contents are listed beneath;
// a link that leads to nothing, and one that leads out of the home and project
// roots without consent, is an entry of type symlink. A link deeper in the tree is
// an entry of type symlink and never followed. A link in a loop is a link to nothing.
//
// What cannot be read is a fact and no error: it must not bar the way back of anything
// else. A file that may not be opened, a directory that may not be listed or is nested
// too deep, is an entry that is skipped, nothing beneath it is listed, and the whole of
// what is left out stands in `omissions`, to be told.
//
// Holds the directories open, so that what is read later lies where it was listed.
#pragma once

#include <string>
#include <string_view>
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

enum class OmissionReason {
  kOutsideLink,  // a link that leads out of the home and the project, without consent
  kUnreadable,
  kTooDeep,
  kSpecial,  // a socket, FIFO or device
};

std::string_view omission_reason_name(OmissionReason reason);  // "outside_link", ...

// What a backup of the snapshot will not hold.
struct Omission {
  model::LogicalPath path;
  OmissionReason reason = OmissionReason::kUnreadable;
  std::string leads_to{};  // of a link: where, absolute

  // A sentence without its end, and what can be done about it.
  std::string to_string() const;
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
  std::vector<Omission> omissions;

  // Whether what stands at the path is not known: it, or what it lies in, was left out.
  bool is_unreadable(const model::LogicalPath& path) const;
  const TreeEntry* find(const model::LogicalPath& path) const;
  // CHECKs that the entry is not absent.
  Location location_of(const TreeEntry& entry) const;
  uint64_t content_bytes() const;  // of all files
};

Result<Snapshot> take_snapshot(fs::FileSystem& fs, const SnapshotRequest& request);

}  // namespace stravinsky::store
