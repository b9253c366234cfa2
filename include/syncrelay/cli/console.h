#pragma once

#include <iosfwd>

namespace syncrelay {

// Where a command talks to its user.
struct Console {
  int in;  // a descriptor: a stream does not tell an error from the end
  std::ostream& out;
  std::ostream& err;
  bool pretty;  // for a person, on a terminal; else JSON for a program
  bool color;   // only when pretty
};

// The process' own streams. A terminal gets color unless NO_COLOR is set or TERM says that it has
// none; `json` asks for JSON on a terminal, too.
Console standard_console(bool json);

}  // namespace syncrelay
