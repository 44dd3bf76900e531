#include <exception>

#include "cli/output.h"
#include "cli/program.h"
#include "fs/posix_fs.h"

#ifdef STRAVINSKY_FAULT_POINTS
#include <cstdlib>

#include "testing/fault_fs.h"
#endif

namespace {

int run(int argc, char** argv) {
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

}  // namespace

// What our libraries throw is caught where they are called; what gets here is no memory,
// or worse. The state is that of a kill, which the next command recovers from.
int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    stravinsky::cli::print_error("error: the program ran out of something it needs (");
    stravinsky::cli::print_error(error.what());
    stravinsky::cli::print_error(
        "); run any stravinsky command, such as stravinsky status, and it recovers first\n");
  } catch (...) {
    stravinsky::cli::print_error(
        "error: the program failed; run any stravinsky command, such as stravinsky status, and "
        "it recovers first\n");
  }
  return static_cast<int>(stravinsky::cli::ExitCode::kFailed);
}
