#include "syncrelay/config/environment.h"

#include <string_view>

#include "syncrelay/config/command_line.h"
#include "syncrelay/config/nearest.h"
#include "syncrelay/config/text.h"

namespace syncrelay::config {
namespace {

constexpr std::string_view kPrefix = "SYNCRELAY_";
constexpr std::string_view kTokenVariable = "SYNCRELAY_TOKEN";

struct Variable {
  std::string name;
  std::string option;
  bool is_list = false;
};

std::vector<Variable> known_variables(std::span<const Option> table) {
  std::vector<Variable> variables;
  variables.push_back({environment_name(kConfigOption), kConfigOption});
  for (const Option& option : table) {
    variables.push_back({environment_name(option.name), option.name, option.arity == Arity::list});
  }
  return variables;
}

std::string_view trim(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

Values split_list(std::string_view text) {
  Values values;
  for (;;) {
    const std::size_t comma = text.find(',');
    values.emplace_back(trim(text.substr(0, comma)));
    if (comma == std::string_view::npos) return values;
    text.remove_prefix(comma + 1);
  }
}

const Variable* find_variable(const std::vector<Variable>& variables, std::string_view name) {
  for (const Variable& variable : variables) {
    if (variable.name == name) return &variable;
  }
  return nullptr;
}

std::string unknown_variable(const std::vector<Variable>& variables, std::string_view name) {
  std::vector<std::string_view> names;
  for (const Variable& variable : variables) names.push_back(variable.name);
  names.push_back(kTokenVariable);
  return "unknown environment variable " + on_one_line(name) +
         " is ignored; the nearest known is " + std::string(nearest(name, names));
}

}  // namespace

EnvironmentReading read_environment(const std::vector<std::string>& environment,
                                    std::span<const Option> table) {
  const std::vector<Variable> variables = known_variables(table);
  EnvironmentReading reading;
  for (const std::string_view entry : environment) {
    const std::size_t equals = entry.find('=');
    if (!entry.starts_with(kPrefix) || equals == std::string_view::npos) continue;
    const std::string_view name = entry.substr(0, equals);
    const std::string_view value = entry.substr(equals + 1);
    const Variable* variable = find_variable(variables, name);
    if (name == kTokenVariable) {
      reading.token = value;
    } else if (variable == nullptr) {
      reading.warnings.push_back(unknown_variable(variables, name));
    } else if (!value.empty()) {
      Values values = variable->is_list ? split_list(value) : Values{std::string(value)};
      reading.settings.emplace(variable->option, Setting{std::move(values), variable->name});
    }
  }
  return reading;
}

}  // namespace syncrelay::config
