#include "syncrelay/cli/console.h"

#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <string_view>

namespace syncrelay {
namespace {

std::string_view variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view() : value;
}

bool has_color() {
  const std::string_view term = variable("TERM");
  return variable("NO_COLOR").empty() && !term.empty() && term != "dumb";
}

}  // namespace

Console standard_console(bool json) {
  const bool pretty = !json && isatty(STDOUT_FILENO) == 1;
  return {STDIN_FILENO, std::cout, std::cerr, pretty, pretty && has_color()};
}

}  // namespace syncrelay
