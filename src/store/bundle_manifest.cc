#include "store/bundle_manifest.h"

#include <nlohmann/json.hpp>

#include "base/strings.h"
#include "codec/canonical_json.h"
#include "codec/sha256.h"
#include "model/json_object.h"

namespace stravinsky::store {
namespace {

using nlohmann::json;

constexpr uint64_t kBundleManifestFormat = 1;

struct Listed {
  codec::Digest sha256;
  bool seen = false;
};

Error bad_manifest(const Error& cause) {
  return refuse_bundle(kBundleManifestName, "it cannot be understood: " + cause.message);
}

Status compare(const RawFile& file, const Listed& listed) {
  if (codec::sha256(file.content) == listed.sha256) return {};
  return refuse_bundle(file.path.str(), "its content is not what the bundle's manifest says");
}

}  // namespace

std::string make_bundle_manifest(const std::vector<RawFile>& files, const std::string& name,
                                 const std::string& version) {
  json list = json::array();
  for (const RawFile& file : files)
    list.push_back({{"mode", file.mode},
                    {"path", escape(file.path.str())},
                    {"sha256", codec::sha256(file.content).hex()},
                    {"size", file.content.size()}});
  return codec::canonical_json({{"files", std::move(list)},
                                {"format_version", kBundleManifestFormat},
                                {"name", escape(name)},
                                {"version", version}});
}

Status check_bundle_manifest(BundleSource& source, const std::string& at, const std::string& text,
                             const std::vector<RawFile>& tree) {
  const auto value = codec::parse_strict_json(text);
  if (!value) return bad_manifest(value.error());
  const Status known =
      model::check_format_version(*value, kBundleManifestFormat, "bundle's manifest");
  if (!known && known.error().code == ErrorCode::kUnsupported) return known.error();
  if (!known) return bad_manifest(known.error());
  model::JsonObject object(*value, "the bundle's manifest");
  std::map<std::string, Listed> listed;
  for (const json& one : object.array("files")) {
    model::JsonObject file(one, "a file of the bundle's manifest");
    const auto path = fs::RelPath::parse(file.bytes("path"));
    if (!path) file.fail("path", "a path");
    const codec::Digest sha256 = file.digest("sha256");
    if (const Status good = file.status(); !good) return bad_manifest(good.error());
    listed.emplace(join_path(at, path->str()), Listed{sha256});
  }
  if (const Status good = object.status(); !good) return bad_manifest(good.error());
  for (const RawFile& file : tree) {
    const auto found = listed.find(file.path.str());
    if (found == listed.end())
      return refuse_bundle(file.path.str(), "the bundle's manifest does not name it");
    RETURN_IF_ERROR(compare(file, found->second));
    found->second.seen = true;
  }
  for (const auto& [path, one] : listed) {
    if (one.seen) continue;
    ASSIGN_OR_RETURN(const auto file, source.read(path));
    if (!file) return refuse_bundle(path, "the bundle's manifest names it, and it is missing");
    RETURN_IF_ERROR(compare(*file, one));
  }
  return {};
}

}  // namespace stravinsky::store
