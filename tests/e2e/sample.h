// A small package in three versions, and a home in which it can be installed.
//
// Small, so that a sweep over every call of an operation stays quick; its hooks are
// shell scripts, whose parser starts in two milliseconds. What each version does to
// the one before it is said in sample.cc.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "scratch.h"

namespace stravinsky::e2e {

// Settings that register "bash ~/.claude/hooks/NAME" for each name.
std::string settings_with(const std::vector<std::string>& hooks);
// The names in such settings.
std::vector<std::string> hooks_named_by(std::string_view settings);
// A shell hook that parses; text makes it differ.
std::string hook(std::string_view text);

Files package(int version);  // 1, 2 or 3
// Version 2, but hooks/guard.sh does not parse.
Files package_with_broken_hook();
// Version 2, but settings register hooks/absent.sh, which is not shipped.
Files package_with_missing_hook();

class Home : public Scratch {
 public:
  // The packages lie in ~/bundles: 1, 2, 3, broken, missing. ~/.claude is empty.
  explicit Home(Place place = Place::kDisk);

  std::string bundle(std::string_view name) const { return at("bundles/" + std::string(name)); }
  // Writes ~/bundles/<name> with the files and returns its path.
  std::string make_bundle(std::string_view name, const Files& files) const;
  // "stravinsky update <version>.0.0 --from ~/bundles/<version>", which must succeed.
  Ended install(int version) const;

  static constexpr std::string_view kStore = ".stravinsky/rollback";
  std::string store(std::string_view path = {}) const;
  // Every file of the store: path and bytes.
  Tree store_tree() const { return tree(kStore); }
  // Reserved names of a transaction left beside its targets.
  std::vector<std::string> litter() const;
};

}  // namespace stravinsky::e2e
