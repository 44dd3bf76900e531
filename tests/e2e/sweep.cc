#include "sweep.h"

#include <algorithm>
#include <cstdlib>

namespace stravinsky::e2e {
namespace {

constexpr std::string_view kCounted = "fault-points: ";

}  // namespace

SweptCommand::SweptCommand(std::vector<std::string> args,
                           const std::function<void(const Home&)>& prepare, int exit)
    : home_(Place::kMemory), args_(std::move(args)) {
  home_.dir("bin");
  for (const char* shell : {"bash", "sh"})
    home_.link("bin/" + std::string(shell), "/bin/" + std::string(shell));
  // The bundles' place in the home is known only now.
  for (std::string& arg : args_)
    if (arg.starts_with("~/")) arg = home_.at(arg.substr(2));
  prepare(home_);
  home_.copy(".claude", "start/claude");
  home_.copy(".stravinsky", "start/stravinsky");
  before_ = home_.tree();
  const Ended counted = run("count");
  EXPECT_EQ(counted.exit, exit) << counted.err;
  after_ = home_.tree();
  const size_t at = counted.err.find(kCounted);
  if (at == std::string::npos) {
    ADD_FAILURE() << "the program has no fault points: " << counted.err;
    return;
  }
  mutating_calls_ = std::atoi(counted.err.c_str() + at + kCounted.size());
}

void SweptCommand::reset() const {
  home_.copy("start/claude", ".claude");
  home_.copy("start/stravinsky", ".stravinsky");
}

RunOptions SweptCommand::options(const std::string& fault) const {
  RunOptions options{.env = {{"PATH", home_.at("bin")}}};
  if (!fault.empty()) options.env["STRAVINSKY_FAULT"] = fault;
  return options;
}

Ended SweptCommand::run(const std::string& fault) const {
  return other(args_, fault);
}

Ended SweptCommand::other(const std::vector<std::string>& args, const std::string& fault) const {
  return home_.run(args, options(fault));
}

void SweptCommand::expect_no_gap(const std::string& when) const {
  for (const auto& [path, what] : before_) {
    if (after_.contains(path)) {
      EXPECT_TRUE(home_.exists(".claude/" + path)) << path << " " << when;
    }
  }
  for (const std::string& name : hooks_named_by(home_.text(".claude/settings.json")))
    EXPECT_TRUE(home_.exists(".claude/hooks/" + name)) << name << " " << when;
}

void SweptCommand::expect_whole(const std::string& when) const {
  const Ended status = other({"status"});
  EXPECT_EQ(status.exit, 0) << when << "\n" << status.out << status.err;
  const Tree now = home_.tree();
  EXPECT_TRUE(now == after_ || same_tree(now, before_)) << when;
  const Ended audit = other({"audit", "verify"});
  EXPECT_EQ(audit.exit, 0) << when << "\n" << audit.out << audit.err;
  const Ended backups = other({"backup", "verify", "--all"});
  EXPECT_EQ(backups.exit, 0) << when << "\n" << backups.out << backups.err;
  // What recovery left open, the next change would trip over.
  EXPECT_FALSE(home_.names(home_.store("recovery/tx")).size() > 2) << when;
}

std::vector<int> sampled(int last, int runs_max) {
  if (kSanitized) runs_max /= 6;
  const int step = is_full_sweep() ? 1 : std::max(1, (last + runs_max - 1) / runs_max);
  std::vector<int> out;
  for (int at = 1; at <= last; at += step) out.push_back(at);
  return out;
}

}  // namespace stravinsky::e2e
