#include "base/mutant.h"

#ifdef STRAVINSKY_FAULT_POINTS
#include <cstdlib>
#include <string>

namespace stravinsky {
namespace {

std::string& chosen() {
  static std::string name = [] {
    const char* from_environment = std::getenv("STRAVINSKY_MUTANT");
    return std::string(from_environment == nullptr ? "" : from_environment);
  }();
  return name;
}

}  // namespace

bool is_mutant(std::string_view name) {
  return chosen() == name;
}
void set_mutant(std::string_view name) {
  chosen() = name;
}

}  // namespace stravinsky
#endif
