// tree_edit: turns "these paths shall be so" into the changes of a plan.
//
// The present tree comes from the manifest of the backup that was just taken and
// verified, so that what a change displaces is what the backup holds. Edits are
// applied to a copy of it in memory; the differences between the two are the
// changes. A directory that is new, gone or turned into something else is one
// change with all that is in it, so that it appears and vanishes in one rename.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "codec/tar_gz.h"
#include "fs/file_system.h"
#include "model/change_plan.h"
#include "model/component.h"
#include "model/image.h"
#include "model/manifest.h"
#include "store/roots.h"
#include "txn/content.h"

namespace stravinsky::engine {

// Hands out the bytes of one file.
using Bytes = std::function<Status(const codec::Sink&)>;

// What shall stand at a path. The image of a directory holds no children: they are
// edits of their own.
struct Edit {
  model::Image after;
  Bytes bytes;  // of a file
  // Also where the top of a component is a link that leads nowhere, and not only in
  // what such a link leads to.
  bool takes_links_place = false;
};
// An absent after-image removes a file or link; a directory only if nothing is left
// in it, known to us or not. Parents that are missing are made.
using Edits = std::map<model::LogicalPath, Edit>;

// The images of everything the manifest recorded, by path, without children.
using KnownTree = std::map<model::LogicalPath, model::Image>;
KnownTree known_tree(const model::Manifest& manifest);
// Of one entry, without children; absent unless it is stored.
model::Image stored_image(const model::Entry& entry);
// Of files and links; directories are no files.
size_t file_count(const KnownTree& tree);
// The same paths with the same images.
bool is_same_tree(const KnownTree& a, const KnownTree& b);

struct TreeEditInput {
  fs::FileSystem& fs;
  const store::Roots& roots;
  const KnownTree& known;
  const Edits& edits;
};

// Fills plan.anchors, links and changes, in order. kConflict: a path needs a
// directory where a file of the user's stands, or the other way round.
Status plan_edits(const TreeEditInput& input, model::ChangePlan& plan);

// The bytes of the plan's after-images, out of the edits; both must outlive it.
txn::Content content_of_edits(const model::ChangePlan& plan, const Edits& edits);

}  // namespace stravinsky::engine
