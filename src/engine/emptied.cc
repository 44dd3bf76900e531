#include "engine/emptied.h"

#include <fmt/format.h>

#include <map>

#include "base/strings.h"

namespace stravinsky::engine {
namespace {

using checks::Finding;
using model::Component;
using model::ComponentKind;

using FileCounts = std::map<std::pair<model::Scope, const Component*>, size_t>;

// What settings name outside the components is managed only as long as they do.
FileCounts files_by_component(const KnownTree& tree) {
  FileCounts counts;
  for (const auto& [path, image] : tree) {
    const Component* component = model::component_of(path.path);
    if (component == nullptr || component->kind == ComponentKind::kReferenced) continue;
    if (image.kind != model::ImageKind::kDirectory) ++counts[{path.scope, component}];
  }
  return counts;
}

Finding emptied(std::string file, std::string message, std::string remedy) {
  return {.severity = checks::Severity::kBlocking,
          .check = "tree",
          .rule = "tree.emptied",
          .file = std::move(file),
          .message = std::move(message),
          .remedy = std::move(remedy)};
}

}  // namespace

std::vector<Finding> emptied_components(const KnownTree& before, const KnownTree& now,
                                        const std::set<std::string>& meant) {
  const FileCounts old_counts = files_by_component(before);
  const FileCounts new_counts = files_by_component(now);
  std::vector<Finding> findings;
  size_t gone = 0;
  for (const auto& [key, count] : old_counts) {
    const auto& [scope, component] = key;
    if (new_counts.contains(key) || meant.contains(std::string(component->name))) continue;
    gone += count;
    const model::LogicalPath top{scope, fs::RelPath::of(component->top)};
    findings.push_back(emptied(
        top.display(),
        component->kind == ComponentKind::kFile
            ? "is gone: the installer deleted it, or whoever else did"
            : fmt::format("is empty: {} gone, and the installer put none there",
                          count == 1 ? "its only file is" : counted(count, "file") + " are"),
        fmt::format("If the new version is meant to have none: begin again, and finish with "
                    "--removes {}; otherwise the installer is broken, ask its author.",
                    component->name)));
  }
  if (!findings.empty() && new_counts.empty())
    return {emptied("", fmt::format("no managed file is left; there were {}", gone),
                    "The installer is broken, ask its author.")};
  return findings;
}

}  // namespace stravinsky::engine
