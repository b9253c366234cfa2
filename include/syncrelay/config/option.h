#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "syncrelay/config/config.h"

namespace syncrelay::config {

enum class Arity : std::uint8_t {
  flag,    // --name, or --name=false
  single,  // given several times in one place, the last counts
  list,    // repeatable; in the environment separated by commas
};

using Values = std::vector<std::string>;

// Which value was refused, and why: `"x" <reason>` reads as a sentence.
struct Refusal {
  std::string value;
  std::string reason;
};

// One setting. Its flag, its environment variable, its key in the file, its lines in --help and in
// --print-config all derive from this. Immutable once in the table.
struct Option {
  std::string name;   // "log-bytes"
  std::string group;  // the heading in --help
  std::string placeholder;
  std::string help;
  std::string range;         // for --help: "64KiB to 1TiB"; empty when there is nothing to say
  std::string default_text;  // for --help
  Arity arity = Arity::single;
  bool is_text = false;  // needs quotes in the file

  // Takes one value, or any number for a list; sets the option's member of the Config, or says why
  // not.
  std::function<std::optional<Refusal>(const Values&, Config&)> assign;
  // The member as a TOML value, which assign() takes back.
  std::function<std::string(const Config&)> print;
};

// Every option, in the order of --help and --print-config.
std::vector<Option> make_option_table();

// "log-bytes" -> "SYNCRELAY_LOG_BYTES".
std::string environment_name(std::string_view option_name);

// nullptr when there is none of that name.
const Option* find_option(std::span<const Option> table, std::string_view name);

}  // namespace syncrelay::config
