// Rescue: a store made by the real program, and recovery/rescue.sh run in it by one of
// the shells that people have.
//
// "busybox" has nothing but busybox in its PATH, so that its tar, gzip and sha256sum are
// tested as well. The program itself is in no PATH.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sample.h"

namespace stravinsky::e2e {

class Rescue : public ::testing::TestWithParam<const char*> {
 protected:
  // A tree in the home and one of ~/project, both with a backup "one".
  void SetUp() override;

  static std::string script() { return std::string(Home::kStore) + "/recovery/rescue.sh"; }
  Ended rescue(std::vector<std::string> args, const RunOptions& options = {}) const;
  // Runs and expects the exit code.
  Ended expect(int exit, const std::vector<std::string>& args,
               const RunOptions& options = {}) const;
  // Lines of output, as a person would paste them into the shell.
  Ended paste(const std::string& lines, const RunOptions& options = {}) const;
  // The lines that begin with two blanks: what is to be pasted.
  static std::vector<std::string> commands_in(const std::string& output);
  // The last of them, which takes back what was done; "false" when there is none.
  static std::string way_back(const Ended& done);

  void back_up(const std::string& label) const;
  std::string in_backup(std::string_view name) const;
  void flip_a_byte(const std::string& path) const;
  // A way to break most of what can be broken.
  void break_tree() const;
  // The home without the store.
  Tree trees() const;
  // No private directory and no temporary name is left.
  void expect_no_litter() const;

  const Home home_;

 private:
  std::vector<std::string> shell_;
  std::string path_;
};

}  // namespace stravinsky::e2e
