// outcome: a Result in one readable word, for EXPECT_EQ.
#pragma once

#include <string_view>

#include "base/error.h"

namespace stravinsky::testing {

// "ok", or the stable name of the error's code.
template <typename T>
std::string_view outcome(const Result<T>& result) {
  return result ? "ok" : code_name(result.error().code);
}

}  // namespace stravinsky::testing
