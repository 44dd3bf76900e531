// An archive from anywhere. What is taken for a bundle is what it says, and comes out
// the same when it is packed again.
#include "base/check.h"
#include "fuzz_target.h"
#include "store/bundle.h"
#include "store/bundle_pack.h"

using namespace stravinsky;

namespace {

constexpr uint32_t kModesMax = 0755;
constexpr uint32_t kOwnerReads = 0400;

void check_files(const store::Bundle& bundle) {
  for (size_t i = 0; i < bundle.files().size(); ++i) {
    const store::BundleFile& file = bundle.files()[i];
    CHECK(fs::RelPath::parse(file.path.str()).has_value());
    CHECK(i == 0 || bundle.files()[i - 1].path < file.path);
    CHECK((file.mode & ~kModesMax) == 0 && (file.mode & kOwnerReads) != 0);
    CHECK(file.size_bytes == bundle.content(i).size());
    CHECK(file.sha256 == codec::sha256(bundle.content(i)));
  }
}

}  // namespace

FUZZ_TARGET(bundle) {
  store::BundleOptions options;
  options.limits.total_max_bytes = 32ULL << 20U;
  options.limits.file_max_bytes = 8ULL << 20U;
  options.sources = store::Sources::kKeep;
  const auto bundle = store::Bundle::open_archive(input, "bundle", options);
  if (!bundle) {
    CHECK(!bundle.error().message.empty());
    return;
  }
  check_files(*bundle);
  const auto packed = store::pack_bundle(*bundle);
  if (!packed) return;
  const auto again = store::Bundle::open_archive(*packed, "packed", options);
  CHECK(again.has_value());
  check_files(*again);
  CHECK(again->files().size() == bundle->files().size());
  for (size_t i = 0; i < bundle->files().size(); ++i) {
    CHECK(again->files()[i].path == bundle->files()[i].path);
    CHECK(again->files()[i].sha256 == bundle->files()[i].sha256);
  }
}
