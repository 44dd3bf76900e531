#include "testing/trace_fs.h"

#include <gtest/gtest.h>

#include "fs/atomic_file.h"
#include "fs/file.h"
#include "testing/mem_fs.h"

namespace stravinsky::testing {
namespace {

using fs::File;
using fs::RelPath;

using Lines = std::vector<std::string>;

TEST(TraceFs, WritesDownTheOrder) {
  MemFs disk;
  disk.make_dirs("/d/sub");
  TraceFs trace(disk);
  const File root = File::open_root(trace, "/d").value();
  ASSERT_TRUE(fs::write_atomically(trace, root.fd(), RelPath::of("sub/x"), "new"));
  EXPECT_EQ(trace.mutating_lines(),
            (Lines{"create sub/.x.partial", "write sub/.x.partial 0+3", "sync full sub/.x.partial",
                   "rename sub/.x.partial -> sub/x", "sync full sub"}));
  EXPECT_EQ(trace.count(Op::kSync), 2U);
  EXPECT_LT(trace.find("sync full sub/.x"), trace.find("rename "));
  EXPECT_EQ(trace.find("unlink"), TraceFs::npos);
  EXPECT_EQ(trace.entries().at(trace.find("rename")).path, "/d/sub/x");
}

TEST(TraceFs, WritesDownFailures) {
  MemFs disk;
  TraceFs trace(disk);
  const File root = File::open_root(trace, "/").value();
  EXPECT_FALSE(trace.unlink(root.fd(), RelPath::of("no\n")));
  EXPECT_EQ(trace.lines(), (Lines{"open root /", "unlink no\\x0a ! not_found"}));
  EXPECT_FALSE(trace.entries().back().succeeded);
  EXPECT_EQ(trace.entries().back().path, "/no\n");
}

TEST(TraceFs, WritesDownAnExchange) {
  MemFs disk;
  disk.write_file("/a/x", "");
  disk.write_file("/a/b/y", "");
  TraceFs trace(disk);
  const File root = File::open_root(trace, "/a").value();
  const File sub = File::open(trace, root.fd(), RelPath::of("b"), fs::OpenMode::kDirectory).value();
  trace.clear();
  ASSERT_TRUE(trace.rename(root.fd(), RelPath::of("x"), sub.fd(), RelPath::of("y"),
                           fs::RenameMode::kExchange));
  EXPECT_EQ(trace.lines(), Lines{"rename exchange x <-> b/y"});
}

}  // namespace
}  // namespace stravinsky::testing
