#include "engine/resume.h"

#include <gtest/gtest.h>

#include "engine/guarded_install.h"
#include "engine/status.h"
#include "model/store_layout.h"
#include "testing/engine_fixture.h"
#include "testing/fault_fs.h"
#include "testing/outcome.h"
#include "txn/archive.h"

namespace stravinsky::engine {
namespace {

using testing::EngineFixture;
using testing::MemFs;
using testing::outcome;

using Ids = std::vector<std::string>;

// A home whose update from v1 to v2 lost its power between two changes.
class Resume : public ::testing::Test {
 protected:
  void SetUp() override {
    e_.bundle("v1", {{"hooks/a.py", "a1\n"}, {"hooks/b.py", "b1\n"}});
    e_.bundle("v2", {{"hooks/a.py", "a2\n"}, {"hooks/b.py", "b2\n"}});
    ASSERT_EQ(outcome(e_.update("v1")), "ok");
    const auto before = e_.disk().crashed({});
    for (uint64_t at = 1; disk_ == nullptr; ++at) {
      const auto tried = before->crashed({});
      testing::FaultFs stopping(*tried, {.kind = testing::FaultKind::kStop, .at = at});
      const auto stopped = e_.update(stopping, "v2");
      ASSERT_TRUE(!stopped || stopped->failure) << "no stop left the tree mixed";
      tried->sync_everything();
      const bool mixed = EngineFixture::contents(*tried, "hooks/a.py") !=
                         EngineFixture::contents(*tried, "hooks/b.py").replace(0, 1, "a");
      if (mixed) disk_ = tried->crashed({});
    }
    const Ids open = on_shelf(txn::Shelf::kOpen);
    ASSERT_EQ(open.size(), 1U);
    id_ = open.front();
  }

  std::unique_ptr<Session> open(RunMode mode = RunMode::kReal) {
    SessionRequest request;
    request.mode = mode;
    auto session = e_.open(*disk_, std::move(request));
    EXPECT_EQ(outcome(session), "ok");
    return std::move(*session);
  }

  Ids on_shelf(txn::Shelf shelf) {
    const auto session = open();
    return txn::list_transactions(*disk_, session->store().fd(), shelf).value_or(Ids{"error"});
  }

  void damage_journal(const fs::RelPath& transaction) {
    const std::string path = std::string(EngineFixture::kStore) + "/" + transaction.str() + "/" +
                             model::layout::journal_name().str();
    std::string bytes = disk_->contents(path).value();
    bytes[bytes.size() / 3] = static_cast<char>(bytes[bytes.size() / 3] ^ 1);
    disk_->write_file(path, bytes, 0600);
  }

  EngineFixture e_;
  std::unique_ptr<MemFs> disk_;
  std::string id_;
};

TEST_F(Resume, TakesBackWhatWasInterrupted) {
  const auto result = resume(*open(), {});
  ASSERT_EQ(outcome(result), "ok");
  EXPECT_TRUE(result->all_done());
  ASSERT_EQ(result->recovered.size(), 1U);
  EXPECT_EQ(result->recovered.front().action, txn::RecoveryAction::kRolledBack);
  EXPECT_EQ(EngineFixture::contents(*disk_, "hooks/a.py"), "a1\n");
  EXPECT_EQ(EngineFixture::contents(*disk_, "hooks/b.py"), "b1\n");
  EXPECT_EQ(e_.broken_rules(*disk_), Ids());
}

TEST_F(Resume, ADryRunOnlySaysWhatItWouldDo) {
  const uint64_t before = disk_->fingerprint();
  const auto result = resume(*open(RunMode::kDryRun), {});
  ASSERT_EQ(outcome(result), "ok");
  EXPECT_EQ(result->planned, Ids{id_});
  EXPECT_EQ(disk_->fingerprint(), before);
}

TEST_F(Resume, TriesAgainWhatRecoveryGaveUpOn) {
  ASSERT_TRUE(txn::set_transaction_aside(open()->transaction_context(), id_));
  EXPECT_TRUE(read_status(*open())->is_inconsistent());
  const auto result = resume(*open(), {});
  ASSERT_EQ(outcome(result), "ok");
  EXPECT_TRUE(result->all_done());
  EXPECT_EQ(EngineFixture::contents(*disk_, "hooks/a.py"), "a1\n");
  EXPECT_FALSE(read_status(*open())->is_inconsistent());
}

TEST_F(Resume, WhatCannotBeFollowedIsNeverCalledDone) {
  ASSERT_TRUE(txn::set_transaction_aside(open()->transaction_context(), id_));
  damage_journal(model::layout::inconsistent_transaction(id_));
  const auto result = resume(*open(), {});
  ASSERT_EQ(outcome(result), "ok");
  EXPECT_FALSE(result->all_done());
  ASSERT_EQ(result->still_aside.size(), 1U);
  EXPECT_EQ(result->still_aside.front().id, id_);
  EXPECT_EQ(on_shelf(txn::Shelf::kInconsistent), Ids{id_});
}

TEST_F(Resume, SetAsideTakesOnlyWhatCannotBeRecovered) {
  const auto recovered = resume(*open(), {.set_aside = id_});
  ASSERT_EQ(outcome(recovered), "ok");
  EXPECT_EQ(recovered->set_aside, "");
  EXPECT_EQ(EngineFixture::contents(*disk_, "hooks/a.py"), "a1\n");
  EXPECT_EQ(on_shelf(txn::Shelf::kInconsistent), Ids());
  EXPECT_EQ(outcome(resume(*open(), {.set_aside = id_})), "not_found");
}

TEST_F(Resume, ADamagedJournalIsSetAsideOnRequestAndOnRecord) {
  damage_journal(model::layout::transaction(id_));
  EXPECT_EQ(outcome(open()->begin_writing()), "recovery_required");
  const auto result = resume(*open(), {.set_aside = id_});
  ASSERT_EQ(outcome(result), "ok");
  EXPECT_EQ(result->set_aside, id_);
  EXPECT_TRUE(result->all_done());
  EXPECT_EQ(outcome(open()->begin_writing()), "ok") << "commands go on without it";
  EXPECT_EQ(on_shelf(txn::Shelf::kInconsistent), Ids{id_});
  const auto status = read_status(*open());
  ASSERT_TRUE(status->last_event);
  EXPECT_EQ(status->last_event->type, "TRANSACTION_SET_ASIDE");
}

TEST_F(Resume, NoUpdateBeginsOnATreeThatMayBeMixed) {
  ASSERT_TRUE(txn::set_transaction_aside(open()->transaction_context(), id_));
  const auto mixed = disk_->snapshot(EngineFixture::kTree);
  const auto refused = e_.update(*disk_, "v2");
  ASSERT_EQ(outcome(refused), "recovery_required");
  EXPECT_NE(refused.error().remedy.find("stravinsky recovery resume"), std::string::npos);
  EXPECT_NE(refused.error().remedy.find("stravinsky rollback to"), std::string::npos);
  EXPECT_NE(refused.error().remedy.find(std::string(EngineFixture::kStore) +
                                        "/recovery/tx/inconsistent/" + id_ + "/README.txt"),
            std::string::npos)
      << refused.error().remedy;
  EXPECT_EQ(outcome(begin_update(*open(), {.version = "2"})), "recovery_required");
  EXPECT_EQ(testing::difference(mixed, disk_->snapshot(EngineFixture::kTree)), "");
  EXPECT_EQ(outcome(e_.back_up(*disk_, "as-it-is")), "ok") << "other commands go on";
}

TEST_F(Resume, AfterARollbackToAVersionUpdatesGoOn) {
  ASSERT_TRUE(txn::set_transaction_aside(open()->transaction_context(), id_));
  ASSERT_EQ(outcome(e_.rollback_to("1", disk_.get())), "ok");
  EXPECT_EQ(EngineFixture::contents(*disk_, "hooks/a.py"), "a1\n");
  EXPECT_EQ(EngineFixture::contents(*disk_, "hooks/b.py"), "b1\n");
  ASSERT_EQ(outcome(e_.update(*disk_, "v2")), "ok");
  EXPECT_EQ(EngineFixture::contents(*disk_, "hooks/a.py"), "a2\n");
}

TEST_F(Resume, NothingIsTakenBackOverWhatWasCommittedLater) {
  ASSERT_TRUE(txn::set_transaction_aside(open()->transaction_context(), id_));
  ASSERT_EQ(outcome(e_.rollback_to("1", disk_.get())), "ok");
  ASSERT_EQ(outcome(e_.update(*disk_, "v2")), "ok");
  const auto result = resume(*open(), {});
  ASSERT_EQ(outcome(result), "ok");
  EXPECT_FALSE(result->all_done());
  ASSERT_EQ(result->still_aside.size(), 1U);
  EXPECT_NE(result->still_aside[0].error.message.find("committed in the same tree"),
            std::string::npos)
      << result->still_aside[0].error.message;
  EXPECT_EQ(EngineFixture::contents(*disk_, "hooks/a.py"), "a2\n");
  EXPECT_EQ(EngineFixture::contents(*disk_, "hooks/b.py"), "b2\n");
  EXPECT_EQ(on_shelf(txn::Shelf::kInconsistent), Ids{id_});
}

}  // namespace
}  // namespace stravinsky::engine
