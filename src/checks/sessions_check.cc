#include <algorithm>
#include <array>

#include "base/strings.h"
#include "checks/environment_checks.h"
#include "fs/file.h"

namespace stravinsky::checks {
namespace {

constexpr size_t kNamedMax = 10;

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// The beginning of a file of /proc, whose size is unknown until it is read.
std::string head_of(fs::FileSystem& fs, fs::Fd dir, const std::string& name) {
  const auto path = fs::RelPath::parse(name);
  if (!path) return {};
  const auto file = fs::File::open(fs, dir, *path, fs::OpenMode::kRead);
  if (!file) return {};
  std::array<std::byte, 512> bytes{};
  const auto count = fs.read(file->fd(), 0, bytes);
  return count ? std::string(as_text(std::span(bytes).first(*count))) : std::string();
}

bool is_claude(std::string_view program) {
  return program.substr(program.rfind('/') + 1) == "claude";
}

// The program's own name, or the script that node runs under this name.
bool is_session(fs::FileSystem& fs, fs::Fd proc, const std::string& pid) {
  std::string name = head_of(fs, proc, pid + "/comm");
  while (name.ends_with('\n')) name.pop_back();
  if (is_claude(name)) return true;
  if (name != "node" && name != "bun") return false;
  const std::string words = head_of(fs, proc, pid + "/cmdline");
  const auto argv = split(words, '\0');
  return argv.size() > 1 && is_claude(argv[1]);
}

}  // namespace

Result<std::vector<Finding>> check_sessions(fs::FileSystem& fs, uint32_t user_id) {
  std::vector<Finding> findings;
  const auto proc = fs::File::open_root(fs, "/proc");
  if (!proc) return findings;
  ASSIGN_OR_RETURN(const auto entries, fs.list(proc->fd()));
  std::vector<std::string> sessions;
  for (const fs::DirEntry& entry : entries) {
    if (!is_number(entry.name)) continue;
    const auto stat = fs.stat(proc->fd(), fs::RelPath::of(entry.name));
    if (!stat || stat->uid != user_id) continue;  // another's, or it has ended
    if (is_session(fs, proc->fd(), entry.name)) sessions.push_back(entry.name);
  }
  if (sessions.empty()) return findings;
  std::string which;
  for (size_t i = 0; i < std::min(sessions.size(), kNamedMax); ++i)
    which += (i == 0 ? "" : ", ") + sessions[i];
  if (sessions.size() > kNamedMax) which += ", ...";
  findings.push_back(
      {.severity = Severity::kInformation,
       .check = "sessions",
       .rule = "session.live",
       .file = {},
       .message = with_thousands(sessions.size()) +
                  (sessions.size() == 1 ? " Claude Code session is" : " Claude Code sessions are") +
                  " running (process " + which + ")",
       .remedy = "They may write settings back as they were; restart them after an update."});
  return findings;
}

}  // namespace stravinsky::checks
