// What only the disk has: FIFOs, sockets, races with other writers, the fallback
// of path resolution. The common promises are in testing/contract_*_test.cc.
#include "fs/posix_fs.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <thread>

#include "fs/posix_calls.h"
#include "testing/outcome.h"
#include "testing/temp_dir.h"

namespace stravinsky::fs {
namespace {

using testing::outcome;
using testing::TempDir;

// Makes the kernel refuse openat2 with this errno, for this process and for good.
bool refuse_openat2(int sys_errno) {
  std::array<sock_filter, 4> program{{
      {.code = BPF_LD | BPF_W | BPF_ABS, .jt = 0, .jf = 0, .k = offsetof(seccomp_data, nr)},
      {.code = BPF_JMP | BPF_JEQ | BPF_K, .jt = 0, .jf = 1, .k = SYS_openat2},
      {.code = BPF_RET | BPF_K,
       .jt = 0,
       .jf = 0,
       .k = SECCOMP_RET_ERRNO | static_cast<uint32_t>(sys_errno)},
      {.code = BPF_RET | BPF_K, .jt = 0, .jf = 0, .k = SECCOMP_RET_ALLOW},
  }};
  sock_fprog filter{.len = program.size(), .filter = program.data()};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

// How the child answers.
constexpr int kRight = 0;
constexpr int kWrong = 1;
constexpr int kNoFilter = 2;

int answer_when_refused(int sys_errno, TempDir& temp) {
  if (!refuse_openat2(sys_errno)) return kNoFilter;
  PosixFs fs;
  const bool reads = fs.stat(temp.dir(), RelPath::of("a/b/file")).has_value();
  const bool again = fs.stat(temp.dir(), RelPath::of("a/b/file")).has_value();
  const bool refuses = outcome(fs.stat(temp.dir(), RelPath::of("a/link/file"))) == "wrong_type";
  const bool absent = outcome(fs.stat(temp.dir(), RelPath::of("a/absent/x"))) == "not_found";
  return reads && again && refuses && absent ? kRight : kWrong;
}

TEST(PosixFsDeathTest, WalksWhereTheKernelRefusesOpenat2) {
  TempDir temp;
  temp.put_dir("a");
  temp.put_dir("a/b");
  temp.put("a/b/file", "x");
  temp.put_link("a/link", "b");
  for (const int sys_errno : {ENOSYS, EPERM}) {
    int answer = kWrong;
    const auto keep_answer = [&](int status) {
      answer = WIFEXITED(status) ? WEXITSTATUS(status) : kWrong;
      return true;
    };
    // In a child process, because the filter cannot be taken away again.
    EXPECT_EXIT(_exit(answer_when_refused(sys_errno, temp)), keep_answer, "");
    if (answer == kNoFilter) GTEST_SKIP() << "no seccomp filter can be set here";
    EXPECT_EQ(answer, kRight) << strerror(sys_errno);
  }
}

class PosixFsOfBothResolutions : public ::testing::TestWithParam<PathResolution> {};

INSTANTIATE_TEST_SUITE_P(All, PosixFsOfBothResolutions,
                         ::testing::Values(PathResolution::kKernel, PathResolution::kWalk));

TEST_P(PosixFsOfBothResolutions, FifoNeverHangs) {
  TempDir temp(GetParam());
  temp.put_dir("sub");
  ASSERT_EQ(mkfifo((temp.path() + "/sub/pipe").c_str(), 0600), 0);
  const RelPath pipe = RelPath::of("sub/pipe");
  EXPECT_EQ(outcome(temp.fs().open(temp.dir(), pipe, OpenMode::kRead, 0)), "wrong_type");
  EXPECT_EQ(outcome(temp.fs().open(temp.dir(), pipe, OpenMode::kReadWrite, 0)), "wrong_type");
  EXPECT_EQ(outcome(temp.fs().open(temp.dir(), pipe, OpenMode::kOpenOrCreate, 0)), "wrong_type");
  EXPECT_EQ(temp.fs().stat(temp.dir(), pipe)->type, NodeType::kOther);
  EXPECT_EQ(outcome(temp.fs().unlink(temp.dir(), pipe)), "ok");
}

TEST(PosixFs, SocketIsWrongType) {
  TempDir temp;
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = temp.path() + "/socket";
  ASSERT_LT(path.size(), sizeof address.sun_path);
  memcpy(address.sun_path, path.c_str(), path.size() + 1);
  ASSERT_EQ(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(outcome(temp.fs().open(temp.dir(), RelPath::of("socket"), OpenMode::kRead, 0)),
            "wrong_type");
  ::close(fd);
}

// A directory is swapped with a link out of the root again and again while
// another thread opens through it: the file outside must never be reached.
TEST_P(PosixFsOfBothResolutions, LinkSwappedInIsNeverFollowed) {
  TempDir temp(GetParam());
  temp.put_dir("outside");
  temp.put("outside/file", "outside");
  temp.put_dir("root");
  temp.put_dir("root/dir");
  temp.put("root/dir/file", "inside");
  temp.put_link("root/link", temp.path() + "/outside");
  const auto root = File::open(temp.fs(), temp.dir(), RelPath::of("root"), OpenMode::kDirectory);
  std::atomic<bool> stop = false;
  std::thread attacker([&] {
    while (!stop) {
      EXPECT_TRUE(temp.fs().rename(root->fd(), RelPath::of("dir"), root->fd(), RelPath::of("link"),
                                   RenameMode::kExchange));
    }
  });
  for (int i = 0; i < 2000; ++i) {
    const auto bytes = read_file(temp.fs(), root->fd(), RelPath::of("dir/file"), 100);
    if (bytes) {
      EXPECT_EQ(*bytes, "inside");
    } else {
      EXPECT_EQ(outcome(bytes), "wrong_type");
    }
  }
  stop = true;
  attacker.join();
}

TEST(PosixFs, ErrorOfADescriptorNamesItsFile) {
  TempDir temp;
  temp.put("file", "x");
  const auto file = File::open(temp.fs(), temp.dir(), RelPath::of("file"), OpenMode::kRead);
  EXPECT_EQ(temp.fs().write(file->fd(), 0, as_byte_span("y")).error().path, temp.path() + "/file");
}

TEST(PosixFs, PathOfARemovedFileIsNotFound) {
  TempDir temp;
  temp.put("file", "x");
  // A name that looks like the kernel's mark of a removed file.
  temp.put("other (deleted)", "x");
  const auto file = File::open(temp.fs(), temp.dir(), RelPath::of("file"), OpenMode::kRead);
  const auto other =
      File::open(temp.fs(), temp.dir(), RelPath::of("other (deleted)"), OpenMode::kRead);
  ASSERT_TRUE(temp.fs().unlink(temp.dir(), RelPath::of("file")));
  EXPECT_EQ(outcome(temp.fs().path_of(file->fd())), "not_found");
  EXPECT_EQ(*temp.fs().path_of(other->fd()), temp.path() + "/other (deleted)");
}

std::atomic<int> sigio_count = 0;

// Another process opens the file for writing while the question is asked: the
// kernel breaks the lease by a signal, which must not be the deadly SIGIO.
TEST(PosixFs, AskingForWritersSurvivesAWriterThatComes) {
  TempDir temp;
  temp.put("file", "x");
  struct sigaction count{};
  struct sigaction before{};
  count.sa_handler = [](int) { ++sigio_count; };
  ASSERT_EQ(sigaction(SIGIO, &count, &before), 0);
  const auto reader = File::open(temp.fs(), temp.dir(), RelPath::of("file"), OpenMode::kRead);
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    const std::string path = temp.path() + "/file";
    while (!stop) {
      const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
      if (fd >= 0) ::close(fd);
    }
  });
  for (int i = 0; i < 2000; ++i) EXPECT_EQ(outcome(temp.fs().has_writer(reader->fd())), "ok");
  stop = true;
  writer.join();
  sigaction(SIGIO, &before, nullptr);
  EXPECT_EQ(sigio_count, 0);
}

TEST(PosixFs, WriterIsUnknownOnADescriptorForWriting) {
  TempDir temp;
  temp.put("file", "x");
  const auto file = File::open(temp.fs(), temp.dir(), RelPath::of("file"), OpenMode::kReadWrite);
  EXPECT_EQ(outcome(temp.fs().has_writer(file->fd())), "ok");
}

// Who else may read a file stands in its access list, beyond the mode.
TEST(PosixFs, TheAccessListIsReadAndSet) {
  const TempDir temp;
  PosixFs fs;
  const File dir = *File::open_root(fs, temp.path());
  const File from = *File::open(fs, dir.fd(), RelPath::of("from"), OpenMode::kCreateExclusive);
  const File to = *File::open(fs, dir.fd(), RelPath::of("to"), OpenMode::kCreateExclusive);
  // Version 2; (tag, rights, id): owner rw, user 12345 r, group none, mask r, others none.
  const auto entry = [](char tag, char rights, uint32_t id) {
    std::string bytes{tag, '\0', rights, '\0'};
    for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(id >> shift);
    return bytes;
  };
  const std::string list = std::string{"\2\0\0\0", 4} + entry(1, 6, UINT32_MAX) +
                           entry(2, 4, 12345) + entry(4, 0, UINT32_MAX) + entry(16, 4, UINT32_MAX) +
                           entry(32, 0, UINT32_MAX);
  const std::string name = "system.posix_acl_access";
  const Status set = fs.set_xattrs(from.fd(), {{name, list}});
  if (!set && set.error().code == ErrorCode::kUnsupported)
    GTEST_SKIP() << "no access lists on this file system";
  ASSERT_TRUE(set) << set.error().to_string();
  const auto read = fs.get_xattrs(from.fd());
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, (Xattrs{{name, list}}));
  ASSERT_TRUE(fs.set_xattrs(to.fd(), *read));
  Attributes same_mode;
  same_mode.mode = (*fs.stat_fd(from.fd())).mode;
  ASSERT_TRUE(fs.set_attributes(to.fd(), same_mode));
  EXPECT_EQ(*fs.get_xattrs(to.fd()), *read);
}

TEST(PosixFs, MountPointIsSeen) {
  PosixFs fs;
  const auto root = File::open_root(fs, "/");
  ASSERT_TRUE(root);
  const auto proc = stat_if_present(fs, root->fd(), RelPath::of("proc"));
  if (!proc || !*proc) GTEST_SKIP() << "no /proc here";
  EXPECT_TRUE((*proc)->mount_point);
}

TEST(PosixFs, FullDeviceIsNoSpace) {
  const int fd = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  if (fd < 0) GTEST_SKIP() << "no /dev/full here";
  PosixFs fs;
  EXPECT_EQ(outcome(fs.write(posix::fd_of(fd), 0, as_byte_span("x"))), "no_space");
  ::close(fd);
}

TEST(PosixFs, CopyAcrossFileSystemsWorks) {
  PosixFs fs;
  const auto proc = File::open_root(fs, "/proc");
  TempDir temp;
  temp.put("copy", "");
  if (!proc) GTEST_SKIP() << "no /proc here";
  const auto from = File::open(fs, proc->fd(), RelPath::of("version"), OpenMode::kRead);
  const auto to = File::open(fs, temp.dir(), RelPath::of("copy"), OpenMode::kReadWrite);
  ASSERT_TRUE(from);
  ASSERT_EQ(outcome(fs.copy_range(from->fd(), 0, to->fd(), 0, 5)), "ok");
  EXPECT_EQ(temp.get("copy"), "Linux");
}

}  // namespace
}  // namespace stravinsky::fs
