#include "base/random.h"

#include <sys/random.h>

#include <vector>

#include "base/check.h"
#include "base/strings.h"

namespace stravinsky {
namespace {

class SystemRandom final : public Random {
 public:
  void fill(std::span<std::byte> out) override {
    while (!out.empty()) {
      const ssize_t got = getrandom(out.data(), out.size(), 0);
      if (got < 0) continue;  // EINTR
      CHECK(got > 0);
      out = out.subspan(static_cast<size_t>(got));
    }
  }
};

}  // namespace

std::string Random::hex(size_t count) {
  std::vector<std::byte> bytes(count);
  fill(bytes);
  return to_hex(bytes);
}

Random& system_random() {
  static SystemRandom random;
  return random;
}

}  // namespace stravinsky
