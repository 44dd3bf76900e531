#include "model/shell_words.h"

#include <algorithm>
#include <utility>

namespace stravinsky::model {
namespace {

bool is_name_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_name_char(char c) {
  return is_name_start(c) || (c >= '0' && c <= '9');
}

class Lexer {
 public:
  Lexer(std::string_view text, const ShellVariables& known) : text_(text), known_(known) {}

  std::vector<ShellCommand> run() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == ' ' || c == '\t' || c == '\r') {
        end_word();
        ++at_;
      } else if (c == '\n' || c == ';' || c == '|' || c == '(' || c == ')') {
        end_command();
        ++at_;
      } else if (c == '&') {
        ampersand();
      } else if (c == '<' || c == '>') {
        if (!redirection()) break;
      } else if (c == '#' && !in_word_) {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else {
        word_char(c);
      }
    }
    end_command();
    return std::move(commands_);
  }

 private:
  char peek(size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }

  void append(std::string_view text) {
    in_word_ = true;
    word_.text += text;
  }
  void undecided() {
    in_word_ = true;
    word_.decided = false;
  }

  void end_word() {
    if (!in_word_) return;
    if (!drop_next_) command_.push_back(std::move(word_));
    drop_next_ = false;
    word_ = {};
    in_word_ = false;
  }
  void end_command() {
    end_word();
    drop_next_ = false;
    if (!command_.empty()) commands_.push_back(std::exchange(command_, {}));
  }

  void ampersand() {
    if (peek(1) == '>') {  // "&> file"
      end_word();
      ++at_;
    } else {
      end_command();
      ++at_;
    }
  }

  // False when the rest of the text is the body of a here-document.
  bool redirection() {
    // "2>": the number belongs to the operator.
    const bool is_number =
        in_word_ && std::ranges::all_of(word_.text, [](char c) { return c >= '0' && c <= '9'; });
    if (is_number) {
      word_ = {};
      in_word_ = false;
    }
    end_word();
    if (peek(1) == '(') {  // "<(command)": a name that only the shell knows
      ++at_;
      skip_parentheses();
      undecided();
      return true;
    }
    if (peek() == '<' && peek(1) == '<' && peek(2) != '<') return false;
    while (peek() == '<' || peek() == '>') ++at_;
    if (peek() == '&' || peek() == '|') ++at_;
    drop_next_ = true;
    return true;
  }

  void word_char(char c) {
    if (c == '\\') {
      ++at_;
      if (peek() != '\n' && at_ < text_.size()) append(text_.substr(at_, 1));
      ++at_;
    } else if (c == '\'') {
      const size_t end = std::min(text_.find('\'', at_ + 1), text_.size());
      append(text_.substr(at_ + 1, end - at_ - 1));
      at_ = end + 1;
    } else if (c == '"') {
      ++at_;
      double_quoted();
    } else if (c == '$' || c == '`') {
      dollar(/*quoted=*/false);
    } else if (c == '~' && !in_word_) {
      ++at_;
      const char next = peek();
      const bool ends = next == '\0' || std::string_view("/ \t\n;&|<>()").contains(next);
      const auto home = known_.find("HOME");
      if (ends && home != known_.end())
        append(home->second);
      else
        undecided();
    } else {
      if (c == '*' || c == '?' || c == '[') undecided();
      append(text_.substr(at_, 1));
      ++at_;
    }
  }

  void double_quoted() {
    append("");
    while (at_ < text_.size() && peek() != '"') {
      if (peek() == '\\' && std::string_view("$`\"\\\n").contains(peek(1))) {
        if (peek(1) != '\n') append(text_.substr(at_ + 1, 1));
        at_ += 2;
      } else if (peek() == '$' || peek() == '`') {
        dollar(/*quoted=*/true);
      } else {
        append(text_.substr(at_, 1));
        ++at_;
      }
    }
    ++at_;
  }

  void dollar(bool quoted) {
    if (peek() == '`') {
      const size_t end = std::min(text_.find('`', at_ + 1), text_.size());
      word_.substitutions.emplace_back(text_.substr(at_ + 1, end - at_ - 1));
      at_ = end + 1;
      return undecided();
    }
    ++at_;
    if (peek() == '(') {
      const bool is_arithmetic = peek(1) == '(';
      const size_t begin = at_ + 1;
      skip_parentheses();
      if (!is_arithmetic && at_ > begin)
        word_.substitutions.emplace_back(text_.substr(begin, at_ - 1 - begin));
      return undecided();
    }
    if (peek() == '{') {
      const size_t end = std::min(text_.find('}', at_), text_.size());
      std::string_view inner = text_.substr(at_ + 1, end - at_ - 1);
      at_ = end + 1;
      size_t length = 0;
      while (length < inner.size() && is_name_char(inner[length])) ++length;
      const std::string_view name = inner.substr(0, length);
      inner.remove_prefix(length);
      // A default does not count where the variable is known.
      if (inner.empty() || inner.starts_with(":-") || inner.starts_with("-"))
        return expand(name, quoted);
      return undecided();
    }
    if (is_name_start(peek())) {
      const size_t begin = at_;
      while (is_name_char(peek())) ++at_;
      return expand(text_.substr(begin, at_ - begin), quoted);
    }
    if (peek() == '\'' || peek() == '"') {  // $'...' and $"..."
      if (!quoted) return undecided();
    } else if (std::string_view("?!#$@*-0123456789").contains(peek()) && peek() != '\0') {
      ++at_;
      return undecided();
    }
    append("$");
  }

  void expand(std::string_view name, bool quoted) {
    const auto found = known_.find(name);
    if (found == known_.end()) return undecided();
    // Without quotes the shell splits a value at its spaces.
    if (!quoted && found->second.find_first_of(" \t\n*?[") != std::string::npos) undecided();
    append(found->second);
  }

  // From an opening parenthesis to the one that closes it.
  void skip_parentheses() {
    int depth = 0;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '\\') {
        ++at_;
      } else if (c == '\'' || c == '"') {
        at_ = std::min(text_.find(c, at_ + 1), text_.size());
      } else if (c == '(') {
        ++depth;
      } else if (c == ')' && --depth == 0) {
        ++at_;
        return;
      }
      ++at_;
    }
  }

  std::string_view text_;
  const ShellVariables& known_;
  size_t at_ = 0;
  ShellWord word_;
  bool in_word_ = false;
  bool drop_next_ = false;  // the next word is the file of a redirection
  ShellCommand command_;
  std::vector<ShellCommand> commands_;
};

}  // namespace

std::vector<ShellCommand> split_shell(std::string_view text, const ShellVariables& known) {
  return Lexer(text, known).run();
}

}  // namespace stravinsky::model
