#include "store/accepted_sources.h"

#include "base/strings.h"
#include "fs/atomic_file.h"
#include "fs/file.h"
#include "model/store_layout.h"

namespace stravinsky::store {
namespace {

constexpr uint64_t kAcceptedMaxBytes = uint64_t{1} << 20U;

}  // namespace

AcceptedSources AcceptedSources::load(fs::FileSystem& fs, fs::Fd store) {
  AcceptedSources sources;
  const auto text = fs::read_file(fs, store, model::layout::accepted_sources(), kAcceptedMaxBytes);
  if (!text) return sources;
  for (const std::string_view line : split(*text, '\n'))
    if (const auto digest = codec::Digest::from_hex(line)) sources.add(*digest);
  sources.is_changed_ = false;
  return sources;
}

void AcceptedSources::add(const codec::Digest& digest) {
  if (!known_.insert(digest).second) return;
  in_order_.push_back(digest);
  is_changed_ = true;
}

Status AcceptedSources::save(fs::FileSystem& fs, fs::Fd store) {
  if (!is_changed_) return {};
  const size_t first =
      in_order_.size() > kAcceptedSourcesMax ? in_order_.size() - kAcceptedSourcesMax : 0;
  std::string text;
  for (size_t i = first; i < in_order_.size(); ++i) text += in_order_[i].hex() + "\n";
  RETURN_IF_ERROR(fs::write_atomically(fs, store, model::layout::accepted_sources(), text));
  is_changed_ = false;
  return {};
}

}  // namespace stravinsky::store
