// real_environment: the engine's Environment made from the machine.
#pragma once

#include "base/error.h"
#include "engine/environment.h"

namespace stravinsky::cli {

// Opens /dev/null in the place of a standard stream that is closed: a file of the store
// would get its number otherwise, and our messages. To be called before anything is opened.
void open_standard_files();

// fs outlives the answer. From now on SIGINT, SIGTERM, SIGHUP and SIGQUIT only set the
// flag that Environment::interrupted reads, unless they were ignored; SIGPIPE, SIGXFSZ,
// SIGALRM, SIGUSR1 and SIGUSR2 are ignored.
Result<engine::Environment> real_environment(fs::FileSystem& fs);

}  // namespace stravinsky::cli
