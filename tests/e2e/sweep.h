// A sweep over the calls of one command of the real program: every run starts from
// the same home, fails or dies at one call, and is then looked at.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "sample.h"

namespace stravinsky::e2e {

// The states that a home may be left in, and the place to come back to.
class SweptCommand {
 public:
  // prepare brings a fresh home to where the command starts. PATH of the runs holds
  // the shells alone, so that no other interpreter's start is paid for.
  // exit is how a run ends when nothing disturbs it.
  SweptCommand(std::vector<std::string> args, const std::function<void(const Home&)>& prepare,
               int exit = 0);

  const Home& home() const { return home_; }
  const Tree& before() const { return before_; }
  const Tree& after() const { return after_; }
  // How many calls a whole run makes: those that change the disk, and all.
  int mutating_calls() const { return mutating_calls_; }

  // The home as prepare left it.
  void reset() const;
  // The command, with STRAVINSKY_FAULT set to this.
  Ended run(const std::string& fault) const;
  Ended other(const std::vector<std::string>& args, const std::string& fault = {}) const;

  // Right after a kill: every name of both trees is there, and the settings name no hook
  // that is absent. A reader at that instant would see just this.
  void expect_no_gap(const std::string& when) const;
  // After a run that ended at some call: heals by "status", then the tree is one of the
  // two, nothing is left beside it, and the record and all backups are whole.
  void expect_whole(const std::string& when) const;

 private:
  RunOptions options(const std::string& fault) const;

  Home home_;
  std::vector<std::string> args_;
  Tree before_;
  Tree after_;
  int mutating_calls_ = 0;
};

// 1, 1 + step, ... up to last; every one in a full sweep.
std::vector<int> sampled(int last, int runs_max);

}  // namespace stravinsky::e2e
