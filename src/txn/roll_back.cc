#include "txn/roll_back.h"

#include <optional>

#include "base/mutant.h"
#include "txn/before_images.h"
#include "txn/inspect.h"
#include "txn/public_name.h"
#include "txn/swap.h"

namespace stravinsky::txn {
namespace {

using model::Change;
using model::ChangePlan;

std::string_view why(TakenBack taken) {
  return taken == TakenBack::kTheirEdit
             ? "was saved by somebody else while the operation ran; that version stays"
             : "was changed since and stays as it is";
}

}  // namespace

Result<std::vector<Kept>> roll_back(const TransactionContext& context, fs::Fd tx_dir,
                                    const ChangePlan& plan, const Targets& targets) {
  fs::FileSystem& fs = context.fs;
  std::optional<BeforePlaces> places;  // mostly nothing has to be read
  const Content before_content = [&](size_t change, const std::string& inner_path,
                                     const codec::Sink& sink) {
    if (!places) places.emplace(plan);
    return read_before_image(fs, tx_dir, *places, change, inner_path, sink);
  };
  const int64_t now_ns = context.clock.now_ns();
  std::vector<TakenBack> taken(plan.changes.size(), TakenBack::kLeft);
  std::vector<Kept> kept;
  Status first_error;
  for (size_t i = plan.changes.size(); i-- > 0;) {
    const Change& change = plan.changes[i];
    if (!first_error && i + 1 < plan.changes.size() && plan.changes[i + 1].order != change.order)
      break;
    if (!targets.reachable(i)) {
      kept.push_back({change.display, "", "its directory is gone; left alone"});
      continue;
    }
    auto done = take_back(fs, targets, plan,
                          {.change = i, .before_content = &before_content, .mtime_ns = now_ns});
    if (!done) {
      if (first_error)
        first_error = Error(with_public_name(std::move(done).error(), change)
                                .with_context("while restoring " + change.display));
      continue;
    }
    taken[i] = *done;
    if (*done != TakenBack::kRestored)
      kept.push_back({change.display, "", std::string(why(*done))});
  }
  RETURN_IF_ERROR(std::move(first_error));
  if (!MUTANT(roll_back_without_sync)) RETURN_IF_ERROR(targets.sync(fs));
  for (size_t i = 0; i < plan.changes.size(); ++i) {
    if (taken[i] != TakenBack::kRestored) continue;
    const auto now = inspect(fs, targets.dir(i), targets.leaf(i));
    if (!now) return with_public_name(now.error(), plan.changes[i]);
    if (!now->same_as(plan.changes[i].before) && !MUTANT(roll_back_without_check))
      return make_error(ErrorCode::kChanged, "was changed while it was restored",
                        plan.changes[i].display);
  }
  return kept;
}

}  // namespace stravinsky::txn
