#include "base/process_runner.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <ctime>

#include "base/check.h"
#include "base/clock.h"
#include "base/strings.h"

namespace stravinsky {
namespace {

constexpr size_t kKeptMaxBytes = size_t{1} << 20U;
constexpr int kReadsMax = 64;
constexpr int kPollMaxMs = 10;      // how late the end of a child with open pipes is seen
constexpr int kEndedPollMaxMs = 1;  // ... and of one that has closed its pipes

struct Pipe {
  int read_end = -1;
  int write_end = -1;

  Pipe() = default;
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    close_end(read_end);
    close_end(write_end);
  }
  Status open() {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) return errno_error(errno, "");
    read_end = ends[0];
    write_end = ends[1];
    return {};
  }
  static void close_end(int& end) {
    if (end >= 0) ::close(std::exchange(end, -1));
  }
};

// Keeps SIGPIPE from ending this program when the child does not read its input.
// The signal is held back for this thread alone and taken away again, so that
// nothing changes for the rest of the program.
class SigpipeBlock {
 public:
  SigpipeBlock() {
    sigemptyset(&sigpipe_);
    sigaddset(&sigpipe_, SIGPIPE);
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &sigpipe_, &before_);
  }
  SigpipeBlock(const SigpipeBlock&) = delete;
  SigpipeBlock& operator=(const SigpipeBlock&) = delete;
  ~SigpipeBlock() {
    const timespec at_once{};
    if (!was_pending_) {
      while (sigtimedwait(&sigpipe_, nullptr, &at_once) < 0 && errno == EINTR) {
      }
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  sigset_t sigpipe_{};
  sigset_t before_{};
  bool was_pending_ = false;
};

std::vector<char*> as_pointers(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> environment_of(const ProcessRequest& request) {
  std::vector<std::string> words;
  for (const char* name : {"PATH", "HOME", "LANG"}) {
    const bool given = std::ranges::any_of(request.environment,
                                           [&](const auto& added) { return added.first == name; });
    const char* value = std::getenv(name);
    if (!given && value != nullptr) words.push_back(std::string(name) + "=" + value);
  }
  for (const auto& [name, value] : request.environment) {
    words.push_back(name);
    words.back().append("=").append(value);
  }
  return words;
}

// The file of a program as PATH finds it; empty when there is none. Done here,
// because posix_spawnp answers "permission denied" for a program that is nowhere
// when a directory of PATH cannot be searched. Relative entries are passed over.
std::string find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) return name;
  const char* search = std::getenv("PATH");
  for (const std::string_view part : split(search == nullptr ? "/usr/bin:/bin" : search, ':')) {
    if (!part.starts_with('/')) continue;
    std::string file = std::string(part).append("/").append(name);
    struct stat found{};
    if (::stat(file.c_str(), &found) == 0 && S_ISREG(found.st_mode) &&
        access(file.c_str(), X_OK) == 0) {
      return file;
    }
  }
  return {};
}

bool holds_nul(const ProcessRequest& request) {
  const auto has_nul = [](const std::string& text) { return text.find('\0') != std::string::npos; };
  return std::ranges::any_of(request.argv, has_nul) ||
         std::ranges::any_of(request.environment, [&](const auto& variable) {
           return has_nul(variable.first) || has_nul(variable.second);
         });
}

// Starts the program as the leader of a new process group, with the three pipes
// as its only descriptors and no signal blocked or ignored that we block or ignore.
Result<pid_t> spawn(const std::string& program, const ProcessRequest& request, const Pipe& in,
                    const Pipe& out, const Pipe& err) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  CHECK(posix_spawn_file_actions_init(&actions) == 0);
  CHECK(posix_spawnattr_init(&attributes) == 0);
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  int failed = 0;
  const auto step = [&](int result) { failed = failed != 0 ? failed : result; };
  step(posix_spawn_file_actions_adddup2(&actions, in.read_end, STDIN_FILENO));
  step(posix_spawn_file_actions_adddup2(&actions, out.write_end, STDOUT_FILENO));
  step(posix_spawn_file_actions_adddup2(&actions, err.write_end, STDERR_FILENO));
  step(posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1));
  step(posix_spawnattr_setpgroup(&attributes, 0));
  step(posix_spawnattr_setsigmask(&attributes, &none));
  step(posix_spawnattr_setsigdefault(&attributes, &all));
  step(posix_spawnattr_setflags(
      &attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF));
  std::vector<std::string> arguments = request.argv;
  std::vector<std::string> variables = environment_of(request);
  pid_t pid = -1;
  if (failed == 0) {
    failed = posix_spawn(&pid, program.c_str(), &actions, &attributes,
                         as_pointers(arguments).data(), as_pointers(variables).data());
  }
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) return errno_error(failed, escape(request.argv.front()));
  return pid;
}

// Reads what is there; closes the end at end of file. Bounded, so that a child
// that never stops writing cannot keep us from looking at the clock.
void drain(int& end, std::string& kept) {
  std::array<char, 65536> buffer;
  for (int round = 0; end >= 0 && round < kReadsMax; ++round) {
    const ssize_t got = ::read(end, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) return Pipe::close_end(end);
    const size_t room = kKeptMaxBytes - kept.size();
    kept.append(buffer.data(), std::min(room, static_cast<size_t>(got)));
  }
}

// Writes what fits; closes the end when all is written or nobody reads.
void feed(int& end, std::string_view& rest) {
  while (end >= 0) {
    if (rest.empty()) return Pipe::close_end(end);
    const ssize_t put = ::write(end, rest.data(), rest.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0 && errno == EAGAIN) return;
    if (put < 0) return Pipe::close_end(end);
    rest.remove_prefix(static_cast<size_t>(put));
  }
}

// True when the child has ended; it stays unreaped, so that its group's number
// cannot be given to another process before the group is ended.
bool has_ended(pid_t pid) {
  siginfo_t info{};
  return waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         info.si_pid == pid;
}

int reap(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

class SystemProcessRunner final : public ProcessRunner {
 public:
  Result<ProcessResult> run(const ProcessRequest& request) override {
    if (request.argv.empty()) return make_error(ErrorCode::kUsage, "no program is named");
    if (holds_nul(request)) return make_error(ErrorCode::kUsage, "an argument holds a NUL byte");
    const std::string program = find_program(request.argv.front());
    if (program.empty()) {
      return make_error(ErrorCode::kNotFound, "no such program in PATH",
                        escape(request.argv.front()));
    }
    Pipe in;
    Pipe out;
    Pipe err;
    RETURN_IF_ERROR(in.open());
    RETURN_IF_ERROR(out.open());
    RETURN_IF_ERROR(err.open());
    for (const int ours : {in.write_end, out.read_end, err.read_end}) {
      if (fcntl(ours, F_SETFL, O_NONBLOCK) != 0) return errno_error(errno, "");
    }
    const SigpipeBlock sigpipe_block;
    ASSIGN_OR_RETURN(const pid_t pid, spawn(program, request, in, out, err));
    Pipe::close_end(in.read_end);
    Pipe::close_end(out.write_end);
    Pipe::close_end(err.write_end);

    const Clock& clock = system_clock();
    const int64_t deadline_ns = clock.monotonic_ns() + request.timeout_ms * 1'000'000;
    ProcessResult result;
    std::string_view rest = request.input;
    while (!has_ended(pid)) {
      const int64_t left_ms = (deadline_ns - clock.monotonic_ns()) / 1'000'000;
      if (left_ms <= 0) {
        result.timed_out = true;
        break;
      }
      // poll passes over the closed ends, which are negative.
      std::array<pollfd, 3> ends{
          {{in.write_end, POLLOUT, 0}, {out.read_end, POLLIN, 0}, {err.read_end, POLLIN, 0}}};
      const bool any_open = out.read_end >= 0 || err.read_end >= 0;
      const int wait_ms = any_open ? kPollMaxMs : kEndedPollMaxMs;
      poll(ends.data(), ends.size(), static_cast<int>(std::min<int64_t>(wait_ms, left_ms)));
      feed(in.write_end, rest);
      drain(out.read_end, result.output);
      drain(err.read_end, result.errors);
    }
    // Also what the child has left running behind it, so that nothing holds our pipes.
    kill(-pid, SIGKILL);
    result.exit_code = reap(pid);
    drain(out.read_end, result.output);
    drain(err.read_end, result.errors);
    return result;
  }
};

}  // namespace

ProcessRunner& system_process_runner() {
  static SystemProcessRunner runner;
  return runner;
}

}  // namespace stravinsky
