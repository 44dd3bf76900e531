#include "cli/program.h"
#include "fs/posix_fs.h"

#ifdef STRAVINSKY_FAULT_POINTS
#include <cstdlib>

#include "testing/fault_fs.h"
#endif

int main(int argc, char** argv) {
  stravinsky::fs::PosixFs disk;
#ifdef STRAVINSKY_FAULT_POINTS
  using namespace stravinsky::testing;
  if (const auto plan = fault_plan_from_environment(std::getenv(kFaultVariable))) {
    FaultFs faulty(disk, *plan);
    return static_cast<int>(stravinsky::cli::run_program(argc, argv, faulty));
  }
#endif
  return static_cast<int>(stravinsky::cli::run_program(argc, argv, disk));
}
