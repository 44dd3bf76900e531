// Targets: the open directories in which a plan's changes take place.
//
// Each change works on names in one directory: its leaf, the stage name that
// holds the new content before the exchange and the displaced content after it,
// the stash name, used only where the file system cannot exchange names, and the
// rebuilt name, used only when a displaced node has to be built again. All three
// are reserved: what a transaction finds there is its own or was displaced by it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "fs/file.h"
#include "model/change_plan.h"

namespace stravinsky::txn {

// What to do with a root that stands where the recorded one stood but is not it.
enum class ReplacedRoot { kRefuse, kAccept };

class Targets {
 public:
  // Opens each anchor and, beneath it and through no link, the parent of each
  // change. kNotFound: a root is missing. kChanged: a root is another directory
  // now (an unmounted disk, say). Touches nothing.
  static Result<Targets> open(fs::FileSystem& fs, const model::ChangePlan& plan,
                              ReplacedRoot replaced_root);

  // False when the change's directory is gone: nothing can be done there. A new
  // transaction refuses that; recovery leaves such a change alone and says so.
  bool reachable(size_t change) const { return places_[change].directory != kNowhere; }
  fs::Fd dir(size_t change) const { return directories_[places_[change].directory].fd(); }
  const fs::RelPath& leaf(size_t change) const { return places_[change].leaf; }
  const fs::RelPath& stage(size_t change) const { return places_[change].stage; }
  const fs::RelPath& stash(size_t change) const { return places_[change].stash; }
  const fs::RelPath& rebuilt(size_t change) const { return places_[change].rebuilt; }

  // Makes the names in every directory durable; also the file systems as a whole
  // where that is needed (fs::Space::directory_sync_suffices).
  Status sync(fs::FileSystem& fs) const;
  const std::vector<fs::File>& directories() const { return directories_; }

 private:
  struct Place {
    size_t directory;
    fs::RelPath leaf;
    fs::RelPath stage;
    fs::RelPath stash;
    fs::RelPath rebuilt;
  };
  static constexpr size_t kNowhere = SIZE_MAX;
  std::vector<fs::File> directories_;  // the anchors first, in their order
  std::vector<Place> places_;
};

// The links that the plan was resolved through still read as they did: kChanged otherwise.
Status check_links(fs::FileSystem& fs, const model::ChangePlan& plan);

}  // namespace stravinsky::txn
