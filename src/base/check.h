// CHECK: a broken invariant stops the program, in release builds too.
//
// Going on with a broken invariant could damage the user's files; a crash at
// any instant is a case that recovery handles.
#pragma once

namespace stravinsky {
[[noreturn]] void check_failed(const char* condition, const char* file, int line);
}

#define CHECK(condition)                                               \
  do {                                                                 \
    if (!(condition)) [[unlikely]]                                     \
      ::stravinsky::check_failed(#condition, __FILE_NAME__, __LINE__); \
  } while (false)
