#include "engine/left_out_settings.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "engine/history.h"
#include "engine/present_tree.h"
#include "model/settings_merge.h"

namespace stravinsky::engine {
namespace {

constexpr std::string_view kSettings = "settings.json";
constexpr size_t kShownMax = 20;

bool is_of_package(const store::InstalledBundle& installed, const store::Bundle& bundle,
                   model::Scope scope) {
  if (installed.scope != scope || installed.name != bundle.name()) return false;
  return !installed.name.empty() ||
         std::ranges::any_of(bundle.files(), [&](const store::BundleFile& file) {
           return installed.find(file.path) != nullptr;
         });
}

// Of the newest update of the package that is in force.
bool knows_its_settings(Session& session, const store::Bundle& bundle, model::Scope scope,
                        const Present& present) {
  const store::Root* root = session.roots().of(scope);
  if (!session.has_store() || root == nullptr) return false;
  std::vector<std::string> ids;
  if (!present.state.bundle.empty()) ids.push_back(present.state.bundle);
  if (const auto more =
          bundles_in_force(session.fs(), session.store().fd(), present.latest, root->path))
    ids.insert(ids.end(), more->begin(), more->end());
  for (const std::string& id : ids) {
    const auto installed = session.bundles().load(id);
    if (installed && is_of_package(*installed, bundle, scope))
      return installed->find(fs::RelPath::of(kSettings)) != nullptr;
  }
  return false;
}

// "hooks" and "hooks.<Event>": all that is beneath could not be merged.
bool is_of_another_shape(std::string_view path) {
  return path == "hooks" || (path.starts_with("hooks.") && !path.contains('['));
}

std::string listed(const std::vector<std::string>& paths) {
  std::vector<std::string> shown = paths;
  shown.resize(std::min(paths.size(), kShownMax));
  std::string list = fmt::to_string(fmt::join(shown, ", "));
  if (shown.size() < paths.size()) list += fmt::format(" and {} more", paths.size() - shown.size());
  return list;
}

}  // namespace

std::vector<std::string> left_out_settings(Session& session, const store::Bundle& bundle,
                                           model::Scope scope, const Present& present) {
  const model::LogicalPath path{scope, fs::RelPath::of(kSettings)};
  const auto theirs = std::ranges::find(bundle.files(), path.path, &store::BundleFile::path);
  if (theirs == bundle.files().end()) return {};
  const auto mine = read_managed_text(session.fs(), present.snapshot, path);
  if (!mine || !mine->has_value() || knows_its_settings(session, bundle, scope, present)) return {};
  const size_t index = static_cast<size_t>(theirs - bundle.files().begin());
  // Settings that cannot be merged are refused elsewhere, or empty.
  const auto merged = model::merge_settings_additive(**mine, bundle.content(index));
  if (!merged) return {};
  std::vector<std::string> shapes;
  std::vector<std::string> values;
  for (const std::string& kept : merged->kept)
    (is_of_another_shape(kept) ? shapes : values).push_back(kept);
  std::vector<std::string> sentences;
  if (!shapes.empty())
    sentences.push_back(fmt::format(
        "{}: the bundle's hooks were not added at {}, where yours is not of the shape that "
        "Claude Code reads; to have them, undo the update, mend that and update again",
        path.display(), listed(shapes)));
  if (!values.empty())
    sentences.push_back(fmt::format("{}: yours stays where the bundle has something else: {}",
                                    path.display(), listed(values)));
  return sentences;
}

}  // namespace stravinsky::engine
