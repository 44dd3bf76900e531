#include "codec/threads.h"

#include <utility>

#include "base/check.h"

namespace stravinsky::codec {
namespace {

void* run(void* work) {
  (*static_cast<std::function<void()>*>(work))();
  return nullptr;
}

}  // namespace

Threads::Threads(int count, std::function<void()> work) : work_(std::move(work)) {
  for (int i = 0; i < count; ++i) {
    pthread_t thread{};
    if (pthread_create(&thread, nullptr, run, &work_) != 0) return;
    threads_.push_back(thread);
  }
}

Threads::~Threads() {
  for (const pthread_t thread : threads_) CHECK(pthread_join(thread, nullptr) == 0);
}

}  // namespace stravinsky::codec
