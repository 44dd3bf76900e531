#include "store/bundle_identity.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/strings.h"
#include "codec/canonical_json.h"
#include "store/bundle_manifest.h"

namespace stravinsky::store {
namespace {

constexpr size_t kNameMaxBytes = 214;  // npm's own limit

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r'))
    text.remove_suffix(1);
  return text;
}

void set_name(BundleIdentity& identity, std::string_view name) {
  if (identity.name.empty() && name.size() <= kNameMaxBytes) identity.name = name;
}

void set_version(BundleIdentity& identity, std::string_view text) {
  if (identity.version) return;
  if (auto version = model::Version::parse(text)) identity.version = std::move(*version);
}

void add_json(BundleIdentity& identity, const std::string& text) {
  const auto value = codec::parse_strict_json(text);
  if (!value || !value->is_object()) return;
  const auto text_of = [&](const char* key) -> std::string {
    const auto at = value->find(key);
    return at != value->end() && at->is_string() ? at->get<std::string>() : std::string();
  };
  set_name(identity, text_of("name"));
  set_version(identity, text_of("version"));
}

// "Name: x" and "Version: 1.2" of the headers (RFC 822) that come before the text.
void add_wheel_metadata(BundleIdentity& identity, const std::string& text) {
  for (const std::string_view raw_line : split(text, '\n')) {
    const std::string_view line = trim(raw_line);
    if (line.empty()) return;
    if (line.starts_with("Name:")) set_name(identity, trim(line.substr(5)));
    if (line.starts_with("Version:")) set_version(identity, trim(line.substr(8)));
  }
}

// The quoted value of `key = "value"`; empty for any other line.
std::string_view toml_text(std::string_view line, std::string_view key) {
  if (!line.starts_with(key)) return {};
  const std::string_view rest = trim(line.substr(key.size()));
  if (!rest.starts_with('=')) return {};
  const std::string_view value = trim(rest.substr(1));
  if (value.empty() || (value.front() != '"' && value.front() != '\'')) return {};
  const size_t close = value.find(value.front(), 1);
  return close == std::string_view::npos ? std::string_view() : value.substr(1, close - 1);
}

// Of [project] or [tool.poetry]; as much TOML as that needs.
void add_pyproject(BundleIdentity& identity, const std::string& text) {
  bool in_project = false;
  for (const std::string_view raw_line : split(text, '\n')) {
    const std::string_view line = trim(raw_line);
    if (line.starts_with('[')) in_project = line == "[project]" || line == "[tool.poetry]";
    if (!in_project) continue;
    if (const auto name = toml_text(line, "name"); !name.empty()) set_name(identity, name);
    if (const auto version = toml_text(line, "version"); !version.empty())
      set_version(identity, version);
  }
}

Result<std::optional<RawFile>> nearest(BundleSource& source, const std::string& package,
                                       std::string_view name) {
  for (const std::string& dir : dir_and_above(package)) {
    ASSIGN_OR_RETURN(auto file, source.read(join_path(dir, name)));
    if (file) return file;
  }
  return std::nullopt;
}

Result<std::optional<RawFile>> nearest_wheel_metadata(BundleSource& source,
                                                      const std::string& package) {
  for (const std::string& dir : dir_and_above(package)) {
    ASSIGN_OR_RETURN(const auto entries, source.list(dir));
    for (const fs::DirEntry& entry : entries) {
      if (!entry.name.ends_with(".dist-info")) continue;
      ASSIGN_OR_RETURN(auto file, source.read(join_path(dir, entry.name + "/METADATA")));
      if (file) return file;
    }
  }
  return std::nullopt;
}

}  // namespace

std::vector<std::string> dir_and_above(const std::string& dir) {
  std::vector<std::string> dirs = {dir};
  while (!dirs.back().empty()) {
    const size_t slash = dirs.back().rfind('/');
    dirs.push_back(slash == std::string::npos ? "" : dirs.back().substr(0, slash));
  }
  return dirs;
}

Result<BundleIdentity> identify(BundleSource& source, const std::string& package,
                                FirstMetadata first) {
  BundleIdentity identity;
  using Add = void (*)(BundleIdentity&, const std::string&);
  const auto take = [&](Result<std::optional<RawFile>> file, Add add) -> Status {
    if (!file) return std::move(file).error();
    if (!*file) return {};
    add(identity, (*file)->content);
    identity.files.push_back(std::move(**file));
    return {};
  };
  std::array<const char*, 2> names = {".claude-plugin/plugin.json", "package.json"};
  if (first == FirstMetadata::kPackage) std::ranges::reverse(names);
  std::array<std::optional<model::Version>, 2> versions;
  for (size_t i = 0; i < names.size(); ++i) {
    auto file = nearest(source, package, names[i]);
    if (file && *file) {
      BundleIdentity alone;
      add_json(alone, (*file)->content);
      versions[i] = alone.version;
    }
    RETURN_IF_ERROR(take(std::move(file), add_json));
  }
  if (versions[0] && versions[1] && versions[0]->str() != versions[1]->str())
    identity.warnings.push_back(fmt::format("{} says version {}, {} says {}", names[0],
                                            versions[0]->str(), names[1], versions[1]->str()));
  RETURN_IF_ERROR(take(nearest_wheel_metadata(source, package), add_wheel_metadata));
  RETURN_IF_ERROR(take(nearest(source, package, "pyproject.toml"), add_pyproject));
  RETURN_IF_ERROR(take(nearest(source, package, kBundleManifestName), add_json));
  return identity;
}

}  // namespace stravinsky::store
