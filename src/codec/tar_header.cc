#include "codec/tar_header.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

#include "base/check.h"
#include "base/strings.h"
#include "base/units.h"
#include "fs/rel_path.h"

namespace stravinsky::codec {
namespace {

constexpr size_t kLinkTextMaxBytes = 4095;
constexpr uint64_t kIdMax = 07'777'777;
constexpr uint64_t kSizeMax = 077'777'777'777;  // also of the time
constexpr std::string_view kMagicAndVersion{"ustar\00000", 8};

// One field of the ustar block.
struct Field {
  size_t at;
  size_t size;
};
constexpr Field kName{0, 100};
constexpr Field kMode{100, 8};
constexpr Field kUid{108, 8};
constexpr Field kGid{116, 8};
constexpr Field kSize{124, 12};
constexpr Field kMtime{136, 12};
constexpr Field kChecksum{148, 8};
constexpr Field kType{156, 1};
constexpr Field kLink{157, 100};
constexpr Field kMagic{257, 8};
constexpr Field kPrefix{345, 155};

constexpr char kTypeFile = '0';
constexpr char kTypeSymlink = '2';
constexpr char kTypeDirectory = '5';
constexpr char kTypePax = 'x';
constexpr char kTypeGnuPath = 'L';
constexpr char kTypeGnuLink = 'K';

void put(std::string& block, Field field, std::string_view text) {
  CHECK(text.size() <= field.size);
  block.replace(field.at, text.size(), text);
}

// Octal digits and a NUL.
void put_number(std::string& block, Field field, uint64_t number) {
  put(block, field, fmt::format("{:0{}o}", number, field.size - 1));
}

// The sum of the block's bytes, the checksum itself taken as spaces.
uint64_t checksum_of(std::string_view block) {
  uint64_t sum = 0;
  for (size_t i = 0; i < block.size(); ++i) {
    const bool in_checksum = i >= kChecksum.at && i < kChecksum.at + kChecksum.size;
    sum += static_cast<unsigned char>(in_checksum ? ' ' : block[i]);
  }
  return sum;
}

std::string new_block(char type, uint64_t size_bytes) {
  std::string block(kTarBlockBytes, '\0');
  put(block, kType, {&type, 1});
  put(block, kMagic, kMagicAndVersion);
  put_number(block, kSize, size_bytes);
  return block;
}

void append_block(std::string& out, std::string block) {
  put(block, kChecksum, fmt::format("{:06o}", checksum_of(block)));
  block[kChecksum.at + 7] = ' ';
  out += block;
}

// An extension: a header block of its own and its data, padded.
void append_extension(std::string& out, char type, std::string_view name, std::string_view data) {
  std::string block = new_block(type, data.size());
  put(block, kName, name);
  put_number(block, kMode, 0644);
  put_number(block, kUid, 0);
  put_number(block, kGid, 0);
  put_number(block, kMtime, 0);
  append_block(out, std::move(block));
  out += data;
  out.append(tar_padding(data.size()), '\0');
}

// "LENGTH key=value\n", where LENGTH counts its own digits.
std::string pax_record(std::string_view key, std::string_view value) {
  const size_t rest = key.size() + value.size() + 3;
  size_t length = rest;
  while (length != rest + std::to_string(length).size())
    length = rest + std::to_string(length).size();
  return fmt::format("{} {}={}\n", length, key, value);
}

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// Where to cut path into prefix and name, 0 when it fits the name; nullopt when
// it fits neither.
std::optional<size_t> prefix_length(std::string_view path) {
  if (path.size() <= kName.size) return 0;
  const size_t slash = path.find('/', path.size() - kName.size - 1);
  // No slash at all is a very large number.
  if (slash > kPrefix.size || slash + 1 == path.size()) return std::nullopt;
  return slash;
}

// --- reading

Error bad_header(std::string_view reason) {
  return make_error(ErrorCode::kCorrupt, fmt::format("bad tar header: {}", reason));
}

std::string_view field_of(std::string_view block, Field field) {
  return block.substr(field.at, field.size);
}

// Up to the first NUL or the end of the field.
std::string_view text_of(std::string_view block, Field field) {
  const std::string_view text = field_of(block, field);
  return text.substr(0, text.find('\0'));
}

template <typename Number>
Result<Number> parse_number(std::string_view digits, int base) {
  Number number = 0;
  const auto [end, failure] =
      std::from_chars(digits.data(), digits.data() + digits.size(), number, base);
  if (failure != std::errc() || end != digits.data() + digits.size())
    return bad_header("not a number");
  return number;
}

Result<uint64_t> number_of(std::string_view block, Field field) {
  const std::string_view text = field_of(block, field);
  if (text.back() != '\0') return bad_header("a number without an end");
  return parse_number<uint64_t>(text.substr(0, text.size() - 1), 8);
}

// What extensions said about the member that follows them.
struct Overrides {
  std::optional<std::string> path;
  std::optional<std::string> link_text;
  std::optional<uint64_t> size_bytes;
  std::optional<uint64_t> uid;
  std::optional<uint64_t> gid;
  std::optional<int64_t> mtime_s;
};

template <typename Value>
Status set_once(std::optional<Value>& slot, Value value) {
  if (slot) return bad_header("an extension given twice");
  slot = std::move(value);
  return {};
}

template <typename Number>
Status set_number(std::optional<Number>& slot, std::string_view digits) {
  ASSIGN_OR_RETURN(const Number number, parse_number<Number>(digits, 10));
  return set_once(slot, number);
}

Status apply_pax_record(std::string_view key, std::string_view value, Overrides& overrides) {
  if (key == "path") return set_once(overrides.path, std::string(value));
  if (key == "linkpath") return set_once(overrides.link_text, std::string(value));
  if (key == "size") return set_number(overrides.size_bytes, value);
  if (key == "uid") return set_number(overrides.uid, value);
  if (key == "gid") return set_number(overrides.gid, value);
  if (key == "mtime") return set_number(overrides.mtime_s, value);
  return bad_header("an unknown pax record");
}

Status apply_pax(std::string_view data, Overrides& overrides) {
  while (!data.empty()) {
    const size_t space = data.find(' ');
    if (space == std::string_view::npos) return bad_header("a pax record without a length");
    ASSIGN_OR_RETURN(const auto length, parse_number<size_t>(data.substr(0, space), 10));
    if (length > data.size() || length < space + 3 || data[length - 1] != '\n')
      return bad_header("a pax record of the wrong length");
    const std::string_view record = data.substr(space + 1, length - space - 2);
    const size_t equals = record.find('=');
    if (equals == std::string_view::npos) return bad_header("a pax record without a value");
    RETURN_IF_ERROR(
        apply_pax_record(record.substr(0, equals), record.substr(equals + 1), overrides));
    data.remove_prefix(length);
  }
  return {};
}

Status apply_extension(char type, std::string_view data, Overrides& overrides) {
  if (type == kTypePax) return apply_pax(data, overrides);
  if (data.empty() || data.back() != '\0') return bad_header("a long name without an end");
  std::string name(data.substr(0, data.size() - 1));
  return set_once(type == kTypeGnuPath ? overrides.path : overrides.link_text, std::move(name));
}

Status check_block(std::string_view block) {
  if (field_of(block, kMagic) != kMagicAndVersion) return bad_header("not a ustar header");
  const std::string_view stored = field_of(block, kChecksum);
  if (stored != fmt::format("{:06o}", checksum_of(block)) + std::string("\0 ", 2))
    return bad_header("wrong checksum");
  return {};
}

Result<fs::NodeType> node_type_of(char type) {
  switch (type) {
    case kTypeFile:
      return fs::NodeType::kFile;
    case kTypeSymlink:
      return fs::NodeType::kSymlink;
    case kTypeDirectory:
      return fs::NodeType::kDirectory;
    default:
      return bad_header("neither a file nor a directory nor a symlink");
  }
}

Result<ArchiveMember> parse_member(std::string_view block, Overrides& overrides) {
  ArchiveMember member;
  ASSIGN_OR_RETURN(member.type, node_type_of(block[kType.at]));
  ASSIGN_OR_RETURN(const uint64_t mode, number_of(block, kMode));
  ASSIGN_OR_RETURN(const uint64_t uid, number_of(block, kUid));
  ASSIGN_OR_RETURN(const uint64_t gid, number_of(block, kGid));
  ASSIGN_OR_RETURN(const uint64_t size_bytes, number_of(block, kSize));
  ASSIGN_OR_RETURN(const uint64_t mtime_s, number_of(block, kMtime));
  if (mode > 07777) return bad_header("a mode of more than 12 bits");
  member.mode = static_cast<uint32_t>(mode);
  const uint64_t whole_uid = overrides.uid.value_or(uid);
  const uint64_t whole_gid = overrides.gid.value_or(gid);
  if (whole_uid > UINT32_MAX || whole_gid > UINT32_MAX) return bad_header("an owner out of range");
  member.uid = static_cast<uint32_t>(whole_uid);
  member.gid = static_cast<uint32_t>(whole_gid);
  member.size_bytes = overrides.size_bytes.value_or(size_bytes);
  const int64_t seconds = overrides.mtime_s.value_or(static_cast<int64_t>(mtime_s));
  if (seconds > INT64_MAX / kNanosPerSecond || seconds < INT64_MIN / kNanosPerSecond)
    return bad_header("a time out of range");
  member.mtime_ns = seconds * kNanosPerSecond;

  const std::string_view prefix = text_of(block, kPrefix);
  member.path =
      overrides.path.value_or(prefix.empty() ? std::string(text_of(block, kName))
                                             : fmt::format("{}/{}", prefix, text_of(block, kName)));
  member.link_text = overrides.link_text.value_or(std::string(text_of(block, kLink)));
  if (member.type == fs::NodeType::kDirectory) {
    if (!member.path.ends_with('/')) return bad_header("a directory without a slash");
    member.path.pop_back();
  }
  if ((member.type == fs::NodeType::kSymlink) == member.link_text.empty())
    return bad_header("a link text out of place");
  if (member.type != fs::NodeType::kFile && member.size_bytes != 0)
    return bad_header("data where none can be");
  if (!check_archivable(member)) return bad_header("a path that leads elsewhere");
  return member;
}

}  // namespace

int64_t whole_seconds(int64_t time_ns) {
  const int64_t seconds = time_ns / kNanosPerSecond;
  return time_ns % kNanosPerSecond < 0 ? seconds - 1 : seconds;
}

Status check_archivable(const ArchiveMember& member) {
  if (auto path = fs::RelPath::parse(member.path); !path) return std::move(path).error();
  const bool is_link = member.type == fs::NodeType::kSymlink;
  if (member.type == fs::NodeType::kOther)
    return make_error(ErrorCode::kUsage, "not a file, directory or symlink", escape(member.path));
  const bool bad_text = member.link_text.empty() || member.link_text.size() > kLinkTextMaxBytes ||
                        member.link_text.find('\0') != std::string::npos;
  if (is_link && bad_text)
    return make_error(ErrorCode::kUsage, "a link text that no link can have", escape(member.path));
  return {};
}

std::string encode_tar_headers(const ArchiveMember& member) {
  std::string path = member.path;
  char type = kTypeFile;
  if (member.type == fs::NodeType::kDirectory) {
    type = kTypeDirectory;
    path += '/';
  }
  std::string_view link_text;
  if (member.type == fs::NodeType::kSymlink) {
    type = kTypeSymlink;
    link_text = member.link_text;
  }
  const uint64_t size_bytes = member.type == fs::NodeType::kFile ? member.size_bytes : 0;
  const int64_t mtime_s = whole_seconds(member.mtime_ns);
  const bool time_fits = mtime_s >= 0 && static_cast<uint64_t>(mtime_s) <= kSizeMax;
  const auto cut = prefix_length(path);

  std::string out;
  std::string pax;
  if (!cut && is_ascii(path)) pax += pax_record("path", path);
  if (link_text.size() > kLink.size && is_ascii(link_text))
    pax += pax_record("linkpath", link_text);
  if (size_bytes > kSizeMax) pax += pax_record("size", std::to_string(size_bytes));
  if (member.uid > kIdMax) pax += pax_record("uid", std::to_string(member.uid));
  if (member.gid > kIdMax) pax += pax_record("gid", std::to_string(member.gid));
  if (!time_fits) pax += pax_record("mtime", std::to_string(mtime_s));
  if (!pax.empty()) append_extension(out, kTypePax, "././@PaxHeader", pax);
  if (!cut && !is_ascii(path)) append_extension(out, kTypeGnuPath, "././@LongLink", path + '\0');
  if (link_text.size() > kLink.size && !is_ascii(link_text))
    append_extension(out, kTypeGnuLink, "././@LongLink", std::string(link_text) + '\0');

  std::string block = new_block(type, size_bytes > kSizeMax ? 0 : size_bytes);
  const size_t prefix = cut.value_or(0);
  put(block, kPrefix, std::string_view(path).substr(0, prefix));
  put(block, kName, std::string_view(path).substr(prefix == 0 ? 0 : prefix + 1, kName.size));
  put_number(block, kMode, member.mode & 07777U);
  put_number(block, kUid, member.uid > kIdMax ? 0 : member.uid);
  put_number(block, kGid, member.gid > kIdMax ? 0 : member.gid);
  put_number(block, kMtime, time_fits ? static_cast<uint64_t>(mtime_s) : 0);
  put(block, kLink, link_text.substr(0, kLink.size));
  append_block(out, std::move(block));
  CHECK(out.size() <= kTarHeadersMaxBytes);
  return out;
}

Result<TarHeaders> parse_tar_headers(std::span<const std::byte> bytes) {
  const std::string_view text = as_text(bytes);
  Overrides overrides;
  size_t at = 0;
  while (true) {
    if (text.size() - at < kTarBlockBytes) return bad_header("cut short");
    const std::string_view block = text.substr(at, kTarBlockBytes);
    RETURN_IF_ERROR(check_block(block));
    at += kTarBlockBytes;
    const char type = block[kType.at];
    if (type != kTypePax && type != kTypeGnuPath && type != kTypeGnuLink) {
      ASSIGN_OR_RETURN(ArchiveMember member, parse_member(block, overrides));
      return TarHeaders{.member = std::move(member), .size_bytes = at};
    }
    ASSIGN_OR_RETURN(const uint64_t size_bytes, number_of(block, kSize));
    if (size_bytes > kTarHeadersMaxBytes || size_bytes + tar_padding(size_bytes) > text.size() - at)
      return bad_header("an extension that is too long");
    RETURN_IF_ERROR(apply_extension(type, text.substr(at, size_bytes), overrides));
    at += size_bytes + tar_padding(size_bytes);
    if (at > kTarHeadersMaxBytes) return bad_header("too many extensions");
  }
}

}  // namespace stravinsky::codec
