// Whether a command or a script changes the tree by this program, which a hook of
// such changes would be called for again.
#pragma once

#include <string_view>

namespace stravinsky::checks {

// "stravinsky update ...", "sudo /usr/bin/stravinsky --yes rollback undo"; not
// "stravinsky status".
bool runs_ourselves(std::string_view command);
// The first line of a script that does so as its first word, and not in a comment or
// in a text that is printed; 0 when there is none.
int own_call_line(std::string_view script);

}  // namespace stravinsky::checks
