// bundle_plugin: turns the files of a Claude Code plugin into those of a tree.
//
// Claude Code reads a plugin where it lies and tells its hooks where that is by
// CLAUDE_PLUGIN_ROOT. Here the files land in the user's tree, so:
//   hooks/hooks.json, or what plugin.json names or holds as "hooks", becomes the
//   "hooks" of a settings.json, which the update merges like any other
//   ${CLAUDE_PLUGIN_ROOT} in it, and in Markdown, becomes the root of that tree
//   a file that these name by ${CLAUDE_PLUGIN_ROOT}/ comes along, and with one in a
//   directory (scripts/run.sh) all that lies beneath it
// What a tree cannot hold is told: MCP servers, a settings.json of the plugin's own,
// folders that plugin.json names elsewhere, scripts that read CLAUDE_PLUGIN_ROOT, and what
// lies at the plugin's top and is named by nothing.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "store/bundle_source.h"

namespace stravinsky::store {

struct PluginTree {
  std::vector<RawFile> sources;  // as they lie in the source, for hashes and packing
  std::vector<RawFile> files;    // with their paths in the root
  std::vector<std::string> warnings;
};

// root: the plugin's directory in the source. root_in_commands: how commands shall spell
// the tree's root. kCorrupt for hooks that cannot be understood.
Result<PluginTree> read_plugin(BundleSource& source, const std::string& root,
                               const std::string& root_in_commands);

}  // namespace stravinsky::store
