#include "cli/invocation.h"

#include <fmt/format.h>

#include "base/strings.h"
#include "engine/guarded_install.h"

namespace stravinsky::cli {
namespace {

std::string recovery_text(const txn::Recovered& recovered) {
  const size_t count = recovered.changed.size();
  // Without a readable record only the id is known.
  const std::string what =
      count == 0 ? fmt::format("an interrupted operation (transaction {})", recovered.facts.id)
                 : fmt::format("an interrupted {} of {} {} (transaction {})",
                               transaction_kind_name(recovered.facts.kind), count,
                               count == 1 ? "file" : "files", recovered.facts.id);
  switch (recovered.action) {
    case txn::RecoveryAction::kDiscarded:
      return "Recovered: " + what + " had not changed anything yet; its traces were removed.";
    case txn::RecoveryAction::kRolledBack:
      return "Recovered: " + what + " was taken back; the tree is " +
             (recovered.facts.kind == model::TransactionKind::kAutoRollback
                  ? "as the installer left it."
                  : "the old one.");
    case txn::RecoveryAction::kCompleted:
      return "Recovered: " + what + " had been committed; the tree is " +
             (recovered.facts.kind == model::TransactionKind::kAutoRollback ? "the old one."
                                                                            : "the new one.");
    case txn::RecoveryAction::kPostponed:
    case txn::RecoveryAction::kDamaged:
      return "Not recovered: " + what + ".";
    case txn::RecoveryAction::kSetAside:
      return "INCONSISTENT: " + what + " could not be taken back and was set aside.";
  }
  return what;
}

void tell_recovery(const Output& output, const txn::Recovered& recovered) {
  output.note(recovery_text(recovered));
  if (recovered.error) output.note(error_text(*recovered.error));
  for (const txn::Kept& kept : recovered.kept)
    output.note(fmt::format("  {}: {}{}", kept.display, kept.why,
                            kept.kept_at.empty() ? "" : "; kept as " + kept.kept_at));
}

}  // namespace

std::string Invocation::absolute(const std::string& typed) const {
  if (typed == "~" || typed.starts_with("~/")) return environment.home + typed.substr(1);
  if (typed.starts_with('/')) return typed;
  return environment.working_directory + "/" + typed;
}

Result<std::unique_ptr<engine::Session>> Invocation::open_session(Use use) const {
  engine::SessionRequest request;
  if (options.root) request.store_root = absolute(*options.root);
  if (options.project) request.project = absolute(*options.project);
  if (options.dry_run) request.mode = engine::RunMode::kDryRun;
  if (options.follow_outside_links) request.outside_links = store::OutsideLinks::kFollow;
  if (options.foreign_owner) request.foreign_owner = engine::ForeignOwner::kAllow;
  if (options.no_backup) request.way_back = engine::WayBack::kWithoutBackup;
  const Output& out = output;
  if (!is_silent)
    request.on_step = [&out](const engine::Step& step) {
      const std::string status = step.status == "ok" ? out.good("ok    ") : out.bad("failed");
      out.line(fmt::format("{:<13}{}  {:>9}  {}", step.name, status,
                           human_duration(step.duration_ns), step.detail));
    };
  request.on_warning = [&out](const std::string& text) { out.warning(text); };
  request.on_recovered = [&out](const txn::Recovered& recovered) { tell_recovery(out, recovered); };
  ASSIGN_OR_RETURN(auto session,
                   engine::Session::open(
                       environment, std::move(request),
                       use == Use::kWrite ? store::IfAbsent::kCreate : store::IfAbsent::kFail));
  if (may_have_changed != nullptr && use != Use::kRead && !options.dry_run)
    *may_have_changed = true;
  if (!is_silent)
    for (const std::string& warning : session->config().warnings()) output.warning(warning);
  if (!is_silent && session->config_fault())
    output.note("warning: " + error_text(*session->config_fault()).substr(7) +
                "\n  The defaults are in force meanwhile.");
  if (Status begun = engine::refuse_while_begun(*session);
      !begun && begun.error().code == ErrorCode::kConflict && !command.starts_with("update"))
    output.note("note: " + begun.error().to_string() + "\n  " + begun.error().remedy);
  if (use == Use::kRead) {
    // What cannot be recovered is told, and does not keep anybody from looking.
    if (Status recovered = session->try_recover(); !recovered)
      output.note(error_text(recovered.error()));
  }
  return session;
}

}  // namespace stravinsky::cli
