// FaultFs: a file system whose chosen operation fails, stops everything, or kills
// the process.
//
// Operations are counted from 1 in two ways: every one (call_count), and those
// that change the disk or sync it (mutating_count). Errors are placed by the first
// count, stops and kills by the second. Operation N itself is not carried out,
// with three exceptions that are closer to the truth: a failing close has closed
// the descriptor, a failing write has written the first half, and a failing sync
// over MemFs has dropped the dirty pages. advise is not counted.
#pragma once

#include <atomic>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "fs/file_system.h"
#include "testing/op.h"

namespace stravinsky::testing {

enum class FaultKind {
  kNone,        // only count
  kFailOnce,    // operation `at` of all fails with sys_errno
  kFailFromOn,  // so does every later one, closes excepted
  kStop,        // mutating operation `at` and everything after it fails (is_stop): power is out
  kKill,        // SIGKILL to this process at mutating operation `at`
};

enum class FaultReport { kSilent, kCountOnStandardError };

struct FaultPlan {
  FaultKind kind = FaultKind::kNone;
  uint64_t at = 0;  // counted from 1; 0: never
  int sys_errno = 0;
  // A line "fault-points: MUTATING CALLS" when the FaultFs is destroyed.
  FaultReport report = FaultReport::kSilent;
};

// The value of the variable STRAVINSKY_FAULT: "kill@12", "errno:ENOSPC@12", the
// same with a + at the end for "from then on", or "count". nullopt for nullptr
// and for anything else.
inline constexpr const char* kFaultVariable = "STRAVINSKY_FAULT";
std::optional<FaultPlan> fault_plan_from_environment(const char* value);

// "ENOSPC", or the number where no operation in testing/op.h can have it.
std::string errno_name(int sys_errno);

// True for an error that a stop has caused.
bool is_stop(const Error& error);

class FaultFs final : public fs::FileSystem {
 public:
  FaultFs(fs::FileSystem& inner, FaultPlan plan) : inner_(inner), plan_(plan) {}
  FaultFs(const FaultFs&) = delete;
  FaultFs& operator=(const FaultFs&) = delete;
  ~FaultFs() override;

  uint64_t call_count() const;
  uint64_t mutating_count() const;
  // Every call so far, the failed ones included.
  std::vector<Op> calls() const;
  // The operation that failed first; nullopt while none has.
  std::optional<Op> fired() const;
  // Forgets the plan: from now on everything passes.
  void disarm();

  Result<fs::Fd> open_root(const std::string& absolute) override;
  Result<fs::Fd> open(fs::Fd dir, const fs::RelPath& path, fs::OpenMode how,
                      uint32_t mode) override;
  Status close(fs::Fd fd) override;
  Result<size_t> read(fs::Fd fd, uint64_t offset, std::span<std::byte> out) override;
  Status write(fs::Fd fd, uint64_t offset, std::span<const std::byte> data) override;
  Status copy_range(fs::Fd from, uint64_t from_offset, fs::Fd to, uint64_t to_offset,
                    uint64_t length) override;
  Status truncate(fs::Fd fd, uint64_t size_bytes) override;
  Status sync(fs::Fd fd, fs::SyncKind kind) override;
  Status sync_file_system(fs::Fd fd) override;
  void advise(fs::Fd fd, fs::Advice advice) override;
  Result<fs::Stat> stat(fs::Fd dir, const fs::RelPath& path) override;
  Result<fs::Stat> stat_fd(fs::Fd fd) override;
  Result<std::vector<fs::DirEntry>> list(fs::Fd dir) override;
  Result<std::string> read_link(fs::Fd dir, const fs::RelPath& path) override;
  Status make_dir(fs::Fd dir, const fs::RelPath& path, uint32_t mode) override;
  Status make_symlink(const std::string& text, fs::Fd dir, const fs::RelPath& path) override;
  Status hard_link(fs::Fd from_dir, const fs::RelPath& from, fs::Fd to_dir,
                   const fs::RelPath& to) override;
  Status rename(fs::Fd from_dir, const fs::RelPath& from, fs::Fd to_dir, const fs::RelPath& to,
                fs::RenameMode mode) override;
  Status unlink(fs::Fd dir, const fs::RelPath& path) override;
  Status remove_dir(fs::Fd dir, const fs::RelPath& path) override;
  Status set_attributes(fs::Fd fd, const fs::Attributes& attributes) override;
  Result<fs::Xattrs> get_xattrs(fs::Fd fd) override;
  Status set_xattrs(fs::Fd fd, const fs::Xattrs& xattrs) override;
  Result<fs::Space> space(fs::Fd fd) override;
  Status try_lock(fs::Fd fd, fs::LockMode mode) override;
  Result<bool> may_change_names(fs::Fd dir) override;
  Result<bool> has_writer(fs::Fd fd) override;
  Result<std::string> path_of(fs::Fd fd) override;

 private:
  // Counts the call; the error when this is one that fails.
  Status pass(Op op, std::string_view path);

  fs::FileSystem& inner_;
  mutable std::mutex mutex_;
  FaultPlan plan_;
  std::vector<Op> calls_;
  uint64_t mutating_count_ = 0;
  std::optional<Op> fired_;
};

}  // namespace stravinsky::testing
