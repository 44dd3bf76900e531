#include "testing/fault_fs.h"

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>

#include "base/strings.h"
#include "testing/mem_fs.h"

namespace stravinsky::testing {

using fs::Fd;
using fs::RelPath;

namespace {

constexpr std::string_view kStopMessage = "stopped by the fault plan";

struct ErrnoName {
  int sys_errno;
  std::string_view name;
};

constexpr std::array kErrnoNames = {
    ErrnoName{EACCES, "EACCES"}, ErrnoName{EBUSY, "EBUSY"},
    ErrnoName{EDQUOT, "EDQUOT"}, ErrnoName{EEXIST, "EEXIST"},
    ErrnoName{EIO, "EIO"},       ErrnoName{ELOOP, "ELOOP"},
    ErrnoName{EMFILE, "EMFILE"}, ErrnoName{EMLINK, "EMLINK"},
    ErrnoName{ENOENT, "ENOENT"}, ErrnoName{ENOLCK, "ENOLCK"},
    ErrnoName{ENOMEM, "ENOMEM"}, ErrnoName{ENOSPC, "ENOSPC"},
    ErrnoName{EPERM, "EPERM"},   ErrnoName{EOPNOTSUPP, "EOPNOTSUPP"},
    ErrnoName{EROFS, "EROFS"},   ErrnoName{EWOULDBLOCK, "EWOULDBLOCK"},
    ErrnoName{EXDEV, "EXDEV"},
};

std::optional<uint64_t> parse_count(std::string_view text) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number == 0) return std::nullopt;
  return number;
}

std::optional<int> parse_errno(std::string_view text) {
  for (const auto& [sys_errno, name] : kErrnoNames) {
    if (name == text) return sys_errno;
  }
  return std::nullopt;
}

}  // namespace

std::optional<FaultPlan> fault_plan_from_environment(const char* value) {
  if (value == nullptr) return std::nullopt;
  std::string_view text = value;
  FaultPlan plan;
  if (text == "count") {
    plan.report = FaultReport::kCountOnStandardError;
    return plan;
  }
  const size_t at_sign = text.find('@');
  if (at_sign == std::string_view::npos) return std::nullopt;
  const std::string_view what = text.substr(0, at_sign);
  std::string_view count = text.substr(at_sign + 1);
  constexpr std::string_view kErrnoPrefix = "errno:";
  if (what == "kill") {
    plan.kind = FaultKind::kKill;
  } else if (what.starts_with(kErrnoPrefix)) {
    const auto sys_errno = parse_errno(what.substr(kErrnoPrefix.size()));
    if (!sys_errno) return std::nullopt;
    plan.sys_errno = *sys_errno;
    plan.kind = FaultKind::kFailOnce;
    if (count.ends_with('+')) {
      plan.kind = FaultKind::kFailFromOn;
      count.remove_suffix(1);
    }
  } else {
    return std::nullopt;
  }
  const auto at = parse_count(count);
  if (!at) return std::nullopt;
  plan.at = *at;
  return plan;
}

std::string errno_name(int sys_errno) {
  for (const auto& each : kErrnoNames) {
    if (each.sys_errno == sys_errno) return std::string(each.name);
  }
  return std::to_string(sys_errno);
}

bool is_stop(const Error& error) {
  return error.message == kStopMessage;
}

FaultFs::~FaultFs() {
  if (plan_.report != FaultReport::kCountOnStandardError) return;
  (void)std::fprintf(stderr, "fault-points: %llu %llu\n",
                     static_cast<unsigned long long>(mutating_count_),
                     static_cast<unsigned long long>(calls_.size()));
}

uint64_t FaultFs::call_count() const {
  const std::scoped_lock lock(mutex_);
  return calls_.size();
}

uint64_t FaultFs::mutating_count() const {
  const std::scoped_lock lock(mutex_);
  return mutating_count_;
}

std::vector<Op> FaultFs::calls() const {
  const std::scoped_lock lock(mutex_);
  return calls_;
}

std::optional<Op> FaultFs::fired() const {
  const std::scoped_lock lock(mutex_);
  return fired_;
}

void FaultFs::disarm() {
  const std::scoped_lock lock(mutex_);
  plan_.kind = FaultKind::kNone;
}

Status FaultFs::pass(Op op, std::string_view path) {
  const std::scoped_lock lock(mutex_);
  calls_.push_back(op);
  if (is_mutating(op)) ++mutating_count_;
  const uint64_t count = calls_.size();
  bool fails = false;
  switch (plan_.kind) {
    case FaultKind::kNone:
      return {};
    case FaultKind::kFailOnce:
      fails = count == plan_.at;
      break;
    case FaultKind::kFailFromOn:
      fails = plan_.at > 0 && (count == plan_.at || (count > plan_.at && op != Op::kClose));
      break;
    case FaultKind::kStop:
    case FaultKind::kKill:
      fails = plan_.at > 0 && mutating_count_ >= plan_.at;
      break;
  }
  if (!fails) return {};
  if (plan_.kind == FaultKind::kKill) (void)std::raise(SIGKILL);
  if (!fired_) fired_ = op;
  if (plan_.kind == FaultKind::kStop) {
    return make_error(ErrorCode::kIo, std::string(kStopMessage), escape(path));
  }
  return errno_error(plan_.sys_errno, escape(path));
}

Result<Fd> FaultFs::open_root(const std::string& absolute) {
  RETURN_IF_ERROR(pass(Op::kOpenRoot, absolute));
  return inner_.open_root(absolute);
}

Result<Fd> FaultFs::open(Fd dir, const RelPath& path, fs::OpenMode how, uint32_t mode) {
  RETURN_IF_ERROR(pass(op_of(how), path.str()));
  return inner_.open(dir, path, how, mode);
}

Status FaultFs::close(Fd fd) {
  const Status passed = pass(Op::kClose, "");
  Status closed = inner_.close(fd);
  return passed ? closed : passed;
}

Result<size_t> FaultFs::read(Fd fd, uint64_t offset, std::span<std::byte> out) {
  RETURN_IF_ERROR(pass(Op::kRead, ""));
  return inner_.read(fd, offset, out);
}

Status FaultFs::write(Fd fd, uint64_t offset, std::span<const std::byte> data) {
  if (Status passed = pass(Op::kWrite, ""); !passed) {
    if (!is_stop(passed.error())) (void)inner_.write(fd, offset, data.first(data.size() / 2));
    return passed;
  }
  return inner_.write(fd, offset, data);
}

Status FaultFs::copy_range(Fd from, uint64_t from_offset, Fd to, uint64_t to_offset,
                           uint64_t length) {
  RETURN_IF_ERROR(pass(Op::kCopyRange, ""));
  return inner_.copy_range(from, from_offset, to, to_offset, length);
}

Status FaultFs::truncate(Fd fd, uint64_t size_bytes) {
  RETURN_IF_ERROR(pass(Op::kTruncate, ""));
  return inner_.truncate(fd, size_bytes);
}

Status FaultFs::sync(Fd fd, fs::SyncKind kind) {
  if (Status passed = pass(Op::kSync, ""); !passed) {
    auto* memory = dynamic_cast<MemFs*>(&inner_);
    if (memory != nullptr && !is_stop(passed.error())) memory->forget_dirty(fd);
    return passed;
  }
  return inner_.sync(fd, kind);
}

Status FaultFs::sync_file_system(Fd fd) {
  if (Status passed = pass(Op::kSyncFileSystem, ""); !passed) {
    auto* memory = dynamic_cast<MemFs*>(&inner_);
    if (memory != nullptr && !is_stop(passed.error())) memory->forget_dirty_device(fd);
    return passed;
  }
  return inner_.sync_file_system(fd);
}

void FaultFs::advise(Fd fd, fs::Advice advice) {
  inner_.advise(fd, advice);
}

Result<fs::Stat> FaultFs::stat(Fd dir, const RelPath& path) {
  RETURN_IF_ERROR(pass(Op::kStat, path.str()));
  return inner_.stat(dir, path);
}

Result<fs::Stat> FaultFs::stat_fd(Fd fd) {
  RETURN_IF_ERROR(pass(Op::kStat, ""));
  return inner_.stat_fd(fd);
}

Result<std::vector<fs::DirEntry>> FaultFs::list(Fd dir) {
  RETURN_IF_ERROR(pass(Op::kList, ""));
  return inner_.list(dir);
}

Result<std::string> FaultFs::read_link(Fd dir, const RelPath& path) {
  RETURN_IF_ERROR(pass(Op::kReadLink, path.str()));
  return inner_.read_link(dir, path);
}

Status FaultFs::make_dir(Fd dir, const RelPath& path, uint32_t mode) {
  RETURN_IF_ERROR(pass(Op::kMakeDir, path.str()));
  return inner_.make_dir(dir, path, mode);
}

Status FaultFs::make_symlink(const std::string& text, Fd dir, const RelPath& path) {
  RETURN_IF_ERROR(pass(Op::kMakeSymlink, path.str()));
  return inner_.make_symlink(text, dir, path);
}

Status FaultFs::hard_link(Fd from_dir, const RelPath& from, Fd to_dir, const RelPath& to) {
  RETURN_IF_ERROR(pass(Op::kHardLink, to.str()));
  return inner_.hard_link(from_dir, from, to_dir, to);
}

Status FaultFs::rename(Fd from_dir, const RelPath& from, Fd to_dir, const RelPath& to,
                       fs::RenameMode mode) {
  RETURN_IF_ERROR(pass(op_of(mode), to.str()));
  return inner_.rename(from_dir, from, to_dir, to, mode);
}

Status FaultFs::unlink(Fd dir, const RelPath& path) {
  RETURN_IF_ERROR(pass(Op::kUnlink, path.str()));
  return inner_.unlink(dir, path);
}

Status FaultFs::remove_dir(Fd dir, const RelPath& path) {
  RETURN_IF_ERROR(pass(Op::kRemoveDir, path.str()));
  return inner_.remove_dir(dir, path);
}

Status FaultFs::set_attributes(Fd fd, const fs::Attributes& attributes) {
  RETURN_IF_ERROR(pass(Op::kSetAttributes, ""));
  return inner_.set_attributes(fd, attributes);
}

Result<fs::Xattrs> FaultFs::get_xattrs(Fd fd) {
  RETURN_IF_ERROR(pass(Op::kGetXattrs, ""));
  return inner_.get_xattrs(fd);
}

Status FaultFs::set_xattrs(Fd fd, const fs::Xattrs& xattrs) {
  RETURN_IF_ERROR(pass(Op::kSetXattrs, ""));
  return inner_.set_xattrs(fd, xattrs);
}

Result<fs::Space> FaultFs::space(Fd fd) {
  RETURN_IF_ERROR(pass(Op::kSpace, ""));
  return inner_.space(fd);
}

Status FaultFs::try_lock(Fd fd, fs::LockMode mode) {
  RETURN_IF_ERROR(pass(Op::kTryLock, ""));
  return inner_.try_lock(fd, mode);
}

Result<bool> FaultFs::may_change_names(Fd dir) {
  RETURN_IF_ERROR(pass(Op::kMayChangeNames, ""));
  return inner_.may_change_names(dir);
}

Result<bool> FaultFs::has_writer(Fd fd) {
  RETURN_IF_ERROR(pass(Op::kHasWriter, ""));
  return inner_.has_writer(fd);
}

Result<std::string> FaultFs::path_of(Fd fd) {
  RETURN_IF_ERROR(pass(Op::kPathOf, ""));
  return inner_.path_of(fd);
}

}  // namespace stravinsky::testing
