#include "txn/before_images.h"

#include <algorithm>
#include <vector>

#include "base/mutant.h"
#include "model/store_layout.h"
#include "txn/inspect.h"

namespace stravinsky::txn {
namespace {

using model::Change;
using model::ChangePlan;
using model::Image;
using model::ImageKind;

constexpr size_t kBufferBytes = 1U << 20U;

// Collects small files into large writes.
class Appender {
 public:
  Appender(fs::FileSystem& fs, fs::Fd fd) : fs_(fs), fd_(fd) {}
  Status append(std::span<const std::byte> piece) {
    buffer_.insert(buffer_.end(), piece.begin(), piece.end());
    return buffer_.size() < kBufferBytes ? Status() : flush();
  }
  Status flush() {
    if (buffer_.empty()) return {};
    RETURN_IF_ERROR(fs_.write(fd_, offset_, buffer_));
    offset_ += buffer_.size();
    buffer_.clear();
    return {};
  }

 private:
  fs::FileSystem& fs_;
  fs::Fd fd_;
  uint64_t offset_ = 0;
  std::vector<std::byte> buffer_;
};

}  // namespace

BeforePlaces::BeforePlaces(const ChangePlan& plan) {
  uint64_t offset = 0;
  for (const Change& change : plan.changes) {
    auto& places = by_change_.emplace_back();
    model::visit_image(change.before, "", [&](const std::string& path, const Image& image) {
      if (image.kind != ImageKind::kFile) return;
      places.emplace(path, Place{.offset = offset, .size_bytes = image.size_bytes});
      offset += image.size_bytes;
    });
  }
}

std::optional<BeforePlaces::Place> BeforePlaces::find(size_t change,
                                                      const std::string& inner_path) const {
  if (change >= by_change_.size()) return std::nullopt;
  const auto found = by_change_[change].find(inner_path);
  if (found == by_change_[change].end()) return std::nullopt;
  return found->second;
}

Status write_before_images(fs::FileSystem& fs, fs::Fd tx_dir, const ChangePlan& plan,
                           const Targets& targets) {
  ASSIGN_OR_RETURN(fs::File file, fs::File::open(fs, tx_dir, model::layout::before_images_name(),
                                                 fs::OpenMode::kCreateExclusive));
  Appender appender(fs, file.fd());
  const SeeBytes see = [&](const std::string&, std::span<const std::byte> piece) {
    return appender.append(piece);
  };
  for (size_t i = 0; i < plan.changes.size(); ++i) {
    const Change& change = plan.changes[i];
    ASSIGN_OR_RETURN_WHILE(const Image now, inspect(fs, targets.dir(i), targets.leaf(i), see),
                           "while saving " + change.display);
    if (!now.same_as(change.before) && !MUTANT(before_images_without_check))
      return make_error(ErrorCode::kChanged, "was changed by somebody else meanwhile",
                        change.display);
  }
  RETURN_IF_ERROR(appender.flush());
  if (!MUTANT(before_images_without_sync)) RETURN_IF_ERROR(fs.sync(file.fd(), fs::SyncKind::kFull));
  return file.close();
}

Status write_before_images_of(fs::FileSystem& fs, fs::Fd tx_dir, const ChangePlan& plan,
                              const Content& before) {
  ASSIGN_OR_RETURN(fs::File file, fs::File::open(fs, tx_dir, model::layout::before_images_name(),
                                                 fs::OpenMode::kCreateExclusive));
  Appender appender(fs, file.fd());
  Status done;
  for (size_t i = 0; i < plan.changes.size(); ++i) {
    model::visit_image(plan.changes[i].before, "", [&](const std::string& path, const Image& node) {
      if (!done || node.kind != ImageKind::kFile) return;
      codec::Sha256 hash;
      done = before(i, path, [&](std::span<const std::byte> piece) {
        hash.update(piece);
        return appender.append(piece);
      });
      if (done && hash.finish() != node.sha256)
        done = make_error(ErrorCode::kCorrupt, "the old content is not what was recorded",
                          plan.changes[i].display);
    });
    if (!done) return done;
  }
  RETURN_IF_ERROR(appender.flush());
  RETURN_IF_ERROR(fs.sync(file.fd(), fs::SyncKind::kFull));
  return file.close();
}

Status read_before_image(fs::FileSystem& fs, fs::Fd tx_dir, const BeforePlaces& places,
                         size_t change, const std::string& inner_path, const codec::Sink& sink) {
  const auto place = places.find(change, inner_path);
  if (!place)
    return make_error(ErrorCode::kNotFound, "the transaction displaced no such file", inner_path);
  ASSIGN_OR_RETURN(
      const fs::File file,
      fs::File::open(fs, tx_dir, model::layout::before_images_name(), fs::OpenMode::kRead));
  std::vector<std::byte> buffer(std::min<uint64_t>(place->size_bytes, kBufferBytes));
  for (uint64_t done = 0; done < place->size_bytes;) {
    const auto piece =
        std::span(buffer).first(std::min<uint64_t>(buffer.size(), place->size_bytes - done));
    ASSIGN_OR_RETURN(const size_t got, fs.read(file.fd(), place->offset + done, piece));
    if (got == 0) return make_error(ErrorCode::kCorrupt, "the saved content is cut short");
    RETURN_IF_ERROR(sink(piece.first(got)));
    done += got;
  }
  return {};
}

}  // namespace stravinsky::txn
