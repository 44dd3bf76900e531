#include "store/tar_names.h"

#include <algorithm>
#include <charconv>

#include "base/strings.h"
#include "store/bundle_source.h"

namespace stravinsky::store {
namespace {

constexpr size_t kBlockBytes = 512;
constexpr uint64_t kExtendedMaxBytes = 1U << 20U;
constexpr uint64_t kSizeMax = uint64_t{1} << 60U;

// Offsets of the ustar header.
constexpr size_t kNameBytes = 100;
constexpr size_t kSizeAt = 124;
constexpr size_t kSizeBytes = 12;
constexpr size_t kSumAt = 148;
constexpr size_t kSumBytes = 8;
constexpr size_t kTypeAt = 156;
constexpr size_t kMagicAt = 257;
constexpr size_t kPrefixAt = 345;
constexpr size_t kPrefixBytes = 155;

uint64_t padded(uint64_t size) {
  return (size + kBlockBytes - 1) / kBlockBytes * kBlockBytes;
}

std::string_view until_nul(std::string_view text) {
  return text.substr(0, text.find('\0'));
}

std::optional<uint64_t> parse_octal(std::string_view field) {
  while (!field.empty() && (field.front() == ' ' || field.front() == '\t')) field.remove_prefix(1);
  uint64_t value = 0;
  for (const char c : field) {
    if (c == '\0' || c == ' ') break;
    if (c < '0' || c > '7' || value > kSizeMax) return std::nullopt;
    value = value * 8 + static_cast<uint64_t>(c - '0');
  }
  return value;
}

std::optional<uint64_t> parse_size(std::string_view field) {
  constexpr unsigned char kBinary = 0x80;
  if (static_cast<unsigned char>(field.front()) < kBinary) return parse_octal(field);
  if (static_cast<unsigned char>(field.front()) != kBinary) return std::nullopt;  // negative
  uint64_t value = 0;
  for (const char c : field.substr(1)) {
    if (value > kSizeMax >> 8U) return std::nullopt;
    value = value << 8U | static_cast<unsigned char>(c);
  }
  return value;
}

bool has_right_sum(std::string_view block) {
  uint64_t sum = 0;
  for (size_t i = 0; i < block.size(); ++i) {
    const bool in_sum = i >= kSumAt && i < kSumAt + kSumBytes;
    sum += in_sum ? uint64_t{0x20} : static_cast<unsigned char>(block[i]);
  }
  return parse_octal(block.substr(kSumAt, kSumBytes)) == sum;
}

std::string name_in_header(std::string_view block) {
  std::string name(until_nul(block.substr(0, kNameBytes)));
  const bool has_prefix = block.substr(kMagicAt, 6) == std::string_view("ustar\0", 6);
  const std::string_view prefix = until_nul(block.substr(kPrefixAt, kPrefixBytes));
  return has_prefix && !prefix.empty() ? std::string(prefix) + "/" + name : name;
}

Error damaged(std::string_view member, std::string_view rule) {
  return make_error(ErrorCode::kCorrupt, "not a sound archive: " + std::string(rule),
                    escape(member))
      .with_untouched("Nothing was changed.")
      .with_remedy("Get the bundle again and compare its checksum.");
}

}  // namespace

std::string TarNames::name() const {
  return next_name_.empty() ? header_name_ : next_name_;
}

Status TarNames::feed(std::string_view bytes) {
  while (!bytes.empty()) {
    size_t used = 0;
    switch (at_) {
      case At::kEnd:
        return {};
      case At::kHeader:
        used = std::min(bytes.size(), kBlockBytes - block_.size());
        block_ += bytes.substr(0, used);
        if (block_.size() == kBlockBytes) RETURN_IF_ERROR(on_header());
        break;
      case At::kBody:
      case At::kContent:
        used = static_cast<size_t>(std::min<uint64_t>(bytes.size(), left_));
        if (at_ == At::kBody) body_ += bytes.substr(0, used);
        left_ -= used;
        if (left_ > 0) break;
        if (at_ == At::kBody) RETURN_IF_ERROR(on_body());
        at_ = At::kHeader;
        break;
    }
    bytes.remove_prefix(used);
  }
  return {};
}

Status TarNames::on_header() {
  const std::string block = std::move(block_);
  block_.clear();
  if (std::ranges::all_of(block, [](char c) { return c == '\0'; })) {
    at_ = At::kEnd;
    return {};
  }
  if (!has_right_sum(block) && is_first_) return no_archive();
  if (!has_right_sum(block)) return damaged(header_name_, "the header behind it is damaged");
  is_first_ = false;
  header_name_ = name_in_header(block);
  const auto size = parse_size(std::string_view(block).substr(kSizeAt, kSizeBytes));
  if (!size || *size > kSizeMax) return refuse_bundle(header_name_, "its size is no number");
  type_ = block[kTypeAt];
  switch (type_) {
    case 'x':
    case 'X':
    case 'g':
    case 'L':
    case 'K':
      if (*size > kExtendedMaxBytes)
        return refuse_bundle(header_name_, "its extended header is larger than 1 MiB");
      body_.clear();
      body_bytes_ = *size;
      left_ = padded(*size);
      at_ = left_ > 0 ? At::kBody : At::kHeader;
      return {};
    case '0':
    case '7':
    case '\0':
      return start_content(next_size_.value_or(*size));
    case '5':
      if (next_size_.value_or(*size) != 0)
        return refuse_bundle(name(), "it is a directory, and has content");
      return start_content(0);
    case '1':
    case '2':
    case '3':
    case '4':
    case '6':
      return start_nothing(next_size_.value_or(*size));
    default:
      return refuse_bundle(name(), "it is neither a file nor a directory");
  }
}

Status TarNames::start_content(uint64_t size) {
  // libarchive takes these for directories and passes over their content.
  if (name().ends_with('/') && size > 0)
    return refuse_bundle(name(), "it is a directory, and has content");
  next_name_.clear();
  next_size_.reset();
  left_ = padded(size);
  at_ = left_ > 0 ? At::kContent : At::kHeader;
  return {};
}

// Links and devices: whether they are refused depends on where the tree lies.
Status TarNames::start_nothing(uint64_t size) {
  if (size == 0) return start_content(0);
  switch (type_) {
    case '1':
      return refuse_hard_link(name());
    case '2':
      return refuse_link(name());
    default:
      return refuse_special(name());
  }
}

Status TarNames::on_body() {
  body_.resize(body_bytes_);
  if (type_ != 'L' && type_ != 'K') return on_pax_body();
  const std::string_view text = until_nul(body_);
  if (std::string_view(body_).find_first_not_of('\0', text.size()) != std::string_view::npos)
    return refuse_bundle(body_, "its name holds a NUL byte");
  if (type_ == 'L') next_name_ = text;
  return {};
}

// Records of the form "<length> <key>=<value>\n".
Status TarNames::on_pax_body() {
  std::string_view rest = body_;
  while (!rest.empty()) {
    size_t length = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), length);
    const auto digits = static_cast<size_t>(end - rest.data());
    if (error != std::errc() || length > rest.size() || length < digits + 3 || *end != ' ' ||
        rest[length - 1] != '\n')
      return refuse_bundle(header_name_, "its extended header cannot be understood");
    const std::string_view record = rest.substr(digits + 1, length - digits - 2);
    const size_t equals = record.find('=');
    if (equals == std::string_view::npos || equals == 0)
      return refuse_bundle(header_name_, "its extended header cannot be understood");
    RETURN_IF_ERROR(on_record(record.substr(0, equals), record.substr(equals + 1)));
    rest.remove_prefix(length);
  }
  return {};
}

Status TarNames::on_record(std::string_view key, std::string_view value) {
  const bool is_binary = key.starts_with("SCHILY.xattr.") || key.starts_with("LIBARCHIVE.xattr.");
  if (key.find('\0') != std::string_view::npos ||
      (value.find('\0') != std::string_view::npos && !is_binary))
    return refuse_bundle(key == "path" ? value : std::string_view(header_name_),
                         key == "path" || key == "linkpath" ? "its name holds a NUL byte"
                                                            : "an attribute holds a NUL byte");
  if (type_ == 'g') return {};  // of no member; libarchive passes over them
  if (key.starts_with("GNU.sparse.") || key == "SCHILY.realsize")
    return refuse_bundle(name(), "it is a sparse file");
  if (key == "path") next_name_ = value;
  if (key == "size") {
    uint64_t size = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), size);
    if (error != std::errc() || end != value.data() + value.size() || size > kSizeMax)
      return refuse_bundle(name(), "its size is no number");
    next_size_ = size;
  }
  return {};
}

}  // namespace stravinsky::store
