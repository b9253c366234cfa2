#include "config/help_text.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "syncrelay/config/invocation.h"

namespace syncrelay::config {
namespace {

constexpr std::size_t kColumn = 30;  // where the text of an option begins, as in the whole help

constexpr std::array<std::string_view, 4> kControl = {"runtime-dir", "control", "curve-key",
                                                      "curve-server-key"};
constexpr std::array<std::string_view, 2> kClient = {"host", "port"};

// The options that say where the relay is, of which only some of the verbs need each.
std::vector<std::string_view> place_options(Action action) {
  std::vector<std::string_view> names;
  const bool dials = action == Action::watch || action == Action::bench;
  if (dials || action == Action::healthcheck)
    names.insert(names.end(), kClient.begin(), kClient.end());
  if (is_request(action) && action != Action::watch)
    names.insert(names.end(), kControl.begin(), kControl.end());
  return names;
}

std::string option_line(std::string_view name, std::string_view placeholder,
                        std::string_view help) {
  std::string text = "  --" + std::string(name);
  if (!placeholder.empty()) text += ' ' + std::string(placeholder);
  if (text.size() < kColumn) {
    text.resize(kColumn, ' ');
  } else {
    text += '\n' + std::string(kColumn, ' ');
  }
  return text + std::string(help) + '\n';
}

bool is_known_to(const RequestOption& option, Action action) {
  const auto& only = option.only;
  return only.empty() || std::find(only.begin(), only.end(), action) != only.end();
}

}  // namespace

std::string describe(const Option& option) {
  std::string hints = option.range;
  if (!option.default_text.empty()) {
    hints += (hints.empty() ? "default " : "; default ") + option.default_text;
  }
  if (option.arity == Arity::list) hints += hints.empty() ? "repeatable" : "; repeatable";
  return hints.empty() ? option.help : option.help + " (" + hints + ')';
}

std::string verb_help(const Verb& verb, std::span<const Option> table) {
  std::string text = std::string(verb.help) + "\nUsage: syncrelay " + std::string(verb.name);
  if (!verb.words.empty()) text += ' ' + std::string(verb.words);
  text += " [OPTIONS]\n\nOptions:\n";
  if (is_request(verb.action)) {
    for (const RequestOption& option : request_options()) {
      if (is_known_to(option, verb.action))
        text += option_line(option.name, option.placeholder, option.help);
    }
  }
  text += option_line("help", "", "Print this help");
  const std::vector<std::string_view> names = place_options(verb.action);
  if (!names.empty()) {
    text += "\nWhich relay is meant, as the relay itself is told it:\n";
    text += option_line("config", "FILE", "TOML file with any of these");
    for (const std::string_view name : names) {
      const Option& option = *find_option(table, name);
      text += option_line(name, option.placeholder, describe(option));
    }
    text += "\nThese are also read from the environment: " + environment_name(names.front()) +
            " for --" + std::string(names.front()) + ", and so on.\n";
  } else {
    text += '\n';
  }
  return text + "All commands and options: syncrelay --help\n";
}

}  // namespace syncrelay::config
