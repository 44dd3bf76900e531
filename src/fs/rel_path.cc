#include "fs/rel_path.h"

#include "base/check.h"
#include "base/strings.h"

namespace stravinsky::fs {
namespace {

constexpr size_t kNameMaxBytes = 255;
constexpr size_t kPathMaxBytes = 4000;

// The rule that text breaks, or nullptr.
const char* broken_rule(std::string_view text) {
  if (text.empty()) return "the path is empty";
  if (text.size() > kPathMaxBytes) return "the path is longer than 4,000 bytes";
  if (text.front() == '/') return "the path is absolute";
  if (text.find('\0') != std::string_view::npos) return "the path holds a NUL byte";
  for (const std::string_view part : split(text, '/')) {
    if (part.empty()) return "the path has an empty component";
    if (part == "." || part == "..") return "the path has a '.' or '..' component";
    if (part.size() > kNameMaxBytes) return "a component is longer than 255 bytes";
  }
  return nullptr;
}

}  // namespace

Result<RelPath> RelPath::parse(std::string_view text) {
  if (const char* rule = broken_rule(text)) {
    return make_error(ErrorCode::kUsage, rule, escape(text.substr(0, kNameMaxBytes)));
  }
  return RelPath(std::string(text));
}

RelPath RelPath::of(std::string_view text) {
  CHECK(broken_rule(text) == nullptr);
  return RelPath(std::string(text));
}

std::string_view RelPath::name() const {
  const size_t slash = text_.rfind('/');
  return std::string_view(text_).substr(slash == std::string::npos ? 0 : slash + 1);
}

bool RelPath::has_parent() const {
  return text_.find('/') != std::string::npos;
}

RelPath RelPath::parent() const {
  CHECK(has_parent());
  return RelPath(text_.substr(0, text_.rfind('/')));
}

RelPath RelPath::operator/(const RelPath& tail) const {
  return RelPath::of(text_ + "/" + tail.text_);
}

RelPath RelPath::sibling(std::string_view name) const {
  return has_parent() ? parent() / RelPath::of(name) : RelPath::of(name);
}

bool RelPath::starts_with(const RelPath& head) const {
  return text_ == head.text_ || (text_.size() > head.text_.size() &&
                                 text_.starts_with(head.text_) && text_[head.text_.size()] == '/');
}

std::vector<std::string_view> RelPath::components() const {
  return split(text_, '/');
}

}  // namespace stravinsky::fs
