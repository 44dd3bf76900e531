// Scratch: a home directory of its own under /tmp, and the real program run in it.
//
// Paths are relative to that home unless they are absolute; bytes go in and come out
// as they are. Nothing here knows how the program works: a test looks at what a user
// could look at, the tree, the store, the exit code and the output.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace stravinsky::e2e {

struct Ended {
  int exit = 0;  // 128 + signal when a signal ended it
  std::string out;
  std::string err;

  // The output as JSON; a failure of the test when it is none.
  nlohmann::json json() const;
};

using Variables = std::map<std::string, std::string>;

struct RunOptions {
  std::string input = {};
  Variables env = {};                    // added to PATH, HOME and LANG
  std::string directory = {};            // to work in; the home when empty
  std::optional<uint32_t> user_id = {};  // to become; needs root
};

// What stands at each path: "dir 0755", "link TEXT", "file 0644 BYTES", "other".
using Tree = std::map<std::string, std::string>;

using Files = std::vector<std::pair<std::string, std::string>>;

// A sweep of hundreds of runs, none of which loses power, lives in memory where the
// machine has such a place.
enum class Place { kDisk, kMemory };

class Scratch {
 public:
  explicit Scratch(Place place = Place::kDisk);
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch();

  const std::string& home() const { return home_; }
  std::string at(std::string_view path) const;

  // Parents are made; what stands there is replaced.
  void file(std::string_view path, std::string_view bytes, uint32_t mode = 0644) const;
  void files(std::string_view directory, const Files& files) const;  // *.sh get 0755
  void dir(std::string_view path, uint32_t mode = 0755) const;
  void link(std::string_view path, std::string_view text) const;
  void mode(std::string_view path, uint32_t mode) const;
  void erase(std::string_view path) const;  // with all beneath it; absent is fine
  // Replaces the tree at `to` by a copy of the one at `from`.
  void copy(std::string_view from, std::string_view to) const;

  bool exists(std::string_view path) const;  // a dangling link does
  bool is_link(std::string_view path) const;
  uint32_t mode_of(std::string_view path) const;
  std::string text(std::string_view path) const;  // "<absent>" when it is not there
  std::string link_text(std::string_view path) const;
  std::vector<std::string> names(std::string_view directory) const;  // sorted
  Tree tree(std::string_view path = ".claude") const;

  Ended run(const std::vector<std::string>& args, const RunOptions& options = {}) const;
  // Any other program, found in PATH, with the same environment.
  Ended run_program(std::vector<std::string> argv, const RunOptions& options = {}) const;
  // Runs and expects the exit code; shows the output when it is another.
  Ended expect(int exit, const std::vector<std::string>& args,
               const RunOptions& options = {}) const;

 private:
  std::string top_;
  std::string home_;
};

// The first differences of two trees, readable.
testing::AssertionResult same_tree(const Tree& now, const Tree& expected);

// Of the program that is started; the tests themselves are not.
#ifdef STRAVINSKY_SANITIZED
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

// True with STRAVINSKY_SWEEP=full in the environment.
bool is_full_sweep();

}  // namespace stravinsky::e2e
