#include "model/health_command.h"

#include <fmt/format.h>

#include <charconv>

#include "base/strings.h"
#include "model/json_text.h"

namespace stravinsky::model {
namespace {

constexpr int64_t kTimeoutMaxSeconds = 3'600;

Error wrong(size_t number, std::string_view what) {
  return make_error(ErrorCode::kUsage, fmt::format("command {}: {}", number, what));
}

Result<std::vector<std::string>> words_of(const JsonText& document, JsonIndex list, size_t number) {
  std::vector<std::string> words;
  if (document.kind(list) == JsonKind::kArray)
    for (const JsonIndex word : document.children(list)) {
      if (document.kind(word) != JsonKind::kString)
        return wrong(number, "\"argv\" holds more than strings");
      words.push_back(document.string_value(word));
      if (words.back().contains('\0')) return wrong(number, "\"argv\" holds a NUL");
    }
  if (words.empty() || words.front().empty())
    return wrong(number, "\"argv\" must be a list that begins with the program");
  return words;
}

Result<int64_t> timeout_of(const JsonText& document, JsonIndex at, size_t number) {
  const std::string_view text = document.raw(document[at].value);
  int64_t seconds = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (failed != std::errc() || end != text.data() + text.size() || seconds < 1 ||
      seconds > kTimeoutMaxSeconds)
    return wrong(number, fmt::format("\"timeout_seconds\" must be a whole number from 1 to {}",
                                     kTimeoutMaxSeconds));
  return seconds;
}

Result<HealthCommand> command_of(const JsonText& document, JsonIndex object, size_t number) {
  if (document.kind(object) != JsonKind::kObject) return wrong(number, "it must be an object");
  HealthCommand command;
  bool has_argv = false;
  for (const auto& [key, at] : document.members(object)) {
    if (key == "argv") {
      ASSIGN_OR_RETURN(command.argv, words_of(document, at, number));
      has_argv = true;
    } else if (key == "timeout_seconds") {
      ASSIGN_OR_RETURN(command.timeout_seconds, timeout_of(document, at, number));
    } else if (key == "home") {
      const std::string home = document.string_value(at);
      if (home != "scratch" && home != "real")
        return wrong(number, "\"home\" must be \"scratch\" or \"real\"");
      command.home = home == "real" ? HealthHome::kReal : HealthHome::kScratch;
    } else {
      return wrong(number, "\"" + escape(key) + "\" is none of argv, timeout_seconds, home");
    }
  }
  if (!has_argv) return wrong(number, "it has no \"argv\"");
  return command;
}

}  // namespace

Result<std::vector<HealthCommand>> parse_health_commands(std::string_view text) {
  const auto document = JsonText::parse(text);
  if (!document) return make_error(ErrorCode::kUsage, document.error().to_string());
  if (document->kind(JsonIndex::kRoot) != JsonKind::kArray)
    return make_error(ErrorCode::kUsage, "it must be a list");
  std::vector<HealthCommand> commands;
  for (const JsonIndex object : document->children(JsonIndex::kRoot)) {
    ASSIGN_OR_RETURN(HealthCommand command, command_of(*document, object, commands.size() + 1));
    commands.push_back(std::move(command));
  }
  return commands;
}

}  // namespace stravinsky::model
