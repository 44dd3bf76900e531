#include "scratch.h"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

namespace stravinsky::e2e {
namespace {

namespace stdfs = std::filesystem;

constexpr int kExecFailed = 127;
constexpr size_t kShownBytes = 160;
constexpr int kShownDifferences = 8;

std::string read_all(const stdfs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string octal(uint32_t mode) {
  std::array<char, 8> text{};
  (void)std::snprintf(text.data(), text.size(), "%04o", mode);
  return text.data();
}

bool has_room(const char* directory) {
  constexpr uintmax_t kWantedBytes = 512U << 20U;
  std::error_code absent;
  const stdfs::space_info space = stdfs::space(directory, absent);
  return !absent && space.available >= kWantedBytes && access(directory, W_OK) == 0;
}

std::string shown(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, kShownBytes)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f) {
      out += c;
    } else {
      std::array<char, 8> escape{};
      (void)std::snprintf(escape.data(), escape.size(), "\\x%02x", byte);
      out += escape.data();
    }
  }
  return text.size() > kShownBytes ? out + "..." : out;
}

// Feeds the input and reads both outputs until the program has closed them.
void talk(int in, int out, int err, std::string_view input, Ended& run) {
  std::array<pollfd, 3> polled{{{in, POLLOUT, 0}, {out, POLLIN, 0}, {err, POLLIN, 0}}};
  const auto finish = [](pollfd& one) {
    close(one.fd);
    one.fd = -1;
  };
  if (input.empty()) finish(polled[0]);
  while (polled[0].fd >= 0 || polled[1].fd >= 0 || polled[2].fd >= 0) {
    if (poll(polled.data(), polled.size(), -1) < 0) continue;
    if (polled[0].revents != 0) {
      const ssize_t n = write(in, input.data(), input.size());
      if (n > 0) input.remove_prefix(static_cast<size_t>(n));
      if (n < 0 || input.empty()) finish(polled[0]);
    }
    for (const size_t i : {1U, 2U}) {
      if (polled[i].fd < 0 || polled[i].revents == 0) continue;
      std::array<char, 65536> piece;
      const ssize_t n = read(polled[i].fd, piece.data(), piece.size());
      if (n <= 0) {
        finish(polled[i]);
      } else {
        (i == 1 ? run.out : run.err).append(piece.data(), static_cast<size_t>(n));
      }
    }
  }
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  out.reserve(texts.size() + 1);
  for (std::string& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

// Between fork and exec only what is safe there: other threads may hold locks.
[[noreturn]] void become(char* const* args, char* const* env, const char* directory,
                         const std::optional<uint32_t>& user_id) {
  (void)signal(SIGPIPE, SIG_DFL);
  if (user_id && (setgroups(0, nullptr) != 0 || setresgid(*user_id, *user_id, *user_id) != 0 ||
                  setresuid(*user_id, *user_id, *user_id) != 0))
    _exit(kExecFailed);
  if (chdir(directory) != 0) _exit(kExecFailed);
  execvpe(args[0], args, env);
  _exit(kExecFailed);
}

}  // namespace

nlohmann::json Ended::json() const {
  nlohmann::json parsed = nlohmann::json::parse(out, nullptr, false);
  EXPECT_FALSE(parsed.is_discarded()) << "not JSON: " << out << "\nstderr: " << err;
  return parsed;
}

Scratch::Scratch(Place place)
    : top_(place == Place::kMemory && has_room("/dev/shm") ? "/dev/shm/stravinsky-e2e-XXXXXX"
                                                           : "/tmp/stravinsky-e2e-XXXXXX") {
  (void)signal(SIGPIPE, SIG_IGN);  // a program may end before it has read its input
  EXPECT_NE(mkdtemp(top_.data()), nullptr);
  // Others may pass, so that a test can become another user.
  EXPECT_EQ(chmod(top_.c_str(), 0755), 0);
  home_ = top_ + "/home";
  dir(home_);
}

Scratch::~Scratch() {
  std::error_code ignored;
  stdfs::remove_all(top_, ignored);
}

std::string Scratch::at(std::string_view path) const {
  if (path.starts_with('/')) return std::string(path);
  return path.empty() ? home_ : home_ + "/" + std::string(path);
}

void Scratch::file(std::string_view path, std::string_view bytes, uint32_t mode) const {
  const std::string full = at(path);
  stdfs::create_directories(stdfs::path(full).parent_path());
  // As an editor saves: beside, then over it.
  const std::string beside = stdfs::path(full).parent_path().string() + "/.scratch-new";
  {
    std::ofstream out(beside, std::ios::binary | std::ios::trunc);
    out << bytes;
    ASSERT_TRUE(out.flush().good()) << full;
  }
  ASSERT_EQ(chmod(beside.c_str(), mode), 0) << full;
  ASSERT_EQ(rename(beside.c_str(), full.c_str()), 0) << full << ": " << std::strerror(errno);
}

void Scratch::files(std::string_view directory, const Files& files) const {
  for (const auto& [path, bytes] : files)
    file(std::string(directory) + "/" + path, bytes, path.ends_with(".sh") ? 0755 : 0644);
}

void Scratch::dir(std::string_view path, uint32_t mode) const {
  stdfs::create_directories(at(path));
  this->mode(path, mode);
}

void Scratch::link(std::string_view path, std::string_view text) const {
  stdfs::create_directories(stdfs::path(at(path)).parent_path());
  erase(path);
  ASSERT_EQ(symlink(std::string(text).c_str(), at(path).c_str()), 0) << path;
}

void Scratch::mode(std::string_view path, uint32_t mode) const {
  ASSERT_EQ(chmod(at(path).c_str(), mode), 0) << path;
}

void Scratch::erase(std::string_view path) const {
  stdfs::remove_all(at(path));
}

void Scratch::copy(std::string_view from, std::string_view to) const {
  erase(to);
  stdfs::create_directories(stdfs::path(at(to)).parent_path());
  stdfs::copy(at(from), at(to),
              stdfs::copy_options::recursive | stdfs::copy_options::copy_symlinks);
}

bool Scratch::exists(std::string_view path) const {
  struct stat st{};
  return lstat(at(path).c_str(), &st) == 0;
}

bool Scratch::is_link(std::string_view path) const {
  struct stat st{};
  return lstat(at(path).c_str(), &st) == 0 && S_ISLNK(st.st_mode);
}

uint32_t Scratch::mode_of(std::string_view path) const {
  struct stat st{};
  EXPECT_EQ(stat(at(path).c_str(), &st), 0) << path;
  return st.st_mode & 07777U;
}

std::string Scratch::text(std::string_view path) const {
  struct stat st{};
  if (stat(at(path).c_str(), &st) != 0) return "<absent>";
  return read_all(at(path));
}

std::string Scratch::link_text(std::string_view path) const {
  std::error_code failed;
  return stdfs::read_symlink(at(path), failed).string();
}

std::vector<std::string> Scratch::names(std::string_view directory) const {
  std::vector<std::string> out;
  std::error_code absent;
  for (const auto& entry : stdfs::directory_iterator(at(directory), absent))
    out.push_back(entry.path().filename().string());
  std::sort(out.begin(), out.end());
  return out;
}

Tree Scratch::tree(std::string_view path) const {
  Tree out;
  const std::string top = at(path);
  std::error_code absent;
  for (auto it = stdfs::recursive_directory_iterator(top, absent);
       !absent && it != stdfs::recursive_directory_iterator(); ++it) {
    struct stat st{};
    const std::string& full = it->path().native();
    if (lstat(full.c_str(), &st) != 0) continue;
    std::string& what = out[full.substr(top.size() + 1)];
    const std::string mode = octal(st.st_mode & 07777U);
    if (S_ISDIR(st.st_mode)) {
      what = "dir " + mode;
    } else if (S_ISLNK(st.st_mode)) {
      what = "link " + stdfs::read_symlink(full).string();
    } else if (S_ISREG(st.st_mode)) {
      what = "file " + mode + " " + read_all(full);
    } else {
      what = "other";
    }
  }
  return out;
}

Ended Scratch::run(const std::vector<std::string>& args, const RunOptions& options) const {
  std::vector<std::string> argv{STRAVINSKY_BINARY};
  argv.insert(argv.end(), args.begin(), args.end());
  return run_program(argv, options);
}

Ended Scratch::run_program(std::vector<std::string> argv, const RunOptions& options) const {
  Variables variables{{"PATH", "/usr/local/bin:/usr/bin:/bin"},
                      {"HOME", home_},
                      {"LANG", "C.UTF-8"},
                      {"STRAVINSKY_SAFETY_DISK_SPACE_THRESHOLD_MB", "1"},
                      {"STRAVINSKY_RECOVERY_RECOVERY_RETRY_DELAY_SECONDS", "0"}};
  for (const char* passed : {"ASAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS", "STRAVINSKY_MUTANT"})
    if (const char* value = std::getenv(passed)) variables.emplace(passed, value);
  for (const auto& [name, value] : options.env) variables[name] = value;
  std::vector<std::string> environment;
  environment.reserve(variables.size());
  for (const auto& [name, value] : variables) environment.push_back(name + "=" + value);
  const std::string directory = at(options.directory);
  const std::vector<char*> args = pointers(argv);
  const std::vector<char*> env = pointers(environment);

  std::array<int, 2> in{};
  std::array<int, 2> out{};
  std::array<int, 2> err{};
  Ended run;
  if (pipe2(in.data(), O_CLOEXEC) != 0 || pipe2(out.data(), O_CLOEXEC) != 0 ||
      pipe2(err.data(), O_CLOEXEC) != 0) {
    ADD_FAILURE() << "no pipe: " << std::strerror(errno);
    return run;
  }
  const pid_t child = fork();
  if (child == 0) {
    if (dup2(in[0], STDIN_FILENO) < 0 || dup2(out[1], STDOUT_FILENO) < 0 ||
        dup2(err[1], STDERR_FILENO) < 0)
      _exit(kExecFailed);
    become(args.data(), env.data(), directory.c_str(), options.user_id);
  }
  close(in[0]);
  close(out[1]);
  close(err[1]);
  talk(in[1], out[0], err[0], options.input, run);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  run.exit = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  return run;
}

Ended Scratch::expect(int exit, const std::vector<std::string>& args,
                      const RunOptions& options) const {
  Ended done = run(args, options);
  if (done.exit != exit) {
    std::string line = "stravinsky";
    for (const std::string& arg : args) line += " " + shown(arg);
    ADD_FAILURE() << line << "\nended with " << done.exit << ", not " << exit << "\n"
                  << done.out << done.err;
  }
  return done;
}

testing::AssertionResult same_tree(const Tree& now, const Tree& expected) {
  if (now == expected) return testing::AssertionSuccess();
  auto result = testing::AssertionFailure() << "the trees differ:";
  int count = 0;
  const auto say = [&](const std::string& path, const std::string& is, const std::string& was) {
    if (count++ < kShownDifferences)
      result << "\n  " << shown(path) << "\n    is       " << shown(is) << "\n    expected "
             << shown(was);
  };
  for (const auto& [path, what] : now) {
    const auto other = expected.find(path);
    if (other == expected.end() || other->second != what)
      say(path, what, other == expected.end() ? "nothing" : other->second);
  }
  for (const auto& [path, what] : expected)
    if (!now.contains(path)) say(path, "nothing", what);
  return result << "\n  " << count << " differences";
}

bool is_full_sweep() {
  const char* value = std::getenv("STRAVINSKY_SWEEP");
  return value != nullptr && std::string_view(value) == "full";
}

}  // namespace stravinsky::e2e
