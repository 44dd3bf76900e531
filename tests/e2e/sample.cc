#include "sample.h"

namespace stravinsky::e2e {
namespace {

std::string command(std::string_view title, std::string_view text) {
  return "---\ndescription: " + std::string(title) + "\n---\n\n# " + std::string(title) + "\n\n" +
         std::string(text) + "\n";
}

std::string agent(std::string_view name, std::string_view text) {
  return "---\nname: " + std::string(name) + "\ndescription: works\n---\n\n" + std::string(text) +
         "\n";
}

}  // namespace

std::string settings_with(const std::vector<std::string>& hooks) {
  std::string out =
      "{\n  \"hooks\": {\n    \"PreToolUse\": [\n      {\n        \"matcher\": \"Bash\","
      "\n        \"hooks\": [\n";
  for (size_t i = 0; i < hooks.size(); ++i)
    out += "          { \"type\": \"command\", \"command\": \"bash ~/.claude/hooks/" + hooks[i] +
           "\" }" + (i + 1 < hooks.size() ? "," : "") + "\n";
  return out + "        ]\n      }\n    ]\n  }\n}\n";
}

std::vector<std::string> hooks_named_by(std::string_view settings) {
  static constexpr std::string_view kPlace = "~/.claude/hooks/";
  std::vector<std::string> out;
  for (size_t at = settings.find(kPlace); at != std::string_view::npos;
       at = settings.find(kPlace, at + 1)) {
    const size_t start = at + kPlace.size();
    out.emplace_back(settings.substr(start, settings.find('"', start) - start));
  }
  return out;
}

std::string hook(std::string_view text) {
  return "#!/bin/bash\n# " + std::string(text) + "\nexit 0\n";
}

Files package(int version) {
  Files files{
      {"hooks/guard.sh", hook("guard of version " + std::to_string(version))},
      {"hooks/log.sh", hook("log, always the same")},
      {"commands/str/search.md", command("Search", "Look for it.")},
      {"agents/planner.md", agent("planner", "Plan in " + std::to_string(version) + " steps.")},
  };
  if (version == 1) {
    files.emplace_back("commands/watch.md", command("Watch", "Keep an eye on it."));
    files.emplace_back("settings.json", settings_with({"guard.sh", "log.sh"}));
    return files;
  }
  // Version 2 deletes a command, adds one in a new directory, and adds and registers
  // a hook; version 3 changes that hook.
  files.emplace_back("commands/deep/plan.md", command("Plan", "Think first."));
  files.emplace_back("hooks/audit.sh", hook("audit of version " + std::to_string(version)));
  files.emplace_back("settings.json", settings_with({"guard.sh", "log.sh", "audit.sh"}));
  return files;
}

Files package_with_broken_hook() {
  Files files = package(2);
  files.front().second = "#!/bin/bash\nif true; then\n  echo never closed\n";
  return files;
}

Files package_with_missing_hook() {
  Files files = package(2);
  files.back().second = settings_with({"guard.sh", "log.sh", "audit.sh", "absent.sh"});
  return files;
}

Home::Home(Place place) : Scratch(place) {
  dir(".claude");
  for (const int version : {1, 2, 3}) make_bundle(std::to_string(version), package(version));
  make_bundle("broken", package_with_broken_hook());
  make_bundle("missing", package_with_missing_hook());
}

std::string Home::make_bundle(std::string_view name, const Files& content) const {
  const std::string path = bundle(name);
  erase(path);
  files(path + "/.claude", content);
  return path;
}

Ended Home::install(int version) const {
  const std::string number = std::to_string(version);
  return expect(0, {"update", number + ".0.0", "--from", bundle(number)});
}

std::string Home::store(std::string_view path) const {
  return at(std::string(kStore) + (path.empty() ? "" : "/") + std::string(path));
}

std::vector<std::string> Home::litter() const {
  std::vector<std::string> out;
  for (const auto& [path, what] : tree(""))
    if (path.find(".rbk-") != std::string::npos) out.push_back(path);
  return out;
}

}  // namespace stravinsky::e2e
