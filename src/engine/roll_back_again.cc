#include "engine/roll_back_again.h"

#include <cstdint>

#include "base/units.h"
#include "txn/recovery.h"

namespace stravinsky::engine {
namespace {

constexpr int64_t kNanosPerMilli = 1'000'000;

// kRolledBack and kDiscarded: the old tree is there.
Result<std::vector<txn::Kept>> answer_of(const std::vector<txn::Recovered>& answers,
                                         const std::string& txid) {
  for (const txn::Recovered& one : answers) {
    if (one.facts.id != txid) continue;
    if (one.error) return *one.error;
    if (one.action == txn::RecoveryAction::kRolledBack ||
        one.action == txn::RecoveryAction::kDiscarded)
      return one.kept;
  }
  return make_error(ErrorCode::kRecoveryRequired, "its journal says something else", txid);
}

}  // namespace

Result<std::vector<txn::Kept>> roll_back_again(Session& session, const std::string& txid,
                                               Error first, const std::function<Status()>& told) {
  const model::Config& config = session.config();
  Clock& clock = session.environment().clock;
  const int64_t delay_ms =
      config.integer("recovery.recovery_retry_delay_seconds") * kMillisPerSecond;
  const int64_t give_up_ns =
      clock.monotonic_ns() +
      config.integer("update.auto_rollback_timeout_seconds") * kNanosPerSecond;
  txn::RecoveryOptions options = session.recovery_options();
  options.attempts_max = UINT32_MAX;  // it is not this run that sets it aside
  options.on_outcome = [&, others = options.on_outcome](const txn::Recovered& one) {
    const bool is_it = one.facts.id == txid && one.action == txn::RecoveryAction::kRolledBack;
    return is_it ? told() : others(one);
  };
  Error last = std::move(first);
  for (int64_t left = config.integer("recovery.max_recovery_attempts") - 1; left > 0; --left) {
    if (clock.monotonic_ns() + delay_ms * kNanosPerMilli >= give_up_ns) break;
    clock.sleep_ms(delay_ms);
    if (session.environment().interrupted()) break;
    const auto answers = txn::recover_all(session.transaction_context(), options);
    auto kept =
        answers ? answer_of(*answers, txid) : Result<std::vector<txn::Kept>>(answers.error());
    if (kept) return kept;
    last = std::move(kept).error();
  }
  return last;
}

}  // namespace stravinsky::engine
