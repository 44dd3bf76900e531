#include "engine/inverse.h"

#include <map>

namespace stravinsky::engine {
namespace {

using model::Image;

Image without_children(const Image& image) {
  Image copy = image;
  copy.children.clear();
  return copy;
}

}  // namespace

std::vector<PathChange> path_changes(const model::ChangePlan& plan) {
  std::vector<PathChange> all;
  for (size_t i = 0; i < plan.changes.size(); ++i) {
    const model::Change& change = plan.changes[i];
    std::map<std::string, std::pair<Image, Image>> by_inner_path;
    model::visit_image(change.before, "", [&](const std::string& inner, const Image& image) {
      by_inner_path[inner].first = without_children(image);
    });
    model::visit_image(change.after, "", [&](const std::string& inner, const Image& image) {
      by_inner_path[inner].second = without_children(image);
    });
    for (auto& [inner, images] : by_inner_path) {
      const model::LogicalPath path{
          change.logical.scope,
          inner.empty() ? change.logical.path : change.logical.path / fs::RelPath::of(inner)};
      all.push_back({path, std::move(images.first), std::move(images.second), i, inner});
    }
  }
  return all;
}

size_t file_count(const model::ChangePlan& plan) {
  const auto is_file = [](const Image& image) {
    return !image.is_absent() && image.kind != model::ImageKind::kDirectory;
  };
  size_t count = 0;
  for (const PathChange& one : path_changes(plan))
    if (is_file(one.before) || is_file(one.after)) ++count;
  return count;
}

Edits inverse_edits(const model::ChangePlan& plan, const BeforeBytes& before_bytes) {
  Edits edits;
  for (PathChange& one : path_changes(plan)) {
    Edit edit{.after = std::move(one.before), .bytes = {}};
    if (edit.after.kind == model::ImageKind::kFile) {
      edit.bytes = [before_bytes, change = one.change, inner = one.inner_path](
                       const codec::Sink& sink) { return before_bytes(change, inner, sink); };
    }
    edits.emplace(std::move(one.path), std::move(edit));
  }
  return edits;
}

}  // namespace stravinsky::engine
