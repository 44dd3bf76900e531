#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include "base/check.h"
#include "base/strings.h"
#include "codec/archive_output.h"
#include "codec/member_encoder.h"
#include "codec/tar_gz.h"
#include "codec/tar_header.h"
#include "codec/threads.h"

namespace stravinsky::codec {
namespace {

// How many members a worker takes at a time, and how much it compresses before it
// hands them over: large enough that the lock does not count, small enough that 75
// files keep two workers busy.
constexpr size_t kWriteClaimMembers = 8;
constexpr size_t kBatchBytes = 1U << 20U;

// Neighbouring members, ready to be written.
struct Batch {
  size_t first = 0;
  std::vector<std::optional<ArchiveMember>> members;  // nullopt: to be streamed
  std::vector<std::byte> bytes;
  std::optional<Error> error;  // of the member after those
};

Error about(const ArchiveMember& member, Error error) {
  const std::string path = escape(member.path);
  if (error.path.empty()) error.path = path;
  if (error.path == path) return error;
  return Error(std::move(error).with_context("while storing " + path));
}

// Adds members from batch.first on, up to end or until the batch is large enough.
void fill(Batch& batch, size_t end, MemberEncoder& encoder, const WriteJob& job) {
  for (size_t index = batch.first; index < end && batch.bytes.size() < kBatchBytes; ++index) {
    auto member = encoder.encode(index, batch.bytes);
    if (!member) {
      batch.error = about(job.members[index], std::move(member).error());
      return;
    }
    batch.members.push_back(*std::move(member));
    if (!batch.members.back()) return;
  }
}

// Workers fill batches, in any order; the writer takes them in the order of members.
//
// Bounded memory: a worker waits with its batch while enough bytes lie ready, unless
// its batch is the one that the writer waits for.
class BatchQueue {
 public:
  BatchQueue(const WriteJob& job, int threads)
      : job_(job), held_max_bytes_(2 * kBatchBytes * static_cast<size_t>(threads)) {}

  // The loop of a worker.
  void work() {
    MemberEncoder encoder(job_);
    while (const auto claimed = claim()) {
      auto [first, end] = *claimed;
      while (first < end) {
        Batch batch{.first = first, .members = {}, .bytes = {}, .error = {}};
        fill(batch, end, encoder, job_);
        first += batch.members.size();
        const bool failed = batch.error.has_value();
        if (!hand_over(std::move(batch)) || failed) return;
      }
    }
  }

  Batch take() {
    std::unique_lock lock(mutex_);
    filled_.wait(lock, [&] { return !held_.empty() && held_.begin()->first == next_take_; });
    Batch batch = std::move(held_.extract(held_.begin()).mapped());
    next_take_ += batch.members.size();
    held_bytes_ -= batch.bytes.size();
    taken_.notify_all();
    return batch;
  }

  // No worker begins another batch.
  void stop() {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
    taken_.notify_all();
  }

 private:
  std::optional<std::pair<size_t, size_t>> claim() {
    const std::scoped_lock lock(mutex_);
    if (stopping_ || next_claim_ == job_.members.size()) return std::nullopt;
    const size_t first = next_claim_;
    next_claim_ = std::min(first + kWriteClaimMembers, job_.members.size());
    return std::pair(first, next_claim_);
  }

  bool hand_over(Batch batch) {
    std::unique_lock lock(mutex_);
    taken_.wait(lock, [&] {
      return stopping_ || batch.first == next_take_ || held_bytes_ < held_max_bytes_;
    });
    if (stopping_) return false;
    held_bytes_ += batch.bytes.size();
    held_.emplace(batch.first, std::move(batch));
    filled_.notify_one();
    return true;
  }

  const WriteJob& job_;
  const size_t held_max_bytes_;
  std::mutex mutex_;
  std::condition_variable filled_;
  std::condition_variable taken_;
  std::map<size_t, Batch> held_;
  size_t held_bytes_ = 0;
  size_t next_claim_ = 0;
  size_t next_take_ = 0;
  bool stopping_ = false;
};

// Puts the members of batches behind each other into the archive.
class ArchiveWriter {
 public:
  ArchiveWriter(const WriteJob& job, fs::Fd out) : job_(job), output_(job.fs, out), encoder_(job) {
    archive_.members.reserve(job.members.size());
  }

  bool is_complete() const { return archive_.members.size() == job_.members.size(); }

  Status write(Batch batch) {
    uint64_t offset = output_.size_bytes();
    RETURN_IF_ERROR(output_.append(batch.bytes));
    for (std::optional<ArchiveMember>& member : batch.members) {
      if (!member) {
        const size_t index = archive_.members.size();
        auto streamed = encoder_.stream(index, output_);
        if (!streamed) return about(job_.members[index], std::move(streamed).error());
        member = *std::move(streamed);
      }
      member->offset = offset;
      offset += member->length;
      archive_.members.push_back(*std::move(member));
    }
    if (batch.error) return *std::move(batch.error);
    return {};
  }

  // Everything in this thread.
  Status write_alone() {
    while (!is_complete()) {
      Batch batch{.first = archive_.members.size(), .members = {}, .bytes = {}, .error = {}};
      fill(batch, job_.members.size(), encoder_, job_);
      RETURN_IF_ERROR(write(std::move(batch)));
    }
    return {};
  }

  Status write_from(BatchQueue& queue) {
    while (!is_complete()) RETURN_IF_ERROR(write(queue.take()));
    return {};
  }

  Result<Archive> finish() {
    GzipCompressor gzip(job_.options.level);
    std::vector<std::byte> end;
    gzip.append(std::vector<std::byte>(2 * kTarBlockBytes), end);
    RETURN_IF_ERROR(output_.append(end));
    archive_.size_bytes = output_.size_bytes();
    ASSIGN_OR_RETURN(archive_.sha256, output_.finish());
    return std::move(archive_);
  }

 private:
  const WriteJob& job_;
  ArchiveOutput output_;
  MemberEncoder encoder_;
  Archive archive_;
};

}  // namespace

Result<Archive> write_tar_gz(fs::FileSystem& fs, fs::Fd out, std::span<const ArchiveMember> members,
                             const OpenContent& open_content, const WriteOptions& options) {
  CHECK(options.level >= 1 && options.level <= 12);
  const WriteJob job(fs, members, open_content, options);
  ArchiveWriter writer(job, out);
  Status written;
  if (options.threads > 1 && members.size() > kWriteClaimMembers) {
    BatchQueue queue(job, options.threads);
    const Threads workers(options.threads, [&queue] { queue.work(); });
    written = workers.count() > 0 ? writer.write_from(queue) : writer.write_alone();
    queue.stop();
  } else {
    written = writer.write_alone();
  }
  RETURN_IF_ERROR(written);
  return writer.finish();
}

}  // namespace stravinsky::codec
