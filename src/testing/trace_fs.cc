#include "testing/trace_fs.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/strings.h"

namespace stravinsky::testing {

using fs::Fd;
using fs::RelPath;

namespace {

std::string shown(const std::string& path) {
  return path.empty() ? "." : escape(path);
}

}  // namespace

std::vector<TraceEntry> TraceFs::entries() const {
  const std::scoped_lock lock(mutex_);
  return entries_;
}

std::vector<std::string> TraceFs::mutating_lines() const {
  std::vector<std::string> found;
  for (TraceEntry& entry : entries()) {
    if (is_mutating(entry.op)) found.push_back(std::move(entry.text));
  }
  return found;
}

std::vector<std::string> TraceFs::lines() const {
  std::vector<std::string> found;
  for (TraceEntry& entry : entries()) found.push_back(std::move(entry.text));
  return found;
}

size_t TraceFs::count(Op op) const {
  const std::scoped_lock lock(mutex_);
  return static_cast<size_t>(std::ranges::count(entries_, op, &TraceEntry::op));
}

size_t TraceFs::find(std::string_view beginning, size_t from) const {
  const std::scoped_lock lock(mutex_);
  for (size_t i = from; i < entries_.size(); ++i) {
    if (entries_[i].text.starts_with(beginning)) return i;
  }
  return npos;
}

void TraceFs::clear() {
  const std::scoped_lock lock(mutex_);
  entries_.clear();
}

TraceFs::Reached TraceFs::reached(Fd fd) const {
  const std::scoped_lock lock(mutex_);
  const auto found = reached_.find(fd);
  return found == reached_.end() ? Reached{"", "?"} : found->second;
}

TraceFs::Reached TraceFs::reached(Fd dir, const RelPath& path) const {
  Reached where = reached(dir);
  where.path += (where.path.empty() ? "" : "/") + path.str();
  return where;
}

void TraceFs::remember(Fd fd, Reached where) {
  const std::scoped_lock lock(mutex_);
  reached_[fd] = std::move(where);
}

void TraceFs::record(Op op, const Reached& where, const std::string& text, const Error* error) {
  std::string line = std::string(op_name(op)) + " ";
  line += text.empty() ? shown(where.path) : text;
  if (error != nullptr) line += " ! " + std::string(code_name(error->code));
  const bool at_root = where.path.empty() || where.root == "/";
  const std::scoped_lock lock(mutex_);
  entries_.push_back({.op = op,
                      .text = std::move(line),
                      .path = where.root + (at_root ? "" : "/") + where.path,
                      .succeeded = error == nullptr});
}

template <typename Answer>
Answer TraceFs::noted(Op op, const Reached& where, Answer answer, const std::string& text) {
  record(op, where, text, answer ? nullptr : &answer.error());
  return answer;
}

Result<Fd> TraceFs::open_root(const std::string& absolute) {
  const Reached where{.root = absolute, .path = {}};
  auto opened = inner_.open_root(absolute);
  if (opened) remember(*opened, where);
  return noted(Op::kOpenRoot, where, std::move(opened), escape(absolute));
}

Result<Fd> TraceFs::open(Fd dir, const RelPath& path, fs::OpenMode how, uint32_t mode) {
  const Reached where = reached(dir, path);
  auto opened = inner_.open(dir, path, how, mode);
  if (opened) remember(*opened, where);
  return noted(op_of(how), where, std::move(opened));
}

Status TraceFs::close(Fd fd) {
  const Reached where = reached(fd);
  {
    const std::scoped_lock lock(mutex_);
    reached_.erase(fd);
  }
  return noted(Op::kClose, where, inner_.close(fd));
}

Result<size_t> TraceFs::read(Fd fd, uint64_t offset, std::span<std::byte> out) {
  return noted(Op::kRead, reached(fd), inner_.read(fd, offset, out));
}

Status TraceFs::write(Fd fd, uint64_t offset, std::span<const std::byte> data) {
  const Reached where = reached(fd);
  return noted(Op::kWrite, where, inner_.write(fd, offset, data),
               fmt::format("{} {}+{}", shown(where.path), offset, data.size()));
}

Status TraceFs::copy_range(Fd from, uint64_t from_offset, Fd to, uint64_t to_offset,
                           uint64_t length) {
  const Reached where = reached(to);
  return noted(Op::kCopyRange, where, inner_.copy_range(from, from_offset, to, to_offset, length),
               fmt::format("{} -> {} {}+{}", shown(reached(from).path), shown(where.path),
                           to_offset, length));
}

Status TraceFs::truncate(Fd fd, uint64_t size_bytes) {
  const Reached where = reached(fd);
  return noted(Op::kTruncate, where, inner_.truncate(fd, size_bytes),
               fmt::format("{} {}", shown(where.path), size_bytes));
}

Status TraceFs::sync(Fd fd, fs::SyncKind kind) {
  const Reached where = reached(fd);
  return noted(Op::kSync, where, inner_.sync(fd, kind),
               (kind == fs::SyncKind::kFull ? "full " : "data ") + shown(where.path));
}

Status TraceFs::sync_file_system(Fd fd) {
  return noted(Op::kSyncFileSystem, reached(fd), inner_.sync_file_system(fd));
}

void TraceFs::advise(Fd fd, fs::Advice advice) {
  inner_.advise(fd, advice);
}

Result<fs::Stat> TraceFs::stat(Fd dir, const RelPath& path) {
  return noted(Op::kStat, reached(dir, path), inner_.stat(dir, path));
}

Result<fs::Stat> TraceFs::stat_fd(Fd fd) {
  return noted(Op::kStat, reached(fd), inner_.stat_fd(fd));
}

Result<std::vector<fs::DirEntry>> TraceFs::list(Fd dir) {
  return noted(Op::kList, reached(dir), inner_.list(dir));
}

Result<std::string> TraceFs::read_link(Fd dir, const RelPath& path) {
  return noted(Op::kReadLink, reached(dir, path), inner_.read_link(dir, path));
}

Status TraceFs::make_dir(Fd dir, const RelPath& path, uint32_t mode) {
  return noted(Op::kMakeDir, reached(dir, path), inner_.make_dir(dir, path, mode));
}

Status TraceFs::make_symlink(const std::string& text, Fd dir, const RelPath& path) {
  return noted(Op::kMakeSymlink, reached(dir, path), inner_.make_symlink(text, dir, path));
}

Status TraceFs::hard_link(Fd from_dir, const RelPath& from, Fd to_dir, const RelPath& to) {
  const Reached where = reached(to_dir, to);
  return noted(Op::kHardLink, where, inner_.hard_link(from_dir, from, to_dir, to),
               fmt::format("{} -> {}", shown(reached(from_dir, from).path), shown(where.path)));
}

Status TraceFs::rename(Fd from_dir, const RelPath& from, Fd to_dir, const RelPath& to,
                       fs::RenameMode mode) {
  const Reached where = reached(to_dir, to);
  const std::string_view arrow = mode == fs::RenameMode::kExchange ? "<->" : "->";
  return noted(
      op_of(mode), where, inner_.rename(from_dir, from, to_dir, to, mode),
      fmt::format("{} {} {}", shown(reached(from_dir, from).path), arrow, shown(where.path)));
}

Status TraceFs::unlink(Fd dir, const RelPath& path) {
  return noted(Op::kUnlink, reached(dir, path), inner_.unlink(dir, path));
}

Status TraceFs::remove_dir(Fd dir, const RelPath& path) {
  return noted(Op::kRemoveDir, reached(dir, path), inner_.remove_dir(dir, path));
}

Status TraceFs::set_attributes(Fd fd, const fs::Attributes& attributes) {
  return noted(Op::kSetAttributes, reached(fd), inner_.set_attributes(fd, attributes));
}

Result<fs::Xattrs> TraceFs::get_xattrs(Fd fd) {
  return noted(Op::kGetXattrs, reached(fd), inner_.get_xattrs(fd));
}

Status TraceFs::set_xattrs(Fd fd, const fs::Xattrs& xattrs) {
  return noted(Op::kSetXattrs, reached(fd), inner_.set_xattrs(fd, xattrs));
}

Result<fs::Space> TraceFs::space(Fd fd) {
  return noted(Op::kSpace, reached(fd), inner_.space(fd));
}

Status TraceFs::try_lock(Fd fd, fs::LockMode mode) {
  return noted(Op::kTryLock, reached(fd), inner_.try_lock(fd, mode));
}

Result<bool> TraceFs::may_change_names(Fd dir) {
  return noted(Op::kMayChangeNames, reached(dir), inner_.may_change_names(dir));
}

Result<bool> TraceFs::has_writer(Fd fd) {
  return noted(Op::kHasWriter, reached(fd), inner_.has_writer(fd));
}

Result<std::string> TraceFs::path_of(Fd fd) {
  return noted(Op::kPathOf, reached(fd), inner_.path_of(fd));
}

}  // namespace stravinsky::testing
