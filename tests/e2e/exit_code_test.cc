// Exit codes tell the truth, and errors say what to do (the table of product.md).
#include <gmock/gmock.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sample.h"

namespace stravinsky::e2e {
namespace {

using ::testing::HasSubstr;

constexpr uint32_t kSomebody = 12345;

bool is_root() {
  return geteuid() == 0;
}

void give_to(const Scratch& scratch, std::string_view path, uint32_t user_id) {
  const std::string id = std::to_string(user_id);
  const Ended run = scratch.run_program({"chown", "-hR", id + ":" + id, scratch.at(path)});
  ASSERT_EQ(run.exit, 0) << run.err;
}

TEST(ExitCode, Zero) {
  const Scratch home;
  EXPECT_THAT(home.expect(0, {"--version"}).out, HasSubstr("."));
  EXPECT_THAT(home.expect(0, {"--help"}).out, HasSubstr("update"));
  EXPECT_THAT(home.expect(0, {"update", "--help"}).out, HasSubstr("--from"));
  home.expect(0, {"status"});
  home.expect(0, {"backup", "list"});
  EXPECT_FALSE(home.exists(".stravinsky")) << "reading makes no store";
}

TEST(ExitCode, TwoUsage) {
  const Home home;
  home.expect(2, {"frobnicate"});
  home.expect(2, {"update", "1.0.0"});
  home.expect(2, {"update", "1.0.0", "--from", home.bundle("1"), "--no-such-option"});
  home.expect(2, {"rollback", "to"});
  home.expect(2, {"backup", "create", "--label", "../escape"});
  home.expect(2, {"update", "not a version", "--from", home.bundle("1")});
  home.expect(2, {"backup", "create"}, {.env = {{"STRAVINSKY_BACKUP_MAX_VERSIONS", "many"}}});
  EXPECT_TRUE(same_tree(home.tree(), {}));
}

TEST(ExitCode, FourConflict) {
  const Home home;
  home.install(1);
  home.file(".claude/commands/deep", "a file where the bundle has a directory\n");
  const Tree before = home.tree();
  const Ended refused = home.expect(4, {"update", "2.0.0", "--from", home.bundle("2")});
  EXPECT_THAT(refused.err, HasSubstr("commands/deep"));
  EXPECT_TRUE(same_tree(home.tree(), before));
}

TEST(ExitCode, FiveNotFound) {
  const Home home;
  home.install(1);
  home.install(2);
  const Ended none = home.expect(5, {"rollback", "to", "v9.9.9"});
  EXPECT_THAT(none.err, HasSubstr("9.9.9"));
  EXPECT_THAT(none.err, HasSubstr("v1.0.0")) << "says what there is";
  home.expect(5, {"backup", "verify", "v9.9.9"});
  home.expect(5, {"backup", "show", "v9.9.9"});
  home.expect(5, {"recovery", "file", "~/.claude/hooks/never-was.sh"});
  home.expect(5, {"update", "2.0.0", "--from", home.at("bundles/nowhere")});
}

TEST(ExitCode, SevenCorrupt) {
  const Home home;
  home.install(1);
  home.install(2);
  home.install(3);
  const Tree before = home.tree();
  const std::string archive = home.store("backups/v1.0.0.pre_update/hooks.tar.gz");
  std::string bytes = home.text(archive);
  ASSERT_GT(bytes.size(), 40U) << archive;
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  home.file(archive, bytes, 0600);
  home.expect(7, {"backup", "verify", "v1.0.0.pre_update"});
  const Ended all = home.expect(7, {"backup", "verify", "--all"});
  EXPECT_THAT(all.out + all.err, HasSubstr("v2.0.0")) << "carries on past the bad one";
  home.expect(7, {"rollback", "to", "v1.0.0.pre_update"});
  EXPECT_TRUE(same_tree(home.tree(), before));
}

TEST(ExitCode, NinePermission) {
  if (!is_root()) GTEST_SKIP() << "needs root, to become another user";
  const Home home;
  home.install(1);
  home.erase(".stravinsky");
  give_to(home, "", kSomebody);
  give_to(home, ".claude/hooks", 0);
  const Tree before = home.tree();
  const Ended refused =
      home.expect(9, {"update", "2.0.0", "--from", home.bundle("2")}, {.user_id = kSomebody});
  EXPECT_THAT(refused.err, HasSubstr("hooks"));
  EXPECT_TRUE(same_tree(home.tree(), before));
  give_to(home, ".claude", kSomebody);
  home.expect(0, {"update", "2.0.0", "--from", home.bundle("2")}, {.user_id = kSomebody});
}

TEST(ExitCode, NineForRootOnATreeOfSomebodyElse) {
  if (!is_root()) GTEST_SKIP() << "needs root, to give the tree away";
  const Home home;
  home.install(1);
  give_to(home, ".claude", kSomebody);
  const Tree before = home.tree();
  const Ended refused = home.expect(9, {"update", "2.0.0", "--from", home.bundle("2")});
  EXPECT_THAT(refused.err, HasSubstr("--foreign-owner"));
  EXPECT_TRUE(same_tree(home.tree(), before));
  home.expect(0, {"update", "2.0.0", "--from", home.bundle("2"), "--foreign-owner"});
  struct stat st{};
  ASSERT_EQ(lstat(home.at(".claude/hooks/audit.sh").c_str(), &st), 0);
  EXPECT_EQ(st.st_uid, kSomebody) << "new files belong to the tree's owner";
}

TEST(ExitCode, TenNoSpace) {
  if (!is_root()) GTEST_SKIP() << "needs root, to mount a small file system";
  const Home home;
  home.files(".claude", package(1));
  std::string big(300'000, ' ');
  uint32_t seed = 1;
  for (char& byte : big) byte = static_cast<char>('a' + (seed = seed * 1664525U + 1U) % 26U);
  home.file(".claude/commands/big.md", big);
  const Tree before = home.tree();
  home.dir(home.store(), 0700);
  if (mount("none", home.store().c_str(), "tmpfs", 0, "size=128k,mode=0700") != 0)
    GTEST_SKIP() << "no right to mount here";
  const Ended full = home.run({"update", "2.0.0", "--from", home.bundle("2")});
  const Ended manual =
      home.run({"backup", "create"}, {.env = {{"STRAVINSKY_SAFETY_DISK_SPACE_THRESHOLD_MB", "0"}}});
  const auto leftovers = home.names(home.store("backups"));
  EXPECT_EQ(umount2(home.store().c_str(), MNT_DETACH), 0);
  EXPECT_EQ(full.exit, 10) << full.out << full.err;
  EXPECT_EQ(manual.exit, 10) << manual.out << manual.err;
  EXPECT_TRUE(same_tree(home.tree(), before));
  for (const std::string& name : leftovers) EXPECT_TRUE(name.ends_with(".json")) << name;
}

TEST(ExitCode, OneHundredThirtyInterrupted) {
  if (kSanitized) GTEST_SKIP() << "the leak sanitizer cannot work in a traced program";
  const Home home;
  home.install(1);
  const Tree before = home.tree();
  if (home.run_program({"strace", "-o", "/dev/null", "true"}).exit != 0)
    GTEST_SKIP() << "no strace, or no right to trace";
  const Ended interrupted =
      home.run_program({"strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=renameat2", "-e",
                        "inject=renameat2:signal=SIGINT:when=4", STRAVINSKY_BINARY, "update",
                        "2.0.0", "--from", home.bundle("2")});
  // Where it was already decided when the signal came, it is done.
  if (interrupted.exit == 0) {
    EXPECT_TRUE(home.exists(".claude/hooks/audit.sh"));
  } else {
    EXPECT_EQ(interrupted.exit, 130) << interrupted.err;
    EXPECT_TRUE(same_tree(home.tree(), before));
  }
  EXPECT_EQ(home.litter(), std::vector<std::string>());
  home.expect(0, {"audit", "verify"});
}

TEST(ExitCode, ErrorsSayCauseWhatWasUntouchedAndWhatToDo) {
  const Home home;
  home.install(1);
  for (const std::vector<std::string>& args :
       {std::vector<std::string>{"rollback", "to", "v9.9.9"},
        std::vector<std::string>{"rollback", "redo"},
        std::vector<std::string>{"update", "2.0.0", "--from", home.at("nowhere")}}) {
    const Ended run = home.run(args);
    EXPECT_NE(run.exit, 0);
    EXPECT_EQ(run.out, "") << "errors go to standard error";
    EXPECT_THAT(run.err, HasSubstr("othing was changed")) << args[0];
    EXPECT_THAT(run.err, ::testing::Not(HasSubstr("terminate"))) << args[0];
  }
}

}  // namespace
}  // namespace stravinsky::e2e
