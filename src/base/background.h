// start_work: work for a thread of its own, or for the caller when there is none.
//
// Threads are a matter of speed here, never of need. Where the system refuses one (a
// limit of processes, no memory), std::async throws; the work is then done by whoever
// asks for the answer. That is the one exception caught for it.
#pragma once

#include <future>
#include <system_error>

namespace stravinsky {

enum class RunsIn { kBackground, kCaller };

// work outlives what it refers to; what it answers is got() once.
template <typename Work>
auto start_work(RunsIn where, const Work& work) {
  if (where == RunsIn::kBackground) {
    try {
      return std::async(std::launch::async, work);
    } catch (const std::system_error&) {
      return std::async(std::launch::deferred, work);
    }
  }
  return std::async(std::launch::deferred, work);
}

}  // namespace stravinsky
