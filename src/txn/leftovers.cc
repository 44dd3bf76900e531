#include "txn/leftovers.h"

#include <algorithm>

#include "base/mutant.h"
#include "model/store_layout.h"
#include "txn/inspect.h"
#include "txn/public_name.h"
#include "txn/stage.h"

namespace stravinsky::txn {
namespace {

namespace layout = model::layout;
using fs::RelPath;
using model::Change;
using model::ChangePlan;
using model::Image;

constexpr size_t kNameMaxBytes = 255;

// Bytes of the node at name, for a copy of it.
Content content_of_node(fs::FileSystem& fs, fs::Fd dir, const RelPath& name) {
  return
      [&fs, dir, &name](size_t, const std::string& inner_path, const codec::Sink& sink) -> Status {
        const RelPath path = inner_path.empty() ? name : name / RelPath::of(inner_path);
        ASSIGN_OR_RETURN(const fs::File file, fs::File::open(fs, dir, path, fs::OpenMode::kRead));
        return fs::read_pieces(fs, file.fd(), sink);
      };
}

// Nothing is in found that is not in image: a tree whose removal was cut off.
// Directory modes may have been opened up for it.
bool is_part_of(const Image& found, const Image& image) {
  if (found.kind != model::ImageKind::kDirectory || found.kind != image.kind)
    return found.same_as(image);
  return std::ranges::all_of(found.children, [&](const auto& child) {
    return std::ranges::any_of(image.children, [&](const auto& known) {
      return known.name == child.name && is_part_of(child.image, known.image);
    });
  });
}

// Copies the node into the store; the path of the copy beneath the store.
Result<std::string> preserve(const TransactionContext& context, const ChangePlan& plan,
                             const Targets& targets, size_t change, const RelPath& name,
                             const Image& image) {
  fs::FileSystem& fs = context.fs;
  const RelPath home = layout::conflicts(plan.facts.id);
  RETURN_IF_ERROR(fs::ensure_dir(fs, context.store, home, layout::kDirectoryMode));
  RETURN_IF_ERROR(fs::sync_path(fs, context.store, home));
  ASSIGN_OR_RETURN(const fs::File dir,
                   fs::File::open(fs, context.store, home, fs::OpenMode::kDirectory));
  // What sets the reserved names of a change apart, so that no copy replaces another.
  const std::string_view tail =
      name.name().substr(layout::stage_name(plan.facts.id, change).size());
  std::string copy_name =
      std::to_string(change) + std::string(tail) + "-" + targets.leaf(change).str();
  if (copy_name.size() > kNameMaxBytes) copy_name.resize(kNameMaxBytes);
  const RelPath copy = RelPath::of(copy_name);
  RETURN_IF_ERROR(remove_stage(fs, dir.fd(), copy));  // half-made by an earlier attempt
  const StageRequest request{.image = &image, .change = change, .mtime_ns = context.clock.now_ns()};
  RETURN_IF_ERROR(
      build_stage(fs, dir.fd(), copy, request, content_of_node(fs, targets.dir(change), name)));
  if (!MUTANT(preserve_without_sync)) {
    RETURN_IF_ERROR(sync_stage(fs, dir.fd(), copy, image));
    RETURN_IF_ERROR(fs.sync(dir.fd(), fs::SyncKind::kFull));
  }
  return (home / copy).str();
}

Status remove_one(const TransactionContext& context, const ChangePlan& plan, const Targets& targets,
                  size_t change, const RelPath& name, LeftoverKind kind, std::vector<Kept>& kept) {
  const Change& it = plan.changes[change];
  const fs::Fd dir = targets.dir(change);
  ASSIGN_OR_RETURN(const auto found, fs::stat_if_present(context.fs, dir, name));
  if (!found) return {};
  if (kind == LeftoverKind::kOnlyStages) return remove_stage(context.fs, dir, name);
  ASSIGN_OR_RETURN(const Image image, inspect(context.fs, dir, name));
  if (!is_part_of(image, it.before) && !is_part_of(image, it.after) &&
      !MUTANT(leftovers_without_preserving)) {
    ASSIGN_OR_RETURN_WHILE(const std::string copy,
                           preserve(context, plan, targets, change, name, image),
                           "while setting aside a late edit of " + it.display);
    kept.push_back({it.display, copy, "was changed while the operation ran"});
  }
  return remove_stage(context.fs, dir, name);
}

}  // namespace

Result<std::vector<Kept>> remove_leftovers(const TransactionContext& context,
                                           const ChangePlan& plan, const Targets& targets,
                                           LeftoverKind kind) {
  std::vector<Kept> kept;
  for (size_t i = 0; i < plan.changes.size(); ++i) {
    if (!targets.reachable(i)) continue;
    Status removed = remove_one(context, plan, targets, i, targets.stage(i), kind, kept);
    if (removed) removed = remove_one(context, plan, targets, i, targets.stash(i), kind, kept);
    // Nothing of the user's ever gets this name (swap.cc), but half-built nodes do.
    if (removed) removed = remove_stage(context.fs, targets.dir(i), targets.rebuilt(i));
    RETURN_IF_ERROR(with_public_name(std::move(removed), plan.changes[i]));
  }
  for (const fs::File& directory : targets.directories())
    if (!MUTANT(leftovers_without_sync))
      RETURN_IF_ERROR(context.fs.sync(directory.fd(), fs::SyncKind::kFull));
  return kept;
}

}  // namespace stravinsky::txn
