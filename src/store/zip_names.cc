#include "store/zip_names.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "store/bundle_source.h"

namespace stravinsky::store {
namespace {

// APPNOTE.TXT of PKWARE, sections 4.3.7, 4.3.12 and 4.3.16.
constexpr std::string_view kLocalMagic{"PK\x03\x04", 4};
constexpr std::string_view kCentralMagic{"PK\x01\x02", 4};
constexpr std::string_view kEndMagic{"PK\x05\x06", 4};
constexpr size_t kLocalBytes = 30;
constexpr size_t kCentralBytes = 46;
constexpr size_t kEndBytes = 22;
constexpr size_t kCommentMaxBytes = 65535;
constexpr uint64_t kMax16 = 0xffff;
constexpr uint64_t kMax32 = 0xffffffff;

uint64_t number(std::string_view bytes, size_t at, size_t size) {
  uint64_t value = 0;
  for (size_t i = size; i-- > 0;) value = value << 8U | static_cast<unsigned char>(bytes[at + i]);
  return value;
}
uint64_t u16(std::string_view bytes, size_t at) {
  return number(bytes, at, 2);
}
uint64_t u32(std::string_view bytes, size_t at) {
  return number(bytes, at, 4);
}

Error damaged(std::string_view rule) {
  return make_error(ErrorCode::kCorrupt, "not a sound .zip: " + std::string(rule))
      .with_untouched("Nothing was changed.")
      .with_remedy("Get the bundle again and compare its checksum.");
}

// Where the end record is; its comment must reach exactly to the end of the file.
size_t find_end(std::string_view zip) {
  const size_t lowest = zip.size() - std::min(zip.size(), kEndBytes + kCommentMaxBytes);
  for (size_t at = zip.rfind(kEndMagic); at != std::string_view::npos && at >= lowest;
       at = at == 0 ? std::string_view::npos : zip.rfind(kEndMagic, at - 1)) {
    if (zip.size() - at >= kEndBytes && at + kEndBytes + u16(zip, at + 20) == zip.size()) return at;
  }
  return std::string_view::npos;
}

}  // namespace

Status check_zip_names(std::string_view zip) {
  const size_t end = find_end(zip);
  if (end == std::string_view::npos) return damaged("its end is missing");
  const uint64_t count = u16(zip, end + 10);
  const uint64_t directory_bytes = u32(zip, end + 12);
  const uint64_t directory = u32(zip, end + 16);
  if (u16(zip, end + 4) != 0 || u16(zip, end + 6) != 0 || u16(zip, end + 8) != count)
    return damaged("it is one of several parts");
  if (count == kMax16 || directory == kMax32 || directory_bytes == kMax32)
    return damaged("it is of the 64-bit form");
  if (directory + directory_bytes != end) return damaged("its directory is not where it should be");

  std::vector<std::pair<uint64_t, uint64_t>> extents;  // of the members
  uint64_t at = directory;
  for (uint64_t i = 0; i < count; ++i) {
    if (end - at < kCentralBytes || zip.substr(at, 4) != kCentralMagic)
      return damaged("its directory is cut");
    const uint64_t size = u32(zip, at + 20);
    const uint64_t name_bytes = u16(zip, at + 28);
    const uint64_t local = u32(zip, at + 42);
    const uint64_t next = at + kCentralBytes + name_bytes + u16(zip, at + 30) + u16(zip, at + 32);
    if (next > end) return damaged("its directory is cut");
    const std::string_view name = zip.substr(at + kCentralBytes, name_bytes);
    if (name.find('\0') != std::string_view::npos)
      return refuse_bundle(name, "its name holds a NUL byte");
    if (size == kMax32 || local == kMax32 || u32(zip, at + 24) == kMax32)
      return damaged("it is of the 64-bit form");
    if (local + kLocalBytes > directory || zip.substr(local, 4) != kLocalMagic)
      return refuse_bundle(name, "its content is not where the directory says");
    if (zip.substr(local + kLocalBytes, u16(zip, local + 26)) != name)
      return refuse_bundle(name, "it has two names");
    const uint64_t content = local + kLocalBytes + u16(zip, local + 26) + u16(zip, local + 28);
    if (content + size > directory) return refuse_bundle(name, "its content is cut");
    extents.emplace_back(local, content + size);
    at = next;
  }
  if (at != end) return damaged("its directory has other bytes behind");
  std::ranges::sort(extents);
  for (size_t i = 1; i < extents.size(); ++i)
    if (extents[i].first < extents[i - 1].second)
      return damaged("two of its members share their content");
  return {};
}

}  // namespace stravinsky::store
