// ProcessRunner: the only way to start another program (a language's own parser).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace stravinsky {

struct ProcessRequest {
  std::vector<std::string> argv;  // argv[0] is looked up in PATH
  std::string input;              // given on standard input
  int64_t timeout_ms = 10'000;    // then the whole process group is ended
  // Variables added to an otherwise minimal environment (PATH, HOME, LANG kept).
  std::vector<std::pair<std::string, std::string>> environment;
};

struct ProcessResult {
  int exit_code = 0;  // 128 + signal when it was ended by one
  bool timed_out = false;
  std::string output;  // standard output, at most 1 MiB kept
  std::string errors;  // standard error, at most 1 MiB kept
};

class ProcessRunner {
 public:
  virtual ~ProcessRunner() = default;
  // kNotFound when there is no such program.
  virtual Result<ProcessResult> run(const ProcessRequest& request) = 0;
};

ProcessRunner& system_process_runner();

}  // namespace stravinsky
