// libFuzzer target: lines up to the first zero byte are the environment, the rest is the file. A
// line's first byte picks the option, what follows is its value: unknown variables are left to the
// unit tests. Whatever they hold, there is one printable error or a configuration that
// --print-config carries over unchanged. The same bytes are taken as a list of public keys, too:
// each that is found is one, or there is one printable error.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "syncrelay/config/command_line.h"
#include "syncrelay/config/configure.h"
#include "syncrelay/config/curve_keys.h"
#include "syncrelay/config/print_config.h"
#include "syncrelay/config/text.h"

namespace {

using namespace syncrelay;

void require(bool holds) {
  if (!holds) std::abort();
}

const std::vector<config::Option>& options() {
  static const std::vector<config::Option> kTable = config::make_option_table();
  return kTable;
}

// Without the command line, whose reading is CLI11's and slow.
Result<Invocation, UsageError> configure(std::string file, std::vector<std::string> environment) {
  InvocationInput input;
  input.environment = std::move(environment);
  input.read_file = [file = std::move(file)](const std::string&) -> Result<std::string, FileError> {
    return file;
  };
  config::Settings settings;
  settings.emplace(config::kConfigOption, config::Setting{{"f"}, "--config"});
  Invocation invocation;
  const auto done = config::configure(input, options(), std::move(settings), invocation);
  if (!done) return done.error();
  invocation.text = config::print_config(invocation, options());
  return invocation;
}

std::vector<std::string> read_environment(std::string_view text) {
  std::vector<std::string> variables;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.empty()) continue;
    const std::size_t choice = static_cast<unsigned char>(line.front()) % options().size();
    std::string variable = config::environment_name(options()[choice].name);
    variables.push_back(variable.append("=").append(line.substr(1)));
  }
  return variables;
}

void require_printable(std::string_view message) {
  require(!message.empty() && config::is_utf8(message) && config::is_printable(message));
}

void check_keys(std::string_view text) {
  const auto keys = config::curve_keys_in(text);
  if (!keys) return require_printable(keys.error().reason);
  for (const std::string& key : keys.value())
    require(config::curve_key_in(key, config::CurveKind::public_key).value() == key);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  check_keys(bytes);
  const std::size_t zero = bytes.find('\0');
  const bool has_environment = zero != std::string_view::npos;
  std::vector<std::string> environment;
  if (has_environment) environment = read_environment(bytes.substr(0, zero));

  const std::string_view file = has_environment ? bytes.substr(zero + 1) : bytes;
  const auto first = configure(std::string(file), std::move(environment));
  if (!first) {
    require_printable(first.error().message);
    return 0;
  }
  for (const std::string& warning : first.value().warnings) require_printable(warning);
  const auto second = configure(first.value().text, {});
  require(second.ok() && second.value().config == first.value().config);
  return 0;
}
