// BundleLayout: where the tree lies in a bundle.
//
//   kClaude    DIR/.claude/ with a component's folder or settings.json in it
//   kPlugin    DIR/.claude-plugin/plugin.json beside commands/, agents/, skills/ or hooks/
//   kAssets    DIR/stravinsky_claude_assets/, in a wheel
//   kFolders   hooks/, commands/, ... or settings.json at the top
//
// The top is the source itself, its "package/" (npm), or its only directory. One of
// the first three at the top is the tree. Otherwise they are looked for down to
// kSearchDepthMax, and count together with folders at the top, which may as well be
// somebody's sources: one is the tree, several are for the user to choose from, and so
// are folders below the top where there is nothing else.
#pragma once

#include <optional>
#include <string>

#include "base/error.h"
#include "store/bundle_source.h"

namespace stravinsky::store {

enum class LayoutKind { kClaude, kPlugin, kAssets, kFolders };
// ".claude folder", "plugin", "wheel", "folders"
std::string_view layout_name(LayoutKind kind);

struct BundleLayout {
  LayoutKind kind = LayoutKind::kFolders;
  std::string package;  // the directory whose metadata are its own
  std::string root;     // the directory that holds hooks/ and the others

  std::string display() const;  // root for people and for --subdir; "." for the top
};

inline constexpr size_t kSearchDepthMax = 4;

// kUsage when there is none, when there are several (they are listed), when there is
// none in subdir. subdir is relative to the source or to its top.
Result<BundleLayout> find_layout(BundleSource& source, const std::optional<std::string>& subdir);

// A component's folder or file at the root of a tree.
bool is_tree_top(std::string_view name);

}  // namespace stravinsky::store
