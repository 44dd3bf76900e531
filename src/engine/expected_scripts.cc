#include "engine/expected_scripts.h"

#include <map>
#include <string>
#include <vector>

#include "checks/source_parser.h"
#include "checks/tree_view.h"
#include "engine/present_tree.h"

namespace stravinsky::engine {
namespace {

constexpr std::string_view kHooks = "hooks/";

bool stands_in_tree(Session& session, const store::Snapshot& snapshot,
                    const model::LogicalPath& path, const std::string& text) {
  const store::TreeEntry* entry = snapshot.find(path);
  if (entry == nullptr || entry->stat.size_bytes != text.size()) return false;
  const auto present = read_managed_text(session.fs(), snapshot, path);
  return present && *present == text;
}

}  // namespace

void expect_scripts(Session& session, const store::Snapshot& snapshot, const store::Bundle& bundle,
                    model::Scope scope) {
  if (!session.config().boolean("update.pre_update_checks_enabled") &&
      !session.config().boolean("update.post_update_verification_enabled"))
    return;
  std::map<checks::SourceParser, std::vector<checks::Source>> sources;
  for (size_t i = 0; i < bundle.files().size(); ++i) {
    const std::string& name = bundle.files()[i].path.str();
    if (!name.starts_with(kHooks)) continue;
    const std::string& text = bundle.content(i);
    if (text.size() > checks::kScriptMaxBytes) continue;
    const auto parser = checks::parser_of(name, text);
    if (!parser || stands_in_tree(session, snapshot, {scope, bundle.files()[i].path}, text))
      continue;
    sources[*parser].push_back({name, text});
  }
  for (const auto& [parser, scripts] : sources) session.judge().expect(parser, scripts);
}

}  // namespace stravinsky::engine
