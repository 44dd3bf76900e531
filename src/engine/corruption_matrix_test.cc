// Every file of a store, damaged in every way, and then each kind of recovery: the right
// bytes come back, or a refusal; never other bytes with success, never a wedge.
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>

#include "engine/emergency.h"
#include "engine/recovery.h"
#include "engine/rollback.h"
#include "testing/case_step.h"
#include "testing/engine_fixture.h"

namespace stravinsky::engine {
namespace {

using testing::EngineFixture;
using testing::MemFs;

using Files = std::map<std::string, std::string>;  // by path in the tree

struct WayToDamage {
  const char* name;
  std::function<void(MemFs&, const std::string&, const std::string& bytes)> apply;
};

std::vector<WayToDamage> all_damage() {
  constexpr uint32_t kMode = 0600;
  return {{"one byte flipped",
           [](MemFs& disk, const std::string& path, std::string bytes) {
             if (bytes.empty()) bytes = "x";
             bytes[bytes.size() / 2] ^= 0x10;
             disk.write_file(path, bytes, kMode);
           }},
          {"truncated",
           [](MemFs& disk, const std::string& path, const std::string& bytes) {
             disk.write_file(path, bytes.substr(0, bytes.size() / 2), kMode);
           }},
          {"zeroed",
           [](MemFs& disk, const std::string& path, const std::string& bytes) {
             disk.write_file(path, std::string(bytes.size(), '\0'), kMode);
           }},
          {"deleted",
           [](MemFs& disk, const std::string& path, const std::string&) { disk.remove(path); }},
          {"a directory",
           [](MemFs& disk, const std::string& path, const std::string&) {
             disk.remove(path);
             disk.make_dirs(path, 0700);
           }},
          {"of another user", [](MemFs& disk, const std::string& path,
                                 const std::string&) { disk.set_owner(path, 4242, 4242); }},
          {"not readable", [](MemFs& disk, const std::string& path, const std::string&) {
             disk.set_mode(path, 0);
           }}};
}

class CorruptionMatrix : public ::testing::Test {
 protected:
  CorruptionMatrix() {
    states_["one"] = {{"hooks/a.py", "one\n"},
                      {"hooks/b.py", "b one\n"},
                      {"commands/c.md", "c\n"},
                      {"settings.json", "{\"v\": 1}\n"}};
    states_["two"] = {{"hooks/a.py", "two\n"},
                      {"hooks/b.py", "b one\n"},
                      {"commands/c.md", "c\n"},
                      {"settings.json", "{\"v\": 2}\n"}};
    for (const char* label : {"one", "two"}) {
      for (const auto& [path, bytes] : states_[label]) e_.file(path, bytes);
      EXPECT_TRUE(e_.back_up(e_.disk(), label));
      e_.clock().advance_ms(60'000);
    }
    // A history too, so that there are journals and bundles to damage.
    e_.bundle("v1", {{"hooks/a.py", "shipped\n"}});
    EXPECT_TRUE(e_.update("v1"));
    e_.clock().advance_ms(60'000);
    EXPECT_TRUE(e_.undo());
    e_.clock().advance_ms(60'000);
    states_["shipped"] = states_["two"];
    states_["shipped"]["hooks/a.py"] = "shipped\n";
    e_.file("hooks/a.py", "broken\n").file("hooks/b.py", "broken\n");
    e_.file("settings.json", "{ broken");
    e_.disk().sync_everything();
    for (const auto& [path, node] : e_.disk().snapshot(EngineFixture::kStore))
      if (node.type == fs::NodeType::kFile) store_files_[path] = node.bytes;
  }

  // What the tree has of the files that are managed here; "<absent>" where it has none.
  static Files now(const MemFs& disk) {
    Files files;
    for (const char* path : {"hooks/a.py", "hooks/b.py", "commands/c.md", "settings.json"})
      files[path] = EngineFixture::contents(disk, path);
    return files;
  }

  bool is_a_known_state(const Files& files) const {
    for (const auto& [label, state] : states_)
      if (files == state) return true;
    return false;
  }
  bool was_ever(const std::string& path, const std::string& bytes) const {
    for (const auto& [label, state] : states_)
      if (state.at(path) == bytes) return true;
    return false;
  }

  // Empty: the rule was kept.
  std::string try_recovery(const std::string& which, MemFs& disk) {
    const Files before = now(disk);
    auto session = e_.open(disk);
    Error error;
    bool ok = false;
    const auto take = [&](const auto& result) {
      ok = result.has_value();
      if (!ok) error = result.error();
    };
    if (!session) {
      take(session);
    } else if (which == "file") {
      take(recover_file(**session, {.path = "~/.claude/hooks/a.py", .version_or_id = ""}));
    } else if (which == "directory") {
      take(recover_directory(**session, {.path = "~/.claude/hooks", .version_or_id = ""}));
    } else if (which == "version") {
      take(rollback_to(**session, {.version_or_id = "one"}));
    } else {
      const auto result = emergency(**session, {});
      ok = result && result->restored.has_value();
      if (!result) error = result.error();
      if (result && !result->restored && result->guide.empty()) return "no guide";
      if (result && !result->restored) error.message = "see the guide";
    }
    session = make_error(ErrorCode::kIo, "closed");
    const Files after = now(disk);
    if (!ok) {
      if (error.message.empty()) return "a refusal without a word";
      return after == before ? "" : "a refusal that changed the tree: " + error.to_string();
    }
    if (which == "file")
      return was_ever("hooks/a.py", after.at("hooks/a.py")) ? "" : "wrong bytes in the file";
    if (which == "directory") {
      for (const char* path : {"hooks/a.py", "hooks/b.py"})
        if (!was_ever(path, after.at(path))) return std::string("wrong bytes in ") + path;
      return "";
    }
    if (which == "version") return after == states_.at("one") ? "" : "not the version asked for";
    return is_a_known_state(after) ? "" : "a tree that never was";
  }

  // Whatever happened, the next command can be given.
  std::string try_next(MemFs& disk) {
    auto session = e_.open(disk);
    if (!session) return session.error().message.empty() ? "wedged without a word" : "";
    const auto list = (*session)->backups().list();
    if (!list && list.error().code != ErrorCode::kPermission && list.error().message.empty())
      return "the list of backups is wedged";
    const auto last = emergency(**session, {});
    return last || !last.error().message.empty() ? "" : "emergency is wedged";
  }

  EngineFixture e_;
  std::map<std::string, Files> states_;
  Files store_files_;
};

TEST_F(CorruptionMatrix, TheRightBytesOrARefusalNeverOtherBytes) {
  size_t cases = 0;
  size_t recovered = 0;
  size_t number = 0;
  for (const auto& [path, bytes] : store_files_) {
    for (const WayToDamage& damage : all_damage()) {
      for (const char* which : {"file", "directory", "version", "emergency"}) {
        if (number++ % testing::kCaseStep != 0) continue;
        const auto disk = e_.disk().crashed({});
        damage.apply(*disk, path, bytes);
        disk->sync_everything();
        const Files before = now(*disk);
        SCOPED_TRACE(path + " " + damage.name + ", then " + which);
        EXPECT_EQ(try_recovery(which, *disk), "");
        if (now(*disk) != before) ++recovered;
        EXPECT_EQ(try_next(*disk), "");
        ++cases;
      }
    }
  }
  RecordProperty("cases", static_cast<int>(cases));
  if (testing::kCaseStep != 1) return;
  EXPECT_GE(cases, 400U);
  // One damaged file hardly ever bars the way: there are other backups.
  EXPECT_GE(recovered * 10, cases * 8) << recovered << " of " << cases;
}

}  // namespace
}  // namespace stravinsky::engine
