// The program: reads the command line and runs one command.
#pragma once

#include "cli/exit_code.h"
#include "fs/file_system.h"

namespace stravinsky::cli {

ExitCode run_program(int argc, char** argv, fs::FileSystem& fs);

}  // namespace stravinsky::cli
