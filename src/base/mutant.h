// MUTANT(name): true only when a test leaves out one step of the protocol.
//
// Each fsync, record, order rule and content check of the protocol stands under
// such a condition, so that the suite can prove that it would notice the step's
// absence (tests/mutants). Test builds (STRAVINSKY_FAULT_POINTS) choose one by
// set_mutant or the environment; in every other build MUTANT is the constant
// false and the branch is compiled away.
//
//   if (!MUTANT(stage_without_sync)) RETURN_IF_ERROR(fs.sync(...));
#pragma once

#ifdef STRAVINSKY_FAULT_POINTS
#include <string_view>

namespace stravinsky {
bool is_mutant(std::string_view name);
// Empty: none. Not to be called while another thread works.
void set_mutant(std::string_view name);
}  // namespace stravinsky

#define MUTANT(name) (::stravinsky::is_mutant(#name))
#else
#define MUTANT(name) false
#endif
