// FUZZ_TARGET: an entry point for hostile input.
//
// Under libFuzzer (preset fuzz, scripts/fuzz) each file of this folder is a program of
// its own. In every other build they are all one test that feeds each target its seeds
// and whatever once broke it (corpus/NAME/): fuzz_seeds.
//
// A target states what must hold with CHECK; a broken one stops the program, and so
// does every finding of a sanitizer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace stravinsky::fuzz {

using Target = void (*)(std::string_view input);

struct NamedTarget {
  std::string_view name;
  Target run = nullptr;
};
// Those of this program.
std::vector<NamedTarget>& targets();
bool add_target(std::string_view name, Target run);

// Input of several texts: those between lines of "%%". Always as many as wanted, the
// last one with all that is left; missing ones are empty.
std::vector<std::string_view> parts(std::string_view input, size_t wanted);
std::vector<std::string_view> parts(std::string_view input);

}  // namespace stravinsky::fuzz

#ifdef STRAVINSKY_LIBFUZZER
#define FUZZ_TARGET(name)                                                   \
  static void fuzz_##name(std::string_view input);                          \
  extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) { \
    fuzz_##name({reinterpret_cast<const char*>(data), size});               \
    return 0;                                                               \
  }                                                                         \
  static void fuzz_##name(std::string_view input)
#else
#define FUZZ_TARGET(name)                                 \
  static void fuzz_##name(std::string_view input);        \
  [[maybe_unused]] static const bool is_##name##_added =  \
      ::stravinsky::fuzz::add_target(#name, fuzz_##name); \
  static void fuzz_##name(std::string_view input)
#endif
