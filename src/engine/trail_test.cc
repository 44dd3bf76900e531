#include "engine/trail.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <functional>

#include "engine/rollback.h"
#include "engine/status.h"
#include "engine/take_backup.h"
#include "store/audit_unrecorded.h"
#include "testing/crash_sweep.h"
#include "testing/engine_fixture.h"
#include "testing/fault_fs.h"
#include "testing/outcome.h"

namespace stravinsky::engine {
namespace {

using testing::EngineFixture;
using testing::MemFs;
using testing::outcome;
using Strings = std::vector<std::string>;

std::string in_store(const std::string& path) {
  return std::string(EngineFixture::kStore) + "/" + path;
}

std::string bytes_of(const MemFs& disk, const std::string& path) {
  return disk.contents(in_store(path)).value_or("<absent>");
}

Strings litter(const MemFs& disk) {
  Strings found;
  for (const auto& [path, node] : disk.snapshot(EngineFixture::kTree))
    if (path.find("/.rbk-") != std::string::npos) found.push_back(path);
  return found;
}

// What rot, a full disk or a hand may have done to audit/.
struct Damage {
  const char* name;
  std::function<void(MemFs&)> inflict;
};

std::vector<Damage> damages() {
  const auto write = [](const char* path, auto change) {
    return [=](MemFs& disk) {
      const std::string bytes = bytes_of(disk, path);
      disk.remove(in_store(path));
      disk.write_file(in_store(path), change(bytes), 0600);
    };
  };
  const auto replace = [](const char* path, bool by_link) {
    return [=](MemFs& disk) {
      disk.remove(in_store(path));
      if (by_link) {
        disk.write_file("/elsewhere", "theirs\n", 0600);
        disk.symlink("/elsewhere", in_store(path));
      } else {
        disk.make_dirs(in_store(path), 0700);
      }
    };
  };
  const auto empty = [](const std::string&) { return std::string(); };
  const auto cut = [](const std::string& bytes) { return bytes.substr(0, bytes.size() / 2); };
  const auto nul = [](const std::string& bytes) { return std::string(bytes.size(), '\0'); };
  return {
      {"head emptied", write("audit/head.json", empty)},
      {"head cut", write("audit/head.json", cut)},
      {"head NUL", write("audit/head.json", nul)},
      {"head deleted", [](MemFs& disk) { disk.remove(in_store("audit/head.json")); }},
      {"head a directory", replace("audit/head.json", false)},
      {"head a link", replace("audit/head.json", true)},
      {"log emptied", write("audit/operations.log", empty)},
      {"log cut", write("audit/operations.log", cut)},
      {"log NUL", write("audit/operations.log", nul)},
      {"log deleted", [](MemFs& disk) { disk.remove(in_store("audit/operations.log")); }},
      {"log a directory", replace("audit/operations.log", false)},
      {"log a link", replace("audit/operations.log", true)},
      {"lock a directory", replace("audit/lock", false)},
      {"lock a link", replace("audit/lock", true)},
      {"audit a file",
       [](MemFs& disk) {
         disk.remove(in_store("audit"));
         disk.write_file(in_store("audit"), "in the way\n", 0600);
       }},
  };
}

// A home with versions 1 and 2 installed, and what is done next.
struct Installed {
  EngineFixture e;
  Installed() {
    e.bundle("v1", {{"hooks/a.py", "a1\n"}, {"hooks/b.py", "b1\n"}});
    e.bundle("v2", {{"hooks/a.py", "a2\n"}, {"hooks/b.py", "b2\n"}});
    EXPECT_EQ(outcome(e.update("v1")), "ok");
    EXPECT_EQ(outcome(e.update("v2")), "ok");
    e.disk().sync_everything();
  }
  std::string tree(const MemFs& disk) const {
    return EngineFixture::contents(disk, "hooks/a.py") +
           EngineFixture::contents(disk, "hooks/b.py");
  }
};

TEST(DamagedTrail, StandsInTheWayOfNoOperation) {
  Installed home;
  for (const Damage& damage : damages()) {
    SCOPED_TRACE(damage.name);
    const auto disk = home.e.disk().crashed({});
    damage.inflict(*disk);
    for (int round = 0; round < 2; ++round) {
      ASSERT_EQ(outcome(home.e.undo(*disk)), "ok");
      EXPECT_EQ(home.tree(*disk), "a1\nb1\n");
      EXPECT_EQ(litter(*disk), Strings());
      ASSERT_EQ(outcome(home.e.update(*disk, "v2")), "ok");
      EXPECT_EQ(home.tree(*disk), "a2\nb2\n");
      EXPECT_EQ(litter(*disk), Strings());
      ASSERT_EQ(outcome(home.e.back_up(*disk, "round-" + std::to_string(round))), "ok");
      ASSERT_EQ(outcome(home.e.rollback_to("v1", disk.get())), "ok");
      EXPECT_EQ(home.tree(*disk), "a1\nb1\n");
      ASSERT_EQ(outcome(home.e.update(*disk, "v2")), "ok");
    }
  }
}

TEST(DamagedTrail, StandsInTheWayOfNoRecovery) {
  Installed home;
  const auto before = home.e.disk().crashed({});
  std::unique_ptr<MemFs> mixed;
  for (uint64_t at = 1; mixed == nullptr; ++at) {
    const auto tried = before->crashed({});
    testing::FaultFs stopping(*tried, {.kind = testing::FaultKind::kStop, .at = at});
    const auto stopped = home.e.undo(stopping);
    ASSERT_TRUE(!stopped || stopped->failure) << "no stop left the tree mixed";
    tried->sync_everything();
    const std::string now = home.tree(*tried);
    if (now == "a1\nb2\n" || now == "a2\nb1\n") mixed = tried->crashed({});
  }
  for (const Damage& damage : damages()) {
    SCOPED_TRACE(damage.name);
    const auto disk = mixed->crashed({});
    damage.inflict(*disk);
    ASSERT_EQ(outcome(home.e.open(*disk).value()->begin_writing()), "ok");
    EXPECT_EQ(home.tree(*disk), "a2\nb2\n");
    EXPECT_EQ(litter(*disk), Strings());
    ASSERT_EQ(outcome(home.e.undo(*disk)), "ok");
    EXPECT_EQ(home.tree(*disk), "a1\nb1\n");
  }
}

TEST(VerifyTrail, IsCleanAfterWhatIsOnRecord) {
  Installed home;
  ASSERT_EQ(outcome(home.e.undo()), "ok");
  ASSERT_EQ(outcome(home.e.rollback_to("v2")), "ok");
  const auto verdict = verify_trail(*home.e.open(home.e.disk()).value());
  ASSERT_EQ(outcome(verdict), "ok");
  EXPECT_TRUE(verdict->ok()) << verdict->message;
}

TEST(VerifyTrail, ATrailBegunAnewIsNotWhole) {
  Installed home;
  home.e.disk().remove(in_store("audit"));
  ASSERT_EQ(outcome(home.e.back_up(home.e.disk(), "wash")), "ok");
  const auto verdict = verify_trail(*home.e.open(home.e.disk()).value());
  ASSERT_EQ(outcome(verdict), "ok");
  EXPECT_EQ(audit_damage_name(verdict->damage), "truncation");
  EXPECT_NE(verdict->message.find("the update that is transaction "), std::string::npos);
  EXPECT_NE(verdict->message.find("when backup "), std::string::npos) << verdict->message;
}

TEST(VerifyTrail, WhatWasDoneWhileItWasSwitchedOffIsNotMissing) {
  Installed home;
  home.e.variable("STRAVINSKY_AUDIT_ENABLE_AUDIT_LOGGING", "false");
  ASSERT_EQ(outcome(home.e.undo()), "ok");
  home.e.variable("STRAVINSKY_AUDIT_ENABLE_AUDIT_LOGGING", "true");
  const auto verdict = verify_trail(*home.e.open(home.e.disk()).value());
  ASSERT_EQ(outcome(verdict), "ok");
  EXPECT_TRUE(verdict->ok()) << verdict->message;
}

TEST(VerifyTrail, AKeptEventCountsAsOneOnRecord) {
  Installed home;
  MemFs& disk = home.e.disk();
  const std::string head = bytes_of(disk, "audit/head.json");
  disk.write_file(in_store("audit/head.json"), "", 0600);
  ASSERT_EQ(outcome(home.e.undo()), "ok");
  disk.write_file(in_store("audit/head.json"), head, 0600);
  const auto verdict = verify_trail(*home.e.open(disk).value());
  ASSERT_EQ(outcome(verdict), "ok");
  EXPECT_TRUE(verdict->ok()) << verdict->message;
}

TEST(VerifyTrail, ATrailBegunAnewSaysSo) {
  Installed home;
  home.e.disk().remove(in_store("audit"));
  Strings warnings;
  SessionRequest request;
  request.on_warning = [&](const std::string& text) { warnings.push_back(text); };
  const auto session = home.e.open(home.e.disk(), std::move(request)).value();
  ASSERT_EQ(outcome(create_backup(*session, {.label = "wash"})), "ok");
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_NE(warnings[0].find("begins anew"), std::string::npos) << warnings[0];
  Strings types;
  ASSERT_EQ(outcome(session->audit().visit([&](const model::AuditRecord& record) {
              types.emplace_back(audit_event_type_name(record.event.type));
            })),
            "ok");
  EXPECT_EQ(types, (Strings{"BACKUP_CREATED", "AUDIT_ENABLED"}));
}

struct Told {
  Strings warnings;
  SessionRequest request() {
    SessionRequest request;
    request.on_warning = [this](const std::string& text) { warnings.push_back(text); };
    return request;
  }
};

Strings event_types(Session& session) {
  Strings types;
  EXPECT_EQ(outcome(session.audit().visit([&](const model::AuditRecord& record) {
              types.emplace_back(audit_event_type_name(record.event.type));
            })),
            "ok");
  std::ranges::reverse(types);
  return types;
}

uint64_t unrecorded(Session& session) {
  return store::UnrecordedEvents(session.fs(), session.store().fd()).count().value_or(999);
}

TEST(UnrecordedEvent, IsToldOnceAndAddedOnceTheTrailIsRight) {
  Installed home;
  MemFs& disk = home.e.disk();
  const std::string head = bytes_of(disk, "audit/head.json");
  disk.write_file(in_store("audit/head.json"), "", 0600);
  {
    Told told;
    const auto session = home.e.open(disk, told.request()).value();
    ASSERT_EQ(outcome(undo(*session)), "ok");  // BACKUP_CREATED and UNDO
    ASSERT_EQ(told.warnings.size(), 1U);
    EXPECT_NE(told.warnings[0].find("head.json"), std::string::npos) << told.warnings[0];
    EXPECT_NE(told.warnings[0].find("stravinsky audit verify"), std::string::npos);
    EXPECT_EQ(unrecorded(*session), 2U);
    EXPECT_EQ(read_status(*session)->unrecorded_events, 2U);
  }
  {
    Told told;
    const auto session = home.e.open(disk, told.request()).value();
    ASSERT_EQ(outcome(session->begin_writing()), "ok");
    EXPECT_EQ(told.warnings.size(), 1U) << "as long as it lasts";
    EXPECT_EQ(unrecorded(*session), 2U);
    EXPECT_FALSE(session->audit().verify()->ok()) << "never repaired silently";
  }
  disk.write_file(in_store("audit/head.json"), head, 0600);
  Told told;
  const auto session = home.e.open(disk, told.request()).value();
  ASSERT_EQ(outcome(session->begin_writing()), "ok");
  EXPECT_EQ(told.warnings, Strings());
  EXPECT_EQ(unrecorded(*session), 0U);
  EXPECT_TRUE(session->audit().verify()->ok());
  const Strings types = event_types(*session);
  ASSERT_GE(types.size(), 2U);
  EXPECT_EQ(Strings(types.end() - 2, types.end()), (Strings{"BACKUP_CREATED", "UNDO"}));
  store::AuditFilter newest;
  newest.limit = 1;
  const auto last = session->audit().query(newest)->events.front();
  EXPECT_NE(last.event.notes.find("happened at 2"), std::string::npos) << last.event.notes;
}

// One call of an undo fails once: the UNDO is on record, or is kept, or the user is told.
TEST(UnrecordedEvent, NoSingleFailureLosesAnEventInSilence) {
  Installed home;
  const auto before = home.e.disk().crashed({});
  bool is_over = false;
  for (uint64_t at = 1; !is_over; ++at) {
    SCOPED_TRACE(at);
    const auto disk = before->crashed({});
    testing::FaultFs failing(*disk,
                             {.kind = testing::FaultKind::kFailOnce, .at = at, .sys_errno = EIO});
    Told told;
    bool done = false;
    if (const auto session = home.e.open(failing, told.request())) {
      const auto result = undo(**session);
      done = result && !result->failure;
      if (result)
        told.warnings.insert(told.warnings.end(), result->warnings.begin(), result->warnings.end());
    }
    is_over = !failing.fired().has_value();
    if (!done) continue;
    ASSERT_EQ(outcome(home.e.recover(*disk)), "ok");
    EXPECT_EQ(litter(*disk), Strings());
    const Strings types = event_types(*home.e.open(*disk).value());
    const Strings end(types.end() - 2, types.end());
    EXPECT_EQ(end, (Strings{"BACKUP_CREATED", "UNDO"})) << told.warnings.size();
    if (::testing::Test::HasFailure()) return;
  }
}

TEST(UnrecordedEvent, AFailedAppendThatIsInTheLogIsNotAddedAgain) {
  Installed home;
  MemFs& disk = home.e.disk();
  const auto session = home.e.open(disk).value();
  model::AuditEvent event;
  event.type = model::AuditEventType::kBackupCreated;
  const model::AuditRecord draft = session->audit().draft(event);
  ASSERT_EQ(outcome(session->audit().append(draft)), "ok");
  store::UnrecordedEvents kept(disk, session->store().fd());
  ASSERT_EQ(outcome(kept.keep(draft)), "ok");
  const size_t events = event_types(*session).size();
  ASSERT_EQ(outcome(session->begin_writing()), "ok");
  EXPECT_EQ(event_types(*session).size(), events);
  EXPECT_EQ(kept.count().value(), 0U);
}

TEST(UnrecordedEvent, WhatIsNoEventIsLeftAlone) {
  Installed home;
  MemFs& disk = home.e.disk();
  const auto session = home.e.open(disk).value();
  store::UnrecordedEvents kept(disk, session->store().fd());
  ASSERT_EQ(outcome(kept.keep(session->audit().draft({}))), "ok");
  const std::string dir = in_store("recovery/unrecorded");
  const std::string name = "evt_" + std::string(32, 'a') + ".json";
  disk.write_file(dir + "/" + name, "{}\n", 0600);
  disk.write_file(dir + "/notes", "mine\n", 0600);
  EXPECT_EQ(kept.list()->unreadable, (Strings{name, "notes"}));
  ASSERT_EQ(outcome(session->begin_writing()), "ok");
  EXPECT_EQ(kept.list()->events.size(), 0U);
  EXPECT_EQ(kept.count().value(), 2U);
}

// With a damaged trail the event of every acknowledged operation is kept, whatever
// power cut follows.
TEST(UnrecordedEvent, IsKeptThroughEveryPowerCut) {
  Installed home;
  home.e.disk().write_file(in_store("audit/head.json"), "", 0600);
  home.e.disk().sync_everything();
  const auto before = home.e.disk().crashed({});
  const auto done = before->crashed({});
  ASSERT_EQ(outcome(home.e.undo(*done)), "ok");
  testing::SweepCase sweep;
  sweep.make_initial = [&] { return before->crashed({}); };
  sweep.operation = [&](fs::FileSystem& fs) -> Status {
    auto result = home.e.undo(fs);
    if (!result) return result.error();
    return result->failure ? Status(*result->failure) : Status();
  };
  sweep.recover = [&](fs::FileSystem& fs) -> Status {
    ASSIGN_OR_RETURN(const auto session, home.e.open(fs));
    return session->begin_writing();
  };
  sweep.violations = [&](MemFs& after, bool acknowledged) -> Strings {
    const std::string now = home.tree(after);
    if (now != "a1\nb1\n" && (acknowledged || now != "a2\nb2\n")) return {"tree: " + now};
    if (!litter(after).empty()) return {"litter"};
    const auto session = home.e.open(after).value();
    const auto kept = store::UnrecordedEvents(after, session->store().fd()).list();
    const auto undone = std::ranges::count_if(kept->events, [](const model::AuditRecord& one) {
      return one.event.type == model::AuditEventType::kUndo;
    });
    if (!kept->unreadable.empty()) return {"unreadable: " + kept->unreadable.front()};
    const bool happened = now == "a1\nb1\n";
    if (undone != (happened ? 1 : 0)) return {"UNDO is kept " + std::to_string(undone) + " times"};
    return {};
  };
  const auto report = run_crash_sweep(sweep, {.subset_limit = 4,
                                              .recovery_subset_limit = 2,
                                              .crash_in_recovery = testing::RecoveryCrashes::kNone,
                                              .points_max = 120});
  EXPECT_TRUE(report.is_clean()) << report.to_string();
}

}  // namespace
}  // namespace stravinsky::engine
