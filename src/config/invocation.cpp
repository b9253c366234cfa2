#include "syncrelay/config/invocation.h"

#include <utility>

#include "syncrelay/config/command_line.h"
#include "syncrelay/config/configure.h"
#include "syncrelay/config/option.h"
#include "syncrelay/config/print_config.h"

namespace syncrelay {

Result<Invocation, UsageError> parse_invocation(const InvocationInput& input) {
  const std::vector<config::Option> table = config::make_option_table();
  auto line = config::parse_command_line(input.arguments, table);
  if (!line) return line.error();
  Invocation invocation;
  invocation.action = line.value().action;
  invocation.request = std::move(line.value().request);
  if (invocation.action == Action::help) {
    invocation.text = std::move(line.value().help);
    return invocation;
  }
  if (invocation.action == Action::version) {
    invocation.text = "syncrelay " + input.version + '\n';
    return invocation;
  }
  const auto done = config::configure(input, table, std::move(line.value().settings), invocation);
  if (!done) return done.error();
  if (invocation.action == Action::print_config) {
    invocation.text = config::print_config(invocation, table);
  }
  return invocation;
}

}  // namespace syncrelay
