#include "syncrelay/config/config_file.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "syncrelay/config/nearest.h"
#include "syncrelay/config/text.h"
#include "syncrelay/config/toml.h"

namespace syncrelay::config {
namespace {

std::string place(std::string_view path, std::size_t line) {
  return on_one_line(path) + ':' + std::to_string(line);
}

UsageError unknown_key(const std::string& where, const std::string& key,
                       std::span<const Option> table) {
  std::vector<std::string_view> names;
  for (const Option& option : table) names.push_back(option.name);
  return {where + ": unknown key " + quote_for_message(key) + "; the nearest known is " +
          std::string(nearest(key, names))};
}

// Why the entry's form does not suit the option; empty when it does.
std::string form_problem(const TomlEntry& entry, const Option& option) {
  if (entry.is_array && option.arity != Arity::list) return "takes one value, not a list";
  const auto is_string = [](const TomlScalar& value) { return value.type == TomlType::string; };
  const bool all_strings = std::all_of(entry.values.begin(), entry.values.end(), is_string);
  if (option.is_text && !all_strings) return "takes text, which needs quotes";
  return {};
}

}  // namespace

Result<Settings, UsageError> parse_config_file(std::string_view text, std::string_view path,
                                               std::span<const Option> table) {
  auto entries = parse_toml(text);
  if (!entries)
    return UsageError{place(path, entries.error().line) + ": " + entries.error().reason};
  Settings settings;
  for (TomlEntry& entry : entries.value()) {
    std::string where = place(path, entry.line);
    const Option* option = find_option(table, entry.key);
    if (option == nullptr) return unknown_key(where, entry.key, table);
    const std::string problem = form_problem(entry, *option);
    if (!problem.empty()) return UsageError{where + ": " + option->name + ' ' + problem};
    Setting setting{{}, std::move(where)};
    for (TomlScalar& value : entry.values) setting.values.push_back(std::move(value.text));
    settings.emplace(option->name, std::move(setting));
  }
  return settings;
}

}  // namespace syncrelay::config
