// check_zip_names: what libarchive does not tell of a .zip.
//
// A zip names each member twice, in the directory at its end and in front of the
// content, and tools differ in which they believe; libarchive cuts both at a NUL
// byte. Each pair of names must be equal and free of NUL, and the members lie one
// behind the other, which also rules out the bombs whose members share content.
// Refused as well: an archive behind other bytes, in several parts, or of the 64-bit
// form, which no bundle needs.
#pragma once

#include <string_view>

#include "base/error.h"

namespace stravinsky::store {

// kUsage, naming the member.
Status check_zip_names(std::string_view zip);

}  // namespace stravinsky::store
