// Scenario 24: a reader that loops over every managed hook and over settings during a
// thousand updates and rollbacks sees no ENOENT, no half file, and no settings that
// name an absent hook.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <set>
#include <thread>

#include "sample.h"

namespace stravinsky::e2e {
namespace {

struct Seen {
  int error = 0;
  std::string bytes;
  // Tells this file from every other that ever had its name.
  std::array<int64_t, 3> identity{};
};

Seen look(const std::string& path) {
  Seen seen;
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    seen.error = errno;
    return seen;
  }
  struct stat st{};
  (void)fstat(fd, &st);
  seen.identity = {static_cast<int64_t>(st.st_ino), st.st_mtim.tv_sec, st.st_mtim.tv_nsec};
  std::array<char, 4096> piece;
  ssize_t n = 0;
  while ((n = read(fd, piece.data(), piece.size())) > 0)
    seen.bytes.append(piece.data(), static_cast<size_t>(n));
  close(fd);
  return seen;
}

class Reader {
 public:
  explicit Reader(const Home& home) : home_(home) {
    for (const int version : {1, 2})
      for (const auto& [path, bytes] : package(version))
        if (path.starts_with("hooks/")) known_[path].insert(bytes);
    for (const auto& [path, bytes] : package(1))
      if (path.starts_with("hooks/")) always_.insert(path);
  }

  void learn_settings(const std::string& text) { known_settings_.insert(text); }

  void loop(const std::atomic<bool>& stop) {
    while (!stop && complaints_.empty()) {
      ++rounds_;
      const Seen settings = look(home_.at(".claude/settings.json"));
      if (settings.error != 0) complain("settings.json", settings.error);
      if (!known_settings_.contains(settings.bytes)) complain("half settings.json", 0);
      for (const std::string& path : always_) read_whole(path);
      for (const std::string& name : hooks_named_by(settings.bytes)) {
        const std::string path = "hooks/" + name;
        const Seen hook = look(home_.at(".claude/" + path));
        if (hook.error == 0) continue;
        // Absent is a fault only while these very settings are in force.
        if (look(home_.at(".claude/settings.json")).identity == settings.identity)
          complain("settings name an absent " + path, hook.error);
      }
    }
  }

  int rounds() const { return rounds_; }
  const std::vector<std::string>& complaints() const { return complaints_; }

 private:
  void read_whole(const std::string& path) {
    const Seen seen = look(home_.at(".claude/" + path));
    if (seen.error != 0)
      complain(path, seen.error);
    else if (!known_[path].contains(seen.bytes))
      complain("half " + path, 0);
  }
  void complain(const std::string& what, int error) {
    complaints_.push_back(what + (error != 0 ? ": errno " + std::to_string(error) : ""));
  }

  const Home& home_;
  std::map<std::string, std::set<std::string>> known_;
  std::set<std::string> always_;
  std::set<std::string> known_settings_;
  std::vector<std::string> complaints_;
  int rounds_ = 0;
};

TEST(Scenario, 24_AReaderDuringAThousandChangesSeesNoGap) {
  const int changes = kSanitized ? 60 : 1000;
  const Home home(Place::kMemory);
  home.dir("bin");
  for (const char* shell : {"bash", "sh"})
    home.link("bin/" + std::string(shell), "/bin/" + std::string(shell));
  const RunOptions options{.env = {{"PATH", home.at("bin")}}};
  home.install(1);
  Reader reader(home);
  reader.learn_settings(home.text(".claude/settings.json"));
  home.install(2);
  reader.learn_settings(home.text(".claude/settings.json"));
  home.expect(0, {"rollback", "undo"});

  std::atomic<bool> stop = false;
  std::thread thread([&] { reader.loop(stop); });
  int done = 0;
  for (; done < changes; ++done) {
    const Ended run = done % 2 == 0
                          ? home.run({"update", "2.0.0", "--from", home.bundle("2")}, options)
                          : home.run({"rollback", "undo"}, options);
    if (run.exit != 0) {
      ADD_FAILURE() << "change " << done << ": " << run.out << run.err;
      break;
    }
  }
  stop = true;
  thread.join();
  EXPECT_EQ(reader.complaints(), std::vector<std::string>());
  EXPECT_EQ(done, changes);
  EXPECT_GT(reader.rounds(), changes) << "the reader was too slow to mean anything";
  home.expect(0, {"audit", "verify"});
  home.expect(0, {"backup", "verify", "--all"});
}

}  // namespace
}  // namespace stravinsky::e2e
