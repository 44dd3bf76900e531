// Of very many like cases every kCaseStep-th is tried: each one, but where a sanitizer
// makes it slow. It looks for faults of memory, which a few of them show as well.
#pragma once

#include <cstddef>

namespace stravinsky::testing {

#ifndef __has_feature  // of clang alone
#define __has_feature(feature) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || \
    __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr size_t kCaseStep = 19;  // odd, so that it meets each bit of a byte
#else
inline constexpr size_t kCaseStep = 1;
#endif

}  // namespace stravinsky::testing
