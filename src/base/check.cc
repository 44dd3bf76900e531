#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace stravinsky {

void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr,
               "stravinsky: internal error at %s:%d: %s\n"
               "The configuration is safe: run any stravinsky command and it recovers first.\n",
               file, line, condition);
  std::abort();
}

}  // namespace stravinsky
