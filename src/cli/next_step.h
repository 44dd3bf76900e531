// next_step: no error leaves a person without a way on.
//
// Whoever makes an error knows best what to do about it and says so. What comes up
// from the file system as it is has only a cause: here it gets what was left untouched
// and a next step, by its code.
#pragma once

#include "base/error.h"

namespace stravinsky::cli {

// The error with what it lacks of the two. An error that needs a recovery says itself
// what state things are in.
Error with_next_step(Error error);

}  // namespace stravinsky::cli
