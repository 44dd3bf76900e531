#include "cli/real_environment.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <pwd.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <array>
#include <climits>
#include <csignal>
#include <cstdio>
#include <cstdlib>

namespace stravinsky::cli {
namespace {

volatile std::sig_atomic_t interrupt_requested = 0;

extern "C" void on_interrupt(int) {
  interrupt_requested = 1;
}

std::optional<std::string> variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

// No signal that a terminal, a shell or a limit sends may end the program between two
// renames. What was ignored stays so: that is what nohup is for.
void take_over_signals() {
  struct sigaction action{};
  action.sa_handler = on_interrupt;
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
    struct sigaction inherited{};
    sigaction(number, nullptr, &inherited);
    if (inherited.sa_handler != SIG_IGN) sigaction(number, &action, nullptr);
  }
  // A file that gets too large is an error of its write.
  for (const int number : {SIGPIPE, SIGXFSZ, SIGALRM, SIGUSR1, SIGUSR2})
    std::signal(number, SIG_IGN);
}

}  // namespace

void open_standard_files() {
  // In this order, since the lowest free number is given.
  for (const auto& [number, stream] :
       {std::pair{STDIN_FILENO, stdin}, {STDOUT_FILENO, stdout}, {STDERR_FILENO, stderr}})
    if (fcntl(number, F_GETFD) < 0) (void)std::freopen("/dev/null", "r+", stream);
}

Result<engine::Environment> real_environment(fs::FileSystem& fs) {
  take_over_signals();
  engine::Environment environment{.fs = fs,
                                  .clock = system_clock(),
                                  .random = system_random(),
                                  .processes = system_process_runner(),
                                  .variable = variable,
                                  .home = {},
                                  .working_directory = {},
                                  .user_name = {},
                                  .hostname = {},
                                  .system = {},
                                  .user_id = geteuid(),
                                  .process_id = getpid(),
                                  .interrupted = [] { return interrupt_requested != 0; }};
  const passwd* user = getpwuid(geteuid());
  environment.user_name = user != nullptr ? user->pw_name : fmt::format("uid {}", geteuid());
  environment.home = variable("HOME").value_or(user != nullptr ? user->pw_dir : "");
  while (environment.home.size() > 1 && environment.home.ends_with('/'))
    environment.home.pop_back();
  if (!environment.home.starts_with('/'))
    return make_error(ErrorCode::kUsage, "HOME does not name an absolute directory")
        .with_untouched("Nothing was changed.")
        .with_remedy("Set HOME and run the command again.");
  std::array<char, PATH_MAX> buffer{};
  environment.working_directory =
      getcwd(buffer.data(), buffer.size()) != nullptr ? buffer.data() : environment.home;
  if (gethostname(buffer.data(), buffer.size()) == 0) environment.hostname = buffer.data();
  utsname system{};
  if (uname(&system) == 0)
    environment.system = fmt::format("{}-{}-{}", system.sysname, system.release, system.machine);
  return environment;
}

}  // namespace stravinsky::cli
