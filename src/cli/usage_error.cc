#include "cli/usage_error.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/strings.h"
#include "cli/output.h"
#include "model/version.h"

namespace stravinsky::cli {
namespace {

// The command whose name is nearest to what was typed; empty when none is near.
std::string nearest_command(const std::vector<std::string>& names, const std::string& typed) {
  std::string best;
  size_t best_distance = 3;
  for (const std::string& name : names) {
    std::vector<size_t> row(name.size() + 1);
    for (size_t j = 0; j <= name.size(); ++j) row[j] = j;
    for (size_t i = 1; i <= typed.size(); ++i) {
      size_t diagonal = row[0];
      row[0] = i;
      for (size_t j = 1; j <= name.size(); ++j) {
        const size_t substitution = diagonal + (typed[i - 1] == name[j - 1] ? 0U : 1U);
        diagonal = row[j];
        row[j] = std::min({row[j] + 1, row[j - 1] + 1, substitution});
      }
    }
    if (row[name.size()] < best_distance) {
      best_distance = row[name.size()];
      best = name;
    }
  }
  return best;
}

// A word behind it can be nothing but a command: so it is at the top and in a group.
bool needs_command(const CLI::App& app) {
  return app.get_parent() == nullptr || app.get_require_subcommand_min() > 0;
}

// Where the words of a command line stop making sense.
struct Parsed {
  const CLI::App* app;       // the deepest command that was named
  std::string command;       // "rollback"
  std::string unknown = {};  // the word after it that is no command of it
};

Parsed follow_words(const CLI::App& top, std::span<char* const> words) {
  Parsed at{.app = &top, .command = {}};
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string word = words[i];
    if (word == "--root" || word == "--project" || word == "--color") ++i;
    if (word.starts_with('-')) continue;
    const auto children = at.app->get_subcommands(nullptr);
    if (children.empty()) break;
    const auto next =
        std::ranges::find(children, word, [](const CLI::App* child) { return child->get_name(); });
    if (next == children.end()) {
      if (needs_command(*at.app)) at.unknown = word;
      break;
    }
    at.app = *next;
    at.command += (at.command.empty() ? "" : " ") + word;
  }
  return at;
}

std::vector<std::string> names_of(const std::vector<const CLI::App*>& apps) {
  std::vector<std::string> names;
  for (const CLI::App* app : apps) names.push_back(app->get_name());
  return names;
}

// Words that people type for commands of ours with another name.
struct OtherWord {
  std::string_view word;
  std::string_view meant;
};
constexpr OtherWord kOtherWords[] = {
    {"restore", "stravinsky rollback to VERSION, or stravinsky recovery file PATH"},
    {"install", "stravinsky update --from SOURCE"},
    {"upgrade", "stravinsky update --from SOURCE"},
    {"history", "stravinsky audit log"},
    {"log", "stravinsky audit log"},
};

// "stravinsky rollback undo": every group that has a command of this name.
std::string in_a_group(const CLI::App& top, const std::string& typed) {
  std::string found;
  for (const CLI::App* group : top.get_subcommands(nullptr)) {
    if (!needs_command(*group)) continue;
    for (const CLI::App* child : group->get_subcommands(nullptr))
      if (child->get_name() == typed)
        found += (found.empty() ? "" : ", or ") +
                 fmt::format("stravinsky {} {}", group->get_name(), typed);
  }
  return found;
}

// What somebody who typed this word may have meant; empty when there is no telling.
std::string meant_by(const CLI::App& top, const Parsed& at) {
  const std::string called = "stravinsky" + (at.command.empty() ? "" : " " + at.command);
  if (at.command == "rollback" && model::Version::parse(at.unknown))
    return called + " to " + shell_quote(at.unknown);
  const std::string near = nearest_command(names_of(at.app->get_subcommands(nullptr)), at.unknown);
  if (at.command.empty()) {
    if (std::string grouped = in_a_group(top, at.unknown); !grouped.empty()) return grouped;
    const auto* other = std::ranges::find(kOtherWords, at.unknown, &OtherWord::word);
    if (other != std::end(kOtherWords)) return std::string(other->meant);
  }
  return near.empty() ? "" : called + " " + near;
}

bool is_about_an_option_of(const CLI::App& app, const std::string& message) {
  return std::ranges::any_of(app.get_options(), [&](const CLI::Option* option) {
    return message.starts_with(option->get_name() + ":");
  });
}

}  // namespace

const CLI::Option* find_empty(const CLI::App& app) {
  for (const CLI::Option* option : app.get_options()) {
    const bool may_be_empty = option->check_name("--error");
    if (!may_be_empty && std::ranges::any_of(option->results(), &std::string::empty)) return option;
  }
  for (const CLI::App* child : app.get_subcommands())
    if (const CLI::Option* option = find_empty(*child); option != nullptr) return option;
  return nullptr;
}

ExitCode usage_error(const CLI::App& top, const CLI::ParseError& error,
                     std::span<char* const> words) {
  const Parsed at = follow_words(top, words);
  const std::string called = "stravinsky" + (at.command.empty() ? "" : " " + at.command);
  std::vector<std::string> names;
  if (needs_command(*at.app)) names = names_of(at.app->get_subcommands(nullptr));
  std::string message = escape(error.what());
  std::string remedy = "See: " + called + " --help";
  // "--color: green not in {auto,always,never}" is about an option of every command;
  // `audit log` has a --version of its own.
  if (is_about_an_option_of(top, error.what()) &&
      (at.app == &top || !is_about_an_option_of(*at.app, error.what()))) {
    remedy = "See: stravinsky --help";
  } else if (!at.unknown.empty()) {
    message = fmt::format("there is no command: {} {}", called, escape(at.unknown));
    const std::string meant = meant_by(top, at);
    if (!meant.empty()) remedy = "Did you mean: " + meant;
  } else if (!names.empty()) {
    message = called + " needs the name of a command";
    remedy = fmt::format("There are: {}.", fmt::join(names, ", "));
  }
  OutputOptions options;
  if (std::ranges::any_of(words,
                          [](const char* word) { return std::string_view(word) == "--json"; }))
    options.format = Format::kJson;
  return Output(options).error(at.command, make_error(ErrorCode::kUsage, message)
                                               .with_untouched("Nothing was changed.")
                                               .with_remedy(remedy));
}

}  // namespace stravinsky::cli
