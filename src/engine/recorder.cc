#include "engine/recorder.h"

#include <algorithm>
#include <set>
#include <utility>

#include "model/store_layout.h"

namespace stravinsky::engine {

using model::AuditEventType;
using model::AuditRecord;

namespace {

constexpr const char* kLook = "\n  See what is wrong with it: stravinsky audit verify";

std::string kept_in() {
  return "what happened is kept in " + model::layout::unrecorded_events().str() +
         " of the store, and the first command that can write the trail adds it";
}

// A transaction can be set aside more than once.
bool happens_once(const model::AuditEvent& event) {
  return !event.tx.empty() && event.type != AuditEventType::kTransactionSetAside;
}

}  // namespace

void Recorder::tell(const Error& error, const std::string& consequence) {
  if (told_) return;
  told_ = true;
  if (on_warning_)
    on_warning_("the audit trail could not be written: " + error.to_string() + "\n  " +
                consequence + "." + kLook);
}

Status Recorder::append(AuditRecord record) {
  auto appended = audit_.append(std::move(record));
  if (!appended) return std::move(appended).error();
  return {};
}

Status Recorder::record(const model::AuditEvent& event) {
  if (told_) replay();  // after a failure that passed, the order is right again
  const AuditRecord draft = audit_.draft(event);
  Status appended = append(draft);
  if (appended) return {};
  if (Status kept = unrecorded_.keep(draft); !kept) {
    tell(appended.error(), "Nor could the event be kept elsewhere: " + kept.error().to_string());
    return appended;
  }
  tell(appended.error(), "The operation is not affected: " + kept_in());
  return {};
}

void Recorder::replay() {
  const auto kept = unrecorded_.list();
  if (!kept) return tell(kept.error(), "Events that were kept earlier could not be looked for");
  if (kept->events.empty()) return;
  const std::string still = "The operation is not affected: " + kept_in();
  if (Status healed = audit_.recover(); !healed) return tell(healed.error(), still);
  std::set<std::string> ids;
  std::set<std::pair<std::string, AuditEventType>> outcomes;
  Status read = audit_.visit([&](const AuditRecord& record) {
    ids.insert(record.event_id);
    outcomes.emplace(record.event.tx, record.event.type);
  });
  if (!read) return tell(read.error(), still);
  for (const AuditRecord& one : kept->events) {
    const bool known =
        ids.contains(one.event_id) ||
        (happens_once(one.event) && outcomes.contains({one.event.tx, one.event.type}));
    if (!known) {
      AuditRecord record = one;
      std::string& notes = record.event.notes;
      notes += (notes.empty() ? "" : "; ") + std::string("happened at ") + one.timestamp +
               ", when the trail could not be written";
      if (Status appended = append(std::move(record)); !appended)
        return tell(appended.error(), still);
    }
    (void)unrecorded_.forget(one.event_id);  // if it stays, it is known by its id
  }
}

bool Recorder::has(const std::string& tx, AuditEventType type) {
  if (const auto kept = unrecorded_.list()) {
    const auto is_it = [&](const AuditRecord& one) {
      return one.event.tx == tx && one.event.type == type;
    };
    if (std::ranges::any_of(kept->events, is_it)) return true;
  }
  const auto known = audit_.contains_transaction(tx, type);
  return known && *known;
}

}  // namespace stravinsky::engine
