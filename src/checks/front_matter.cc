#include "checks/front_matter.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <exception>
#include <sstream>
#include <utility>

#include "base/strings.h"

namespace stravinsky::checks {
namespace {

constexpr std::string_view kBom = "\xEF\xBB\xBF";
constexpr int kFlowDepthMax = 32;

std::string_view without_line_end(std::string_view line) {
  while (line.ends_with('\r') || line.ends_with(' ') || line.ends_with('\t')) line.remove_suffix(1);
  return line;
}

// Keeps the keys and the kinds of values of the outermost mapping.
class TopFields final : public YAML::EventHandler {
 public:
  explicit TopFields(FrontMatter& result) : result_(result) {}

  // Neither a mapping nor nothing at all.
  bool is_something_else() const { return is_something_else_; }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override { take(mark, FieldKind::kNull, {}); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    take(mark, FieldKind::kAlias, {});
  }
  void OnScalar(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                const std::string& value) override {
    take(mark, FieldKind::kScalar, value);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    take(mark, FieldKind::kList, {});
    ++depth_;
  }
  void OnSequenceEnd() override { --depth_; }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {
    if (depth_ == 0)
      has_mapping_ = true;
    else
      take(mark, FieldKind::kMap, {});
    ++depth_;
  }
  void OnMapEnd() override { --depth_; }

 private:
  void take(const YAML::Mark& mark, FieldKind kind, const std::string& text) {
    if (!has_mapping_ && depth_ == 0 && kind != FieldKind::kNull) is_something_else_ = true;
    if (!has_mapping_ || depth_ != 1) return;
    const int line = mark.line + 2;  // from 0, and "---" stands before the block
    if (!key_) {
      key_ = text;
      line_ = line;
      return;
    }
    if (result_.fields.contains(*key_)) result_.duplicates.emplace(*key_, line_);
    result_.fields[*key_] = {kind, text, line_};
    key_.reset();
  }

  FrontMatter& result_;
  int depth_ = 0;
  bool has_mapping_ = false;
  bool is_something_else_ = false;
  std::optional<std::string> key_;
  int line_ = 0;
};

// yaml-cpp throws; nothing it throws leaves this function.
std::optional<FrontMatterFault> parse(std::string_view block, FrontMatter& result) {
  TopFields fields(result);
  try {
    // Only before an end of document does yaml-cpp miss the end of a quoted text.
    std::istringstream stream(std::string(block) + "...\n");
    YAML::Parser parser(stream);
    parser.HandleNextDocument(fields);
  } catch (const YAML::Exception& error) {
    return FrontMatterFault{error.mark.line + 2, error.mark.column + 1, error.msg};
  } catch (const std::exception&) {
    return FrontMatterFault{2, 0, "it cannot be parsed"};
  }
  if (fields.is_something_else()) return FrontMatterFault{2, 0, "it holds no \"key: value\" lines"};
  return std::nullopt;
}

// "key: text" becomes "key: 'text'", at the left margin and unless the text is quoted
// or goes on below.
std::string with_quoted_texts(std::string_view block) {
  std::string out;
  for (const std::string_view line : split(block, '\n')) {
    if (!out.empty() || line.data() != block.data()) out += '\n';
    const size_t colon = line.find(": ");
    const std::string_view key = line.substr(0, std::min(colon, line.size()));
    const std::string_view text =
        colon == std::string_view::npos ? "" : without_line_end(line.substr(colon + 2));
    const bool is_plain_key = !key.empty() && std::ranges::all_of(key, [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             c == '-' || c == '_';
    });
    if (!is_plain_key || text.empty() || std::string_view("\"'|>").contains(text.front())) {
      out += line;
      continue;
    }
    out.append(key).append(": '");
    for (const char c : text) out += c == '\'' ? "''" : std::string(1, c);
    out += '\'';
  }
  return out;
}

bool is_too_deep(std::string_view block) {
  int depth = 0;
  for (const char c : block) {
    if (c == '[' || c == '{') ++depth;
    if ((c == ']' || c == '}') && depth > 0) --depth;
    if (depth > kFlowDepthMax) return true;
  }
  return false;
}

}  // namespace

const FrontField* FrontMatter::find(std::string_view key) const {
  const auto found = fields.find(std::string(key));
  return found == fields.end() ? nullptr : &found->second;
}

FrontMatter read_front_matter(std::string_view text) {
  FrontMatter result;
  if (text.starts_with(kBom)) text.remove_prefix(kBom.size());
  const size_t first_end = text.find('\n');
  if (!text.starts_with("---") || without_line_end(text.substr(0, first_end)) != "---")
    return result;
  result.is_there = true;
  const auto broken = [&](int line, std::string rule) {
    result.fault = FrontMatterFault{line, 0, std::move(rule)};
    return result;
  };
  if (first_end == std::string_view::npos) return broken(1, "it is never closed by a line \"---\"");
  text.remove_prefix(first_end + 1);
  size_t end = std::string_view::npos;
  for (size_t begin = 0; begin <= text.size() && begin <= kFrontMatterMaxBytes;) {
    const size_t stop = std::min(text.find('\n', begin), text.size());
    const std::string_view line = text.substr(begin, stop - begin);
    if (line.starts_with("---") && without_line_end(line) == "---") {
      end = begin;
      break;
    }
    begin = stop + 1;
  }
  if (end == std::string_view::npos)
    return broken(
        1, text.size() > kFrontMatterMaxBytes
               ? "it is not closed by a line \"---\" within " + human_size(kFrontMatterMaxBytes)
               : "it is never closed by a line \"---\"");
  const std::string_view block = text.substr(0, end);
  if (!is_valid_utf8(block)) return broken(2, "it holds bytes that are not UTF-8");
  if (is_too_deep(block)) return broken(2, "its brackets are nested too deeply");
  result.fault = parse(block, result);
  if (!result.fault) return result;
  FrontMatter quoted;
  quoted.is_there = true;
  if (parse(with_quoted_texts(block), quoted)) return result;
  quoted.strict_fault = std::move(result.fault);
  return quoted;
}

}  // namespace stravinsky::checks
