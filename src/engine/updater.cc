#include "engine/updater.h"

#include <memory>
#include <utility>

#include "base/check.h"
#include "base/strings.h"
#include "engine/expected_scripts.h"
#include "engine/left_out_settings.h"
#include "engine/open_source.h"
#include "engine/operation.h"
#include "engine/update_proposer.h"
#include "store/bundle.h"

namespace stravinsky::engine {
namespace {

using model::TransactionKind;

Result<model::Version> version_of(const UpdateRequest& request, const store::Bundle& bundle) {
  if (request.version) return model::Version::parse(*request.version);
  if (bundle.version()) return *bundle.version();
  if (request.on_blocking == OnBlocking::kReport) return model::Version();
  return make_error(ErrorCode::kUsage, "the bundle does not say its version", request.source)
      .with_untouched("Nothing was changed.")
      .with_remedy("Give it: stravinsky update VERSION --from " + shell_quote(request.source));
}

MergePolicy policy(const Session& session, const std::optional<MergePolicy>& asked_for,
                   std::string_view key) {
  const auto configured = parse_merge_policy(session.config().text(key));
  CHECK(configured.has_value());
  return asked_for.value_or(*configured);
}

}  // namespace

Result<OperationResult> update(Session& session, const UpdateRequest& request) {
  std::shared_ptr<const store::Bundle> bundle;
  model::Version version;
  OperationRequest operation;
  operation.kind = TransactionKind::kUpdate;
  operation.backup_kind = model::BackupKind::kPreUpdate;
  operation.on_blocking = request.on_blocking;
  operation.asked_for = request.version.value_or("");
  operation.open = [&](const store::Snapshot& snapshot) -> Result<Subject> {
    if (session.roots().of(request.scope) == nullptr)
      return make_error(ErrorCode::kNotFound, "there is no project here")
          .with_remedy("Name it with --project DIR.");
    Subject subject{
        .tree = session.roots().of(request.scope)->path, .to_version = {}, .touches = {}};
    ASSIGN_OR_RETURN(store::Bundle opened, open_source(session, {.source = request.source,
                                                                 .subdir = request.subdir,
                                                                 .sha256 = request.sha256,
                                                                 .scope = request.scope}));
    bundle = std::make_shared<const store::Bundle>(std::move(opened));
    expect_scripts(session, snapshot, *bundle, request.scope);
    ASSIGN_OR_RETURN(version, version_of(request, *bundle));
    subject.to_version = version.str();
    for (const store::BundleFile& file : bundle->files())
      subject.touches.push_back({request.scope, file.path});
    return subject;
  };
  operation.propose = [&](const Present& present) -> Result<Proposal> {
    if (request.downgrade == Downgrade::kRefuse)
      RETURN_IF_ERROR(refuse_downgrade(session, present.state, *bundle, version));
    ASSIGN_OR_RETURN(
        Proposal proposal,
        propose_update(
            session,
            {.bundle = bundle,
             .scope = request.scope,
             .conflict = policy(session, request.conflict, "update.conflict"),
             .unknown_base = policy(session, request.unknown_base, "update.unknown_base"),
             .is_unknown_base_chosen = request.unknown_base.has_value(),
             .ask = request.ask},
            present));
    proposal.to_version = version.str();
    for (std::string& sentence : left_out_settings(session, *bundle, request.scope, present))
      proposal.warnings.push_back(std::move(sentence));
    if (!session.is_dry_run()) {
      ASSIGN_OR_RETURN_WHILE(proposal.to_bundle,
                             session.bundles().save(*bundle, version, request.scope),
                             "while keeping the bundle");
    }
    proposal.warnings.insert(proposal.warnings.end(), bundle->warnings().begin(),
                             bundle->warnings().end());
    return proposal;
  };
  return run_operation(session, operation);
}

}  // namespace stravinsky::engine
