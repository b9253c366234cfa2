#include "syncrelay/config/print_config.h"

namespace syncrelay::config {

std::string print_config(const Invocation& invocation, std::span<const Option> table) {
  std::string out;
  std::string_view group;
  for (const Option& option : table) {
    if (option.group != group) {
      out += (out.empty() ? "# " : "\n# ") + option.group + '\n';
      group = option.group;
    }
    out += option.name + " = " + option.print(invocation.config);
    out += "  # " + invocation.origins.at(option.name) + '\n';
  }
  return out;
}

}  // namespace syncrelay::config
