// Threads: workers that are joined when this goes out of scope.
#pragma once

#include <pthread.h>

#include <functional>
#include <vector>

namespace stravinsky::codec {

class Threads {
 public:
  // Starts up to count threads that run work; fewer, or none, where the system
  // refuses them (std::thread would throw). The caller can do without.
  Threads(int count, std::function<void()> work);
  ~Threads();
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

  int count() const { return static_cast<int>(threads_.size()); }

 private:
  std::function<void()> work_;
  std::vector<pthread_t> threads_;
};

}  // namespace stravinsky::codec
