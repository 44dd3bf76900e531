#include "txn/journal.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "base/strings.h"
#include "codec/framed_records.h"
#include "model/store_layout.h"
#include "testing/forwarding_fs.h"
#include "testing/outcome.h"
#include "testing/seeded_random.h"
#include "testing/txn_fixture.h"

namespace stravinsky::txn {
namespace {

using testing::MemFs;
using testing::outcome;
using testing::TxnFixture;
using enum TransactionState;

model::ChangePlan rich_plan() {
  TxnFixture t;
  t.file("hooks/a b\n.py", "old", 0755).file("settings.json", "{}").link("agents", "../x");
  t.file("old/sub/deep.md", "deep").dir("old/empty", 0700).settle();
  t.replace("hooks/a b\n.py", "new").add_dir("skills", {{"s/SKILL.md", "s"}, {"none/", ""}});
  t.add_link("hooks/l.py", "\xFF/not utf-8").settings("settings.json", "{1}").remove("old");
  t.remove("agents").through_link(testing::kTreeRoot, "agents");
  model::ChangePlan plan = t.plan();
  plan.changes[0].before.xattrs = {{"user.a", "1"}, {"user.b", std::string("\0", 1)}};
  plan.facts.kind = model::TransactionKind::kRedo;
  plan.facts.inverts = "00000000000000b2";
  plan.facts.project_root = "/home/u/p/.claude";
  return plan;
}

void expect_equal(const model::Image& a, const model::Image& b) {
  EXPECT_TRUE(a.same_as(b));
  EXPECT_EQ(a.uid, b.uid);
  EXPECT_EQ(a.gid, b.gid);
  EXPECT_EQ(a.xattrs, b.xattrs);
}

std::string record(uint64_t sequence, Tag tag, std::string_view body = {}) {
  return codec::frame_record(sequence, std::string(1, static_cast<char>(tag)) + std::string(body));
}

std::string begin_record() {
  return record(0, Tag::kBegin, encode_plan(rich_plan()));
}

TransactionState state_of(std::string_view bytes) {
  const auto content = parse_journal(bytes);
  EXPECT_TRUE(content) << content.error().to_string();
  return content ? content->state : kDamaged;
}

// How far a transaction has come; a later state may destroy more.
int rank(TransactionState state) {
  switch (state) {
    case kNothing:
    case kDamaged:  // nothing is done about it
      return 0;
    case kBegun:
      return 1;
    case kApplying:
      return 2;
    case kInconsistent:
      return 3;
    case kCommitted:
    case kAborted:
      return 4;
    case kEnded:
      return 5;
  }
  return 6;
}

TEST(Journal, APlanComesBackAsItWas) {
  const model::ChangePlan plan = rich_plan();
  const auto read = decode_plan(encode_plan(plan));
  ASSERT_TRUE(read) << read.error().to_string();
  EXPECT_EQ(read->facts.id, plan.facts.id);
  EXPECT_EQ(read->facts.sequence, plan.facts.sequence);
  EXPECT_EQ(read->facts.kind, plan.facts.kind);
  EXPECT_EQ(read->facts.started_ns, plan.facts.started_ns);
  EXPECT_EQ(read->facts.backup_id, plan.facts.backup_id);
  EXPECT_EQ(read->facts.inverts, plan.facts.inverts);
  EXPECT_EQ(read->facts.project_root, plan.facts.project_root);
  ASSERT_EQ(read->anchors.size(), 1U);
  EXPECT_EQ(read->anchors[0].directory, plan.anchors[0].directory);
  EXPECT_EQ(read->anchors[0].inode, plan.anchors[0].inode);
  ASSERT_EQ(read->links.size(), 1U);
  EXPECT_EQ(read->links[0].text, "../x");
  ASSERT_EQ(read->changes.size(), plan.changes.size());
  for (size_t i = 0; i < plan.changes.size(); ++i) {
    EXPECT_EQ(read->changes[i].path, plan.changes[i].path);
    EXPECT_EQ(read->changes[i].logical, plan.changes[i].logical);
    EXPECT_EQ(read->changes[i].display, plan.changes[i].display);
    EXPECT_EQ(read->changes[i].order, plan.changes[i].order);
    expect_equal(read->changes[i].before, plan.changes[i].before);
    expect_equal(read->changes[i].after, plan.changes[i].after);
  }
  EXPECT_EQ(encode_plan(*read), encode_plan(plan));
}

TEST(Journal, ANewerFormatIsRefusedAndNotCalledDamaged) {
  std::string body = encode_plan(rich_plan());
  body[0] = 2;
  EXPECT_EQ(outcome(decode_plan(body)), "unsupported");
  EXPECT_EQ(outcome(parse_journal(record(0, Tag::kBegin, body))), "unsupported");
}

TEST(Journal, AFormatThatNeverWasIsDamage) {
  std::string body = encode_plan(rich_plan());
  body[0] = 0;
  EXPECT_EQ(outcome(decode_plan(body)), "corrupt");
  EXPECT_EQ(state_of(record(0, Tag::kBegin, body)), kDamaged);
}

TEST(Journal, TheLastValidRecordDecides) {
  const std::string begin = begin_record();
  const std::string applying = begin + record(1, Tag::kApplying);
  EXPECT_EQ(state_of(""), kNothing);
  EXPECT_EQ(state_of(begin), kBegun);
  EXPECT_EQ(state_of(begin + record(1, Tag::kPhase, "x")), kBegun);
  EXPECT_EQ(state_of(begin + record(1, Tag::kEnd)), kEnded);
  EXPECT_EQ(state_of(applying), kApplying);
  EXPECT_EQ(state_of(applying + record(2, Tag::kAttempt)), kApplying);
  EXPECT_EQ(state_of(applying + record(2, Tag::kCommit)), kCommitted);
  EXPECT_EQ(state_of(applying + record(2, Tag::kCommit) + record(3, Tag::kAttempt)), kCommitted);
  EXPECT_EQ(state_of(applying + record(2, Tag::kAborted)), kAborted);
  EXPECT_EQ(state_of(applying + record(2, Tag::kInconsistent, "why")), kInconsistent);
  EXPECT_EQ(state_of(applying + record(2, Tag::kCommit) + record(3, Tag::kEnd)), kEnded);
}

TEST(Journal, ADecisionIsNotRevised) {
  const std::string applying = begin_record() + record(1, Tag::kApplying);
  EXPECT_EQ(state_of(begin_record() + record(1, Tag::kCommit)), kDamaged);
  EXPECT_EQ(state_of(applying + record(2, Tag::kEnd)), kDamaged);
  EXPECT_EQ(state_of(applying + record(2, Tag::kAborted) + record(3, Tag::kCommit)), kDamaged);
  EXPECT_EQ(state_of(applying + record(2, Tag::kCommit) + record(3, Tag::kAborted)), kDamaged);
  EXPECT_EQ(state_of(applying + record(2, Tag::kCommit) + record(3, Tag::kApplying)), kDamaged);
  EXPECT_EQ(state_of(applying + record(2, Tag::kInconsistent) + record(3, Tag::kCommit)), kDamaged);
  EXPECT_EQ(state_of(begin_record() + begin_record()), kDamaged);
  EXPECT_EQ(state_of(record(0, Tag::kApplying)), kDamaged);
  EXPECT_EQ(state_of(begin_record() + record(1, Tag{99})), kDamaged);
  EXPECT_EQ(state_of(begin_record() + codec::frame_record(1, "")), kDamaged);
}

TEST(Journal, ACutAtAnyByteLeavesTheStateOfTheLastWholeRecord) {
  const std::vector<std::string> records = {begin_record(), record(1, Tag::kApplying),
                                            record(2, Tag::kPhase, "verifying"),
                                            record(3, Tag::kCommit), record(4, Tag::kEnd)};
  const std::vector<TransactionState> states = {kNothing,  kBegun,     kApplying,
                                                kApplying, kCommitted, kEnded};
  std::string whole;
  for (const std::string& each : records) whole += each;
  size_t complete = 0;
  size_t next_end = records[0].size();
  for (size_t size = 0; size <= whole.size(); ++size) {
    if (complete < records.size() && size == next_end) {
      ++complete;
      if (complete < records.size()) next_end += records[complete].size();
    }
    const std::string cut = whole.substr(0, size);
    ASSERT_EQ(state_of(cut), states[complete]) << "cut at " << size;
    // What a crash leaves of a file that had grown already; BEGIN itself may end in NUL.
    if (whole.substr(size, next_end - size).find_first_not_of('\0') == std::string::npos) continue;
    ASSERT_EQ(state_of(cut + std::string(whole.size() - size, '\0')), states[complete])
        << "NUL bytes from " << size;
  }
}

TEST(Journal, ABitFlipNeverYieldsALaterState) {
  const std::string begin = begin_record();
  for (const auto& [bytes, state] :
       {std::pair(begin, kBegun), std::pair(begin + record(1, Tag::kApplying), kApplying),
        std::pair(begin + record(1, Tag::kApplying) + record(2, Tag::kCommit), kCommitted),
        std::pair(begin + record(1, Tag::kApplying) + record(2, Tag::kAborted), kAborted)}) {
    for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
      std::string flipped = bytes;
      flipped[bit / 8] =
          static_cast<char>(static_cast<unsigned char>(flipped[bit / 8]) ^ (1U << (bit % 8)));
      const auto content = parse_journal(flipped);
      ASSERT_TRUE(content);
      ASSERT_LT(rank(content->state), rank(state)) << "bit " << bit;
    }
  }
}

TEST(Journal, HostileBytesAreAnErrorAtMost) {
  testing::SeededRandom random(11);
  const std::string good = encode_plan(rich_plan());
  for (int round = 0; round < 20'000; ++round) {
    std::string body = good;
    for (uint64_t edits = 1 + random.below(4); edits > 0; --edits)
      body[random.below(body.size())] = static_cast<char>(random.below(256));
    if (random.below(3) == 0) body.resize(random.below(body.size()));
    const auto plan = decode_plan(body);
    if (!plan) continue;
    for (const model::Change& change : plan->changes) {
      EXPECT_LT(change.anchor, plan->anchors.size());
      EXPECT_FALSE(change.path.str().starts_with('/'));
    }
    EXPECT_EQ(state_of(record(0, Tag::kBegin, body)), kBegun);
  }
}

TEST(Journal, NestingWithoutEndIsRefused) {
  std::string image;
  for (int depth = 0; depth < 100'000; ++depth)
    image += std::string("\x03", 1) + std::string(12, '\0') + std::string("\x01\0\0\0", 4) +
             std::string("\x01\0\0\0d", 5);
  std::string body = encode_plan(rich_plan());
  EXPECT_EQ(outcome(decode_plan(body + image)), "corrupt");
  model::ChangePlan plan = rich_plan();
  plan.changes.erase(plan.changes.begin() + 1, plan.changes.end());
  plan.changes[0].before = {};
  plan.changes[0].after = {};
  body = encode_plan(plan);
  body.resize(body.size() - 2);  // the two absent images
  EXPECT_EQ(outcome(decode_plan(body + image + std::string(1, '\0'))), "corrupt");
}

TEST(Journal, APathOutOfTheAnchorIsRefused) {
  model::ChangePlan plan = rich_plan();
  std::string body = encode_plan(plan);
  const size_t at = body.find("hooks/l.py");
  body.replace(at, 10, "../../x.py");
  EXPECT_EQ(outcome(decode_plan(body)), "corrupt");
}

// --- writing

struct Written {
  MemFs disk;
  fs::File dir;
  Written() {
    disk.make_dirs("/tx");
    disk.sync_everything();
    dir = *fs::File::open_root(disk, "/tx");
  }
  std::string bytes() { return disk.contents("/tx/journal").value_or(""); }
};

TEST(Journal, WhatIsAppendedIsRead) {
  Written w;
  auto writer = JournalWriter::create(w.disk, w.dir.fd());
  ASSERT_TRUE(writer);
  ASSERT_TRUE(writer->append(Tag::kBegin, encode_plan(rich_plan()), Durable::kYes));
  ASSERT_TRUE(writer->append(Tag::kPhase, "one", Durable::kNo));
  ASSERT_TRUE(writer->append(Tag::kApplying, "", Durable::kYes));
  const auto content = read_journal(w.disk, w.dir.fd());
  ASSERT_TRUE(content);
  EXPECT_EQ(content->state, kApplying);
  EXPECT_EQ(content->record_count, 3U);
  EXPECT_EQ(content->phases, std::vector<std::string>{"one"});
  EXPECT_EQ(content->valid, w.bytes());
}

TEST(Journal, AnAbsentJournalSaysNothing) {
  Written w;
  EXPECT_EQ(read_journal(w.disk, w.dir.fd())->state, kNothing);
}

TEST(Journal, AnAppendIsDurableWhenItReturns) {
  Written w;
  auto writer = JournalWriter::create(w.disk, w.dir.fd());
  ASSERT_TRUE(w.disk.sync(w.dir.fd(), fs::SyncKind::kFull));
  ASSERT_TRUE(writer->append(Tag::kBegin, encode_plan(rich_plan()), Durable::kYes));
  ASSERT_TRUE(writer->append(Tag::kApplying, "", Durable::kNo));
  EXPECT_EQ(state_of(*w.disk.crashed({})->contents("/tx/journal")), kBegun);
}

TEST(Journal, ReopeningGoesOnInANewFileBehindTheValidRecords) {
  Written w;
  const std::string valid = begin_record() + record(1, Tag::kApplying);
  w.disk.write_file("/tx/journal", valid + "half of a rec");
  const uint64_t inode = w.disk.snapshot("/tx/journal").at("/tx/journal").inode;
  w.disk.sync_everything();
  auto writer = JournalWriter::reopen(w.disk, w.dir.fd(), valid, 2);
  ASSERT_TRUE(writer);
  ASSERT_TRUE(writer->append(Tag::kAborted, "", Durable::kYes));
  EXPECT_EQ(w.bytes(), valid + record(2, Tag::kAborted));
  EXPECT_NE(w.disk.snapshot("/tx/journal").at("/tx/journal").inode, inode);
  EXPECT_EQ(*w.disk.crashed({})->contents("/tx/journal"), w.bytes());
}

// A sync of file contents that fails as Linux lets it fail: the pages are gone.
class FailingSync final : public testing::ForwardingFs {
 public:
  explicit FailingSync(MemFs& disk) : ForwardingFs(disk), disk_(disk) {}
  Status sync(fs::Fd fd, fs::SyncKind kind) override {
    if (kind != fs::SyncKind::kData || !fails_) return disk_.sync(fd, kind);
    fails_ = false;
    disk_.forget_dirty(fd);
    return errno_error(EIO, "");
  }
  void fail_once() { fails_ = true; }

 private:
  MemFs& disk_;
  bool fails_ = false;
};

TEST(Journal, AfterAFailedSyncItGoesOnInANewFile) {
  Written w;
  FailingSync failing(w.disk);
  auto writer = JournalWriter::create(failing, w.dir.fd());
  w.disk.sync_everything();
  ASSERT_TRUE(writer->append(Tag::kBegin, encode_plan(rich_plan()), Durable::kYes));
  ASSERT_TRUE(writer->append(Tag::kPhase, "not durable", Durable::kNo));
  failing.fail_once();
  EXPECT_EQ(outcome(writer->append(Tag::kApplying, "", Durable::kYes)), "io");
  EXPECT_TRUE(writer->in_doubt());
  ASSERT_TRUE(writer->append(Tag::kAborted, "", Durable::kYes));
  EXPECT_FALSE(writer->in_doubt());
  const auto on_disk = parse_journal(*w.disk.crashed({})->contents("/tx/journal"));
  EXPECT_EQ(on_disk->state, kAborted);
  EXPECT_EQ(on_disk->phases, std::vector<std::string>{"not durable"});
}

TEST(Journal, AWriteThatFailsLeavesNoDoubt) {
  Written w;
  auto writer = JournalWriter::create(w.disk, w.dir.fd());
  ASSERT_TRUE(writer->append(Tag::kBegin, encode_plan(rich_plan()), Durable::kYes));
  w.disk.set_free(0, 0);
  EXPECT_EQ(outcome(writer->append(Tag::kApplying, "", Durable::kYes)), "no_space");
  EXPECT_FALSE(writer->in_doubt());
  EXPECT_EQ(state_of(w.bytes()), kBegun);
}

TEST(Journal, RestartKeepsTheDecisionAndForgetsTheAttempts) {
  for (const auto& [tail, state] :
       {std::pair(record(2, Tag::kAttempt), kApplying),
        std::pair(record(2, Tag::kCommit) + record(3, Tag::kAttempt), kCommitted),
        std::pair(record(2, Tag::kAborted) + record(3, Tag::kAttempt), kAborted)}) {
    Written w;
    const auto before = parse_journal(begin_record() + record(1, Tag::kApplying) + tail);
    ASSERT_EQ(before->attempts, 1U);
    ASSERT_TRUE(JournalWriter::restart(w.disk, w.dir.fd(), *before));
    const auto after = read_journal(w.disk, w.dir.fd());
    EXPECT_EQ(after->state, state);
    EXPECT_EQ(after->attempts, 0U);
    EXPECT_EQ(after->plan.facts.id, before->plan.facts.id);
  }
}

TEST(Journal, HoldsNoBytesOfAnyFile) {
  TxnFixture t;
  t.file("settings.json", "{\"token\":\"s3cret\"}").settle();
  t.settings("settings.json", "{\"token\":\"other-s3cret\"}");
  EXPECT_EQ(encode_plan(t.plan()).find("s3cret"), std::string::npos);
}

}  // namespace
}  // namespace stravinsky::txn
