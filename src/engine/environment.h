// Environment: everything of the outside world that the engine is given.
//
// Production makes it in cli/main.cc; a test gives doubles. Nothing in the engine
// reaches around it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/background.h"
#include "base/clock.h"
#include "base/downloader.h"
#include "base/process_runner.h"
#include "base/random.h"
#include "fs/file_system.h"

namespace stravinsky::engine {

// Whether independent work of one operation may overlap. Tests that count calls say no.
enum class Overlap { kYes, kNo };
inline RunsIn runs_in(Overlap overlap) {
  return overlap == Overlap::kYes ? RunsIn::kBackground : RunsIn::kCaller;
}

struct Environment {
  fs::FileSystem& fs;
  Clock& clock;
  Random& random;
  ProcessRunner& processes;
  std::function<std::optional<std::string>(const std::string&)> variable;  // getenv
  std::string home;                                                        // absolute
  std::string working_directory;                                           // absolute
  std::string user_name;
  std::string hostname;
  std::string system;  // "Linux-6.1-x86_64"
  uint32_t user_id = 0;
  int64_t process_id = 0;
  std::function<bool()> interrupted = [] { return false; };
  Overlap overlap = Overlap::kYes;
  Downloader& downloads = system_downloader();
};

}  // namespace stravinsky::engine
