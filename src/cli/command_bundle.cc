#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include "base/strings.h"
#include "cli/commands.h"
#include "engine/bundle_files.h"
#include "engine/fetch_npm.h"
#include "engine/open_source.h"
#include "model/hook_reference.h"

namespace stravinsky::cli {
namespace {

using nlohmann::json;

engine::Writing writing_of(const Invocation& invocation) {
  return invocation.options.dry_run ? engine::Writing::kPretend : engine::Writing::kDo;
}

// The last lines of a command that writes files of its own, or would.
ExitCode end_dry_run(const Invocation& invocation, const std::vector<std::string>& files,
                     json object) {
  json names = json::array();
  for (const std::string& file : files) {
    invocation.output.line("Dry run: " + escape(file) + " would be written.");
    names.push_back(escape(file));
  }
  object["dry_run"] = true;
  object["would_write"] = std::move(names);
  invocation.output.json(invocation.command, std::move(object), ExitCode::kDone);
  return ExitCode::kDone;
}

std::string version_text(const store::Bundle& bundle) {
  return bundle.version() ? bundle.version()->display() : "unknown";
}

// Events, and the files that their commands run; commands and matchers are values of
// settings and are not shown.
std::vector<model::HookReference> hooks_of(const store::Bundle& bundle,
                                           const engine::Session& session) {
  for (size_t i = 0; i < bundle.files().size(); ++i) {
    if (bundle.files()[i].path.str() != "settings.json") continue;
    auto found =
        model::find_hook_references(bundle.content(i), model::Scope::kUser, session.hook_roots());
    if (found) return std::move(*found);
  }
  return {};
}

std::vector<std::string> files_of(const model::HookReference& hook) {
  std::vector<std::string> files;
  for (const model::ReferencedFile& file : hook.files) {
    const auto logical = file.logical();
    if (logical) files.push_back(logical->display());
  }
  return files;
}

}  // namespace

ExitCode run_bundle_inspect(const Invocation& invocation, const BundleArguments& arguments) {
  // npm needs a place in the store to write to.
  const Use use = engine::is_npm(arguments.source) ? Use::kWrite : Use::kRead;
  const auto session = invocation.open_session(use);
  if (!session) return invocation.fail(session.error());
  const bool is_remote = engine::is_remote(arguments.source);
  const auto bundle = engine::open_source(
      **session, {.source = is_remote ? arguments.source : invocation.absolute(arguments.source),
                  .subdir = arguments.subdir,
                  .sha256 = arguments.sha256});
  if (!bundle) return invocation.fail(bundle.error());
  const Output& out = invocation.output;
  const std::string name = bundle->name().empty() ? "(no name)" : escape(bundle->name());
  out.line("name:     " + name);
  out.line("version:  " + version_text(*bundle));
  out.line(fmt::format("tree:     {} ({})", escape(bundle->layout().display()),
                       layout_name(bundle->layout().kind)));
  json files = json::array();
  uint64_t total_bytes = 0;
  for (const store::BundleFile& file : bundle->files()) {
    total_bytes += file.size_bytes;
    out.line(fmt::format("  {:04o} {:>9}  {}  {}", file.mode, human_size(file.size_bytes),
                         file.sha256.hex().substr(0, 16), escape(file.path.str())));
    files.push_back({{"path", escape(file.path.str())},
                     {"mode", fmt::format("{:04o}", file.mode)},
                     {"size_bytes", file.size_bytes},
                     {"sha256", file.sha256.hex()}});
  }
  out.line(
      fmt::format("{} files, {}", with_thousands(bundle->files().size()), human_size(total_bytes)));
  json hooks = json::array();
  for (const model::HookReference& hook : hooks_of(*bundle, **session)) {
    const auto run = files_of(hook);
    const std::string event = hook.is_status_line() ? "statusLine" : hook.event;
    out.line(fmt::format("hook:     {}: {}", escape(event),
                         run.empty() ? "a command" : fmt::format("{}", fmt::join(run, ", "))));
    hooks.push_back({{"event", escape(event)}, {"files", run}});
  }
  for (const std::string& warning : bundle->warnings()) out.warning(warning);
  out.json(
      invocation.command,
      {{"name", escape(bundle->name())},
       {"version", bundle->version() ? json(bundle->version()->str()) : json()},
       {"tree",
        {{"at", escape(bundle->layout().display())}, {"kind", layout_name(bundle->layout().kind)}}},
       {"files", std::move(files)},
       {"size_bytes", total_bytes},
       {"hooks", std::move(hooks)},
       {"warnings", bundle->warnings()}},
      ExitCode::kDone);
  return ExitCode::kDone;
}

ExitCode run_bundle_create(const Invocation& invocation, const BundleArguments& arguments) {
  const std::string file = invocation.absolute(arguments.output);
  const auto packed =
      engine::create_bundle(invocation.environment, invocation.absolute(arguments.source),
                            arguments.subdir, file, writing_of(invocation));
  if (!packed) return invocation.fail(packed.error());
  const Output& out = invocation.output;
  for (const std::string& warning : packed->warnings) out.warning(warning);
  if (invocation.options.dry_run) {
    out.line(fmt::format("   {} files, {}, sha256 {}", with_thousands(packed->files_count),
                         human_size(packed->size_bytes), packed->sha256.hex()));
    return end_dry_run(invocation, {file},
                       {{"files_count", packed->files_count},
                        {"size_bytes", packed->size_bytes},
                        {"sha256", packed->sha256.hex()}});
  }
  out.line(fmt::format("{} {}", out.tick(), out.good("Bundle created: " + escape(file))));
  out.line(fmt::format("   {} files, {}, sha256 {}", with_thousands(packed->files_count),
                       human_size(packed->size_bytes), packed->sha256.hex()));
  out.line("Sign it with: stravinsky bundle sign " + shell_quote(escape(arguments.output)) +
           " --key KEY");
  out.json(invocation.command,
           {{"file", escape(file)},
            {"files_count", packed->files_count},
            {"size_bytes", packed->size_bytes},
            {"sha256", packed->sha256.hex()}},
           ExitCode::kDone);
  return ExitCode::kDone;
}

ExitCode run_bundle_keygen(const Invocation& invocation, const BundleArguments& arguments) {
  const std::string file = invocation.absolute(arguments.output);
  if (invocation.options.dry_run) {
    if (const Status may = engine::may_make_key(invocation.environment, file); !may)
      return invocation.fail(may.error());
    return end_dry_run(invocation, {file, file + ".pub"}, json::object());
  }
  const auto key = engine::make_key(invocation.environment, file);
  if (!key) return invocation.fail(key.error());
  const Output& out = invocation.output;
  out.line(fmt::format("{} {}", out.tick(), out.good("Key made: " + escape(file))));
  out.line("   public key " + key->text());
  out.line("Keep the file to yourself; give the public key to whoever shall trust your bundles.");
  out.json(invocation.command, {{"file", escape(file)}, {"public_key", key->text()}},
           ExitCode::kDone);
  return ExitCode::kDone;
}

ExitCode run_bundle_sign(const Invocation& invocation, const BundleArguments& arguments) {
  const std::string file = invocation.absolute(arguments.source);
  const auto key = engine::sign_bundle(invocation.environment, file,
                                       invocation.absolute(arguments.key), writing_of(invocation));
  if (!key) return invocation.fail(key.error());
  if (invocation.options.dry_run)
    return end_dry_run(invocation, {file + ".sig"}, {{"public_key", key->text()}});
  const Output& out = invocation.output;
  out.line(fmt::format("{} {}", out.tick(), out.good("Signed: " + escape(file) + ".sig")));
  out.line("   with " + key->text());
  out.json(invocation.command, {{"file", escape(file) + ".sig"}, {"public_key", key->text()}},
           ExitCode::kDone);
  return ExitCode::kDone;
}

ExitCode run_bundle_verify(const Invocation& invocation, const BundleArguments& arguments) {
  std::vector<std::string> trusted;
  if (arguments.key.empty()) {
    const auto session = invocation.open_session(Use::kRead);
    if (!session) return invocation.fail(session.error());
    trusted = (*session)->config().list("update.trusted_keys");
  } else {
    auto key = engine::read_public_key(invocation.environment, arguments.key,
                                       invocation.absolute(arguments.key));
    if (!key) return invocation.fail(key.error());
    trusted = {std::move(*key)};
  }
  const auto key =
      engine::verify_bundle(invocation.environment, invocation.absolute(arguments.source), trusted);
  if (!key) return invocation.fail(key.error());
  const Output& out = invocation.output;
  out.line(fmt::format("{} {}", out.tick(), out.good("The signature holds.")));
  out.line("   by " + key->text());
  out.json(invocation.command, {{"public_key", key->text()}}, ExitCode::kDone);
  return ExitCode::kDone;
}

}  // namespace stravinsky::cli
