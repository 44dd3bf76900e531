#include "engine/fetch_npm.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/strings.h"
#include "fs/file.h"
#include "model/store_layout.h"

namespace stravinsky::engine {
namespace {

namespace layout = model::layout;
using fs::RelPath;

constexpr std::string_view kPrefix = "npm:";
constexpr size_t kNameMaxBytes = 214;
constexpr size_t kVersionMaxBytes = 64;
constexpr int64_t kTimeoutMs = 120'000;

constexpr std::string_view kNameBytes = "abcdefghijklmnopqrstuvwxyz0123456789-._~";
constexpr std::string_view kVersionBytes =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.+-_";

// What npm itself reads; everything else of the environment stays away from it.
constexpr std::array kVariables = {"HTTP_PROXY",
                                   "HTTPS_PROXY",
                                   "NO_PROXY",
                                   "http_proxy",
                                   "https_proxy",
                                   "no_proxy",
                                   "NODE_EXTRA_CA_CERTS",
                                   "SSL_CERT_FILE",
                                   "NPM_TOKEN",
                                   "NPM_CONFIG_REGISTRY",
                                   "npm_config_registry",
                                   "NPM_CONFIG_USERCONFIG",
                                   "npm_config_userconfig",
                                   "NPM_CONFIG_CACHE",
                                   "npm_config_cache"};

bool is_name_part(std::string_view part) {
  return !part.empty() && part.front() != '.' && part.front() != '_' && part.front() != '-' &&
         part.find_first_not_of(kNameBytes) == std::string_view::npos;
}

Error with_advice(ErrorCode code, std::string message, const NpmPackage& package,
                  std::string remedy) {
  return make_error(code, std::move(message), package.name + "@" + package.version)
      .with_untouched("Nothing was changed.")
      .with_remedy(std::move(remedy));
}

// npm's own words may hold the registry's address and more; only the kind is told.
Error npm_failure(const ProcessResult& result, const NpmPackage& package) {
  const auto says = [&](std::string_view word) {
    return result.errors.find(word) != std::string::npos ||
           result.output.find(word) != std::string::npos;
  };
  const std::string try_by_hand =
      fmt::format("See what npm says: npm pack {}@{}", package.name, package.version);
  if (result.timed_out)
    return with_advice(ErrorCode::kIo,
                       fmt::format("npm did not finish in {} seconds", kTimeoutMs / 1000), package,
                       "Try again later. " + try_by_hand);
  for (const char* word : {"E404", "ETARGET", "ENOVERSIONS"})
    if (says(word))
      return with_advice(ErrorCode::kNotFound, "npm knows no such package or version", package,
                         fmt::format("Look at the name, or: npm view {} versions", package.name));
  for (const char* word : {"ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ENETUNREACH",
                           "ETIMEDOUT", "ERR_SOCKET_TIMEOUT", "ENOTCACHED"})
    if (says(word))
      return with_advice(ErrorCode::kIo, fmt::format("npm cannot reach the registry ({})", word),
                         package, "Try again when there is a network.");
  if (says("EINTEGRITY"))
    return with_advice(ErrorCode::kCorrupt, "what npm got is not what the registry promised",
                       package, try_by_hand);
  for (const char* word : {"E401", "E403"})
    if (says(word))
      return with_advice(ErrorCode::kPermission,
                         fmt::format("the registry refuses it to you ({})", word), package,
                         "Log in with npm first: npm login");
  return with_advice(ErrorCode::kIo, fmt::format("npm failed with exit code {}", result.exit_code),
                     package, try_by_hand);
}

Status sweep(fs::FileSystem& fs, fs::Fd store) {
  ASSIGN_OR_RETURN(const fs::File staging,
                   fs::File::open(fs, store, layout::staging(), fs::OpenMode::kDirectory));
  ASSIGN_OR_RETURN(const auto entries, fs.list(staging.fd()));
  for (const fs::DirEntry& entry : entries)
    if (entry.name.starts_with(layout::fetched("").name()))
      RETURN_IF_ERROR(fs::remove_tree(fs, staging.fd(), RelPath::of(entry.name)));
  return {};
}

ProcessRequest npm_pack(const Environment& environment, const std::string& dir,
                        const NpmPackage& package) {
  ProcessRequest request;
  request.argv = {"npm",
                  "pack",
                  "--ignore-scripts",
                  "--pack-destination=" + dir,
                  "--prefix=" + dir,
                  "--no-update-notifier",
                  "--no-audit",
                  "--no-fund",
                  "--loglevel=error",
                  "--fetch-retries=1",
                  "--",
                  package.name + "@" + package.version};
  request.timeout_ms = kTimeoutMs;
  for (const char* name : kVariables)
    if (auto value = environment.variable(name))
      request.environment.emplace_back(name, std::move(*value));
  return request;
}

// The one tarball that npm put there.
Result<std::string> read_tarball(fs::FileSystem& fs, fs::Fd dir, const NpmPackage& package,
                                 uint64_t size_max_bytes) {
  ASSIGN_OR_RETURN(const auto entries, fs.list(dir));
  const auto tarball = std::ranges::find_if(
      entries, [](const fs::DirEntry& entry) { return entry.name.ends_with(".tgz"); });
  if (tarball == entries.end())
    return with_advice(ErrorCode::kIo, "npm said it was done and left no file", package,
                       "Look at your npm: npm --version");
  const RelPath name = RelPath::of(tarball->name);
  ASSIGN_OR_RETURN(const fs::Stat stat, fs.stat(dir, name));
  if (stat.size_bytes > size_max_bytes)
    return with_advice(ErrorCode::kCorrupt,
                       fmt::format("it is larger than {}", human_size(size_max_bytes)), package,
                       "Ask whoever made it.");
  return fs::read_file(fs, dir, name, size_max_bytes);
}

// dir: an empty one of nobody else's.
Result<std::string> pack_into(Session& session, const std::string& dir, const NpmPackage& package,
                              uint64_t size_max_bytes) {
  const Environment& environment = session.environment();
  auto ended = environment.processes.run(npm_pack(environment, dir, package));
  if (!ended && is_not_found(ended.error()))
    return with_advice(ErrorCode::kUnsupported, "npm is not installed", package,
                       "Install it (Debian: npm), or download the tarball and give its path.");
  if (!ended) return std::move(ended).error();
  if (ended->timed_out || ended->exit_code != 0) return npm_failure(*ended, package);
  ASSIGN_OR_RETURN(const fs::File opened, fs::File::open_root(session.fs(), dir));
  return read_tarball(session.fs(), opened.fd(), package, size_max_bytes);
}

Result<std::string> fetch_outside_the_store(Session& session, const NpmPackage& package,
                                            uint64_t size_max_bytes) {
  const Environment& environment = session.environment();
  ProcessRequest make{.argv = {"mktemp", "-d", "-t", "stravinsky-fetch-XXXXXXXXXX"},
                      .input = {},
                      .timeout_ms = kTimeoutMs,
                      .environment = {}};
  if (auto place = environment.variable("TMPDIR"))
    make.environment.emplace_back("TMPDIR", std::move(*place));
  const auto made = environment.processes.run(make);
  std::string dir = made ? made->output : std::string();
  while (dir.ends_with('\n')) dir.pop_back();
  if (!made || made->exit_code != 0 || !dir.starts_with('/'))
    return with_advice(ErrorCode::kIo, "no temporary directory could be made for npm", package,
                       fmt::format("Fetch it first: npm pack {}@{}, then give the file",
                                   package.name, package.version));
  auto bytes = pack_into(session, dir, package, size_max_bytes);
  (void)environment.processes.run(
      {.argv = {"rm", "-rf", "--", dir}, .input = {}, .timeout_ms = kTimeoutMs, .environment = {}});
  return bytes;
}

}  // namespace

bool is_npm(std::string_view source) {
  return source.starts_with(kPrefix);
}

Result<NpmPackage> NpmPackage::parse(std::string_view source) {
  const std::string_view text = source.substr(kPrefix.size());
  const size_t at = text.rfind('@');
  const bool has_version = at != std::string_view::npos && at > 0;
  NpmPackage package{.name = std::string(text.substr(0, has_version ? at : text.size())),
                     .version = has_version ? std::string(text.substr(at + 1)) : "latest"};
  const std::string_view name = package.name;
  const size_t slash = name.find('/');
  const bool is_scoped = name.starts_with('@') && slash != std::string_view::npos;
  const bool is_name =
      name.size() <= kNameMaxBytes && name != "node_modules" && name != "favicon.ico" &&
      (is_scoped ? is_name_part(name.substr(1, slash - 1)) && is_name_part(name.substr(slash + 1))
                 : is_name_part(name));
  const std::string_view version = package.version;
  const bool is_version = !version.empty() && version.size() <= kVersionMaxBytes &&
                          version.front() != '-' && version.front() != '.' &&
                          version.find_first_not_of(kVersionBytes) == std::string_view::npos;
  if (is_name && is_version) return package;
  return make_error(ErrorCode::kUsage,
                    is_name ? "not a version or tag of npm" : "not a name that a package can have",
                    escape(source))
      .with_untouched("Nothing was changed.")
      .with_remedy("Write it like npm:NAME, npm:NAME@1.2.3 or npm:@SCOPE/NAME.");
}

std::optional<model::Version> NpmPackage::exact_version() const {
  std::string_view core = version;
  if (core.starts_with('v')) core.remove_prefix(1);
  core = core.substr(0, core.find_first_of("-+"));
  const auto numbers = split(core, '.');
  const bool is_whole =
      numbers.size() == 3 && std::ranges::all_of(numbers, [](auto number) {
        return !number.empty() && number.find_first_not_of("0123456789") == std::string_view::npos;
      });
  if (!is_whole) return std::nullopt;
  auto exact = model::Version::parse(version);
  if (!exact) return std::nullopt;
  return std::move(*exact);
}

Result<std::string> fetch_npm(Session& session, const NpmPackage& package,
                              uint64_t size_max_bytes) {
  if (session.is_dry_run()) return fetch_outside_the_store(session, package, size_max_bytes);
  const Environment& environment = session.environment();
  fs::FileSystem& fs = session.fs();
  const store::StoreDir& store = session.store();
  RETURN_IF_ERROR(store.ensure(layout::staging()));
  ASSIGN_OR_RETURN(
      const fs::LockFile lock,
      fs::LockFile::acquire(fs, store.fd(), layout::fetch_lock(), environment.clock,
                            session.config().integer("safety.lock_timeout_seconds") * 1000,
                            fmt::format("pid {}, fetching from npm\n", environment.process_id)));
  RETURN_IF_ERROR(sweep(fs, store.fd()));
  const RelPath place = layout::fetched(environment.random.hex(8));
  RETURN_IF_ERROR(store.ensure(place));
  auto bytes = pack_into(session, store.path() + "/" + place.str(), package, size_max_bytes);
  // What cannot be removed now is swept by the next fetch.
  (void)fs::remove_tree(fs, store.fd(), place);
  return bytes;
}

}  // namespace stravinsky::engine
