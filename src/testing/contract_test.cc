// The implementations that the contract suite is run against.

#include "testing/contract_suite.h"
#include "testing/fault_fs.h"
#include "testing/mem_fs.h"
#include "testing/temp_dir.h"
#include "testing/trace_fs.h"

namespace stravinsky::testing {
namespace {

class PosixUnderTest final : public FsUnderTest {
 public:
  explicit PosixUnderTest(fs::PathResolution resolution) : temp_(resolution) {}
  fs::FileSystem& fs() override { return temp_.fs(); }
  std::string root() override { return temp_.path(); }

 private:
  TempDir temp_;
};

std::unique_ptr<FsUnderTest> posix(fs::PathResolution resolution) {
  return std::make_unique<PosixUnderTest>(resolution);
}

class MemUnderTest : public FsUnderTest {
 public:
  MemUnderTest() { disk_.make_dirs("/home/user"); }
  fs::FileSystem& fs() override { return disk_; }
  std::string root() override { return "/home/user"; }

 protected:
  MemFs disk_;
};

class FaultUnderTest final : public MemUnderTest {
 public:
  fs::FileSystem& fs() override { return fault_; }

 private:
  FaultFs fault_{disk_, {}};
};

class TraceUnderTest final : public MemUnderTest {
 public:
  fs::FileSystem& fs() override { return trace_; }

 private:
  TraceFs trace_{disk_};
};

const FsFactory kImplementations[] = {
    {"PosixKernel", [] { return posix(fs::PathResolution::kKernel); }},
    {"PosixWalk", [] { return posix(fs::PathResolution::kWalk); }},
    {"Mem", [] { return std::make_unique<MemUnderTest>(); }},
    {"FaultOverMem", [] { return std::make_unique<FaultUnderTest>(); }},
    {"TraceOverMem", [] { return std::make_unique<TraceUnderTest>(); }},
};

}  // namespace

INSTANTIATE_TEST_SUITE_P(All, FileSystemContract, ::testing::ValuesIn(kImplementations),
                         [](const auto& one) { return one.param.name; });

}  // namespace stravinsky::testing
