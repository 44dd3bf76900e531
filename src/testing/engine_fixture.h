// EngineFixture: a home in memory and sessions on it, so that an operation of the
// engine is one line:
//
//   EngineFixture e;
//   e.file("hooks/a.py", "print(1)\n").bundle("v2", {{"hooks/a.py", "print(2)\n"}});
//   EXPECT_EQ(outcome(e.update("v2")), "ok");
//
// Paths are relative to the user's ~/.claude. No interpreter exists, so hooks are
// not parsed; answer() of processes() adds one.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/operation_result.h"
#include "engine/session.h"
#include "testing/fake_clock.h"
#include "testing/fake_downloader.h"
#include "testing/fake_process_runner.h"
#include "testing/mem_fs.h"
#include "testing/seeded_random.h"

namespace stravinsky::testing {

class EngineFixture {
 public:
  using Files = std::map<std::string, std::string>;

  static constexpr const char* kHome = "/home/u";
  static constexpr const char* kTree = "/home/u/.claude";
  static constexpr const char* kStore = "/home/u/.stravinsky/rollback";

  EngineFixture();

  EngineFixture& file(const std::string& path, std::string_view bytes, uint32_t mode = 0644);
  // The content of a directory bundle at /bundles/<name>, with its version the name.
  EngineFixture& bundle(const std::string& name, const Files& files);
  EngineFixture& variable(const std::string& name, const std::string& value);

  MemFs& disk() { return *disk_; }
  FakeClock& clock() { return clock_; }
  FakeProcessRunner& processes() { return processes_; }
  FakeDownloader& downloads() { return downloads_; }

  // On the fixture's disk, or on any other of the same shape.
  Result<std::unique_ptr<engine::Session>> open(fs::FileSystem& fs,
                                                engine::SessionRequest request = {});
  Result<engine::OperationResult> update(const std::string& bundle) {
    return update(*disk_, bundle);
  }
  Result<engine::OperationResult> update(fs::FileSystem& fs, const std::string& bundle);
  Result<engine::OperationResult> undo() { return undo(*disk_); }
  Result<engine::OperationResult> undo(fs::FileSystem& fs);
  Result<engine::OperationResult> redo();
  Result<engine::OperationResult> rollback_to(const std::string& version,
                                              fs::FileSystem* fs = nullptr);
  Status back_up(fs::FileSystem& fs, const std::string& label);
  // What any next command does first.
  Status recover(fs::FileSystem& fs);

  std::string contents(const std::string& path) const { return contents(*disk_, path); }
  static std::string contents(const MemFs& disk, const std::string& path);  // "<absent>"
  Snapshot tree() const { return disk_->snapshot(kTree); }

  // What is wrong with the store and the trail of a disk after recovery: open
  // transactions, a broken chain, a backup that does not verify, litter in the tree.
  std::vector<std::string> broken_rules(MemFs& disk);

 private:
  engine::Environment environment(fs::FileSystem& fs);

  std::unique_ptr<MemFs> disk_;
  FakeClock clock_;
  SeededRandom random_{7};
  FakeProcessRunner processes_;
  FakeDownloader downloads_;
  std::map<std::string, std::string> variables_;
};

}  // namespace stravinsky::testing
