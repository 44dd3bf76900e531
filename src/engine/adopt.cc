#include "engine/adopt.h"

#include "base/strings.h"
#include "engine/guarded_install.h"
#include "engine/open_source.h"
#include "engine/present_tree.h"
#include "store/bundle.h"

namespace stravinsky::engine {
namespace {

Result<model::Version> version_of(const AdoptRequest& request, const store::Bundle& bundle) {
  if (request.version) return model::Version::parse(*request.version);
  if (bundle.version()) return *bundle.version();
  return make_error(ErrorCode::kUsage, "the bundle does not say its version", request.source)
      .with_untouched("Nothing was changed.")
      .with_remedy("Give it: stravinsky adopt VERSION --from " + shell_quote(request.source));
}

std::string display_version(const std::string& text) {
  const auto version = model::Version::parse(text);
  return version ? version->display() : text;
}

Status compare(Session& session, const store::Bundle& bundle, model::Scope scope,
               Adopted& adopted) {
  ASSIGN_OR_RETURN(const store::Snapshot snapshot, session.list_tree());
  ASSIGN_OR_RETURN(const KnownTree known, hash_tree(session.fs(), snapshot));
  for (const store::BundleFile& file : bundle.files()) {
    const model::LogicalPath path{scope, file.path};
    const auto found = known.find(path);
    if (found == known.end()) {
      adopted.deleted.push_back(path.display());
    } else if (found->second.kind == model::ImageKind::kFile &&
               found->second.sha256 == file.sha256) {
      ++adopted.untouched;
    } else {
      adopted.edited.push_back(path.display());
    }
  }
  return {};
}

// The base first: a state that names a bundle which is not there would be worse than
// the old one.
Status declare(Session& session, const store::Bundle& bundle, const model::Version& version,
               const AdoptRequest& request) {
  ASSIGN_OR_RETURN(store::Latest latest, session.latest());
  store::TreeState& state = latest.trees[session.roots().of(request.scope)->path];
  model::AuditEvent event;
  event.type = model::AuditEventType::kVersionAdopted;
  event.version = version.str();
  event.previous_version = state.version;
  event.status = model::AuditStatus::kSuccess;
  event.notes = "no file was changed";
  ASSIGN_OR_RETURN_WHILE(state.bundle, session.bundles().save(bundle, version, request.scope),
                         "while keeping the bundle");
  state.version = version.str();
  RETURN_IF_ERROR(store::write_latest(session.fs(), session.store().fd(), latest));
  if (Status recorded = session.record(event); !recorded)
    return Error(std::move(recorded).error())
        .with_context("while recording it")
        .with_untouched("The version is declared, and no file was changed.");
  return {};
}

}  // namespace

Result<Adopted> adopt(Session& session, const AdoptRequest& request) {
  ASSIGN_OR_RETURN_WHILE(
      const store::Bundle bundle,
      open_source(session,
                  {.source = request.source, .subdir = request.subdir, .scope = request.scope}),
      "while reading the bundle");
  ASSIGN_OR_RETURN(const model::Version version, version_of(request, bundle));
  const store::Root* root = session.roots().of(request.scope);
  if (root == nullptr)
    return make_error(ErrorCode::kNotFound, "there is no project here")
        .with_untouched("Nothing was changed.")
        .with_remedy("Name it with --project DIR.");
  RETURN_IF_ERROR(session.begin_writing());
  RETURN_IF_ERROR(refuse_while_begun(session));
  ASSIGN_OR_RETURN(const store::Latest latest, session.latest());
  Adopted adopted;
  adopted.knew_version = !latest.at(root->path).bundle.empty();
  adopted.from_version = display_version(latest.at(root->path).version);
  adopted.to_version = version.display();
  adopted.warnings = bundle.warnings();
  adopted.is_dry_run = session.is_dry_run();
  RETURN_IF_ERROR(compare(session, bundle, request.scope, adopted));
  // Each would count as deleted by the user, and no update would ever bring one.
  if (adopted.untouched == 0 && adopted.edited.empty())
    return make_error(ErrorCode::kNotFound, "none of the bundle's files is in the tree",
                      request.source)
        .with_untouched("Nothing was changed.")
        .with_remedy("Install it: stravinsky update --from " + shell_quote(request.source));
  if (adopted.untouched == 0)
    adopted.warnings.push_back(
        "no file of the tree equals the bundle's: see that it is this "
        "version of this package that is installed");
  if (!session.is_dry_run()) RETURN_IF_ERROR(declare(session, bundle, version, request));
  return adopted;
}

}  // namespace stravinsky::engine
