#include "syncrelay/config/option_kinds.h"

#include <algorithm>
#include <array>

#include "syncrelay/config/address.h"
#include "syncrelay/config/quantity.h"
#include "syncrelay/config/text.h"

namespace syncrelay::config {
namespace {

using std::chrono::milliseconds;

// Sets the member from one value, or says why not.
using Setter = std::function<std::optional<std::string>(std::string_view, Config&)>;
using Printer = std::function<std::string(const Config&)>;

Option make_option(const OptionText& text, std::string range, Printer print) {
  Option option;
  option.name = text.name;
  option.group = text.group;
  option.placeholder = text.placeholder;
  option.help = text.help;
  option.range = std::move(range);
  option.default_text = print(Config{});
  option.print = std::move(print);
  return option;
}

Option single_option(const OptionText& text, std::string range, Printer print, Setter set) {
  Option option = make_option(text, std::move(range), std::move(print));
  option.assign = [set = std::move(set)](const Values& values,
                                         Config& config) -> std::optional<Refusal> {
    const auto reason = set(values.front(), config);
    if (!reason) return std::nullopt;
    return Refusal{values.front(), *reason};
  };
  return option;
}

using NumberParser = std::optional<std::uint64_t> (*)(std::string_view);
using NumberFormat = std::string (*)(std::uint64_t);

// `noun` completes "is not …".
Option ranged_option(const OptionText& text, const NumberMember& member, Range<std::uint64_t> range,
                     std::string_view noun, NumberParser parse, NumberFormat format) {
  const std::string words = format(range.low) + " to " + format(range.high);
  const std::string reason = "is not " + std::string(noun) + " from " + words;
  const auto set = [=](std::string_view value, Config& config) -> std::optional<std::string> {
    const auto number = parse(value);
    if (!number || *number < range.low || *number > range.high) return reason;
    member.set(config, *number);
    return std::nullopt;
  };
  return single_option(
      text, words, [=](const Config& config) { return format(member.get(config)); }, set);
}

// Puts what the option prints into quotes.
Option quoted(Option option) {
  option.print = [bare = std::move(option.print)](const Config& config) {
    return quote(bare(config));
  };
  return option;
}

std::uint64_t as_count(milliseconds duration) {
  return static_cast<std::uint64_t>(duration.count());
}

std::optional<std::uint64_t> parse_milliseconds(std::string_view text) {
  const auto duration = parse_duration(text);
  if (!duration) return std::nullopt;
  return as_count(*duration);
}

std::string format_milliseconds(std::uint64_t count) {
  return format_duration(milliseconds(static_cast<milliseconds::rep>(count)));
}

std::string format_number(std::uint64_t value) {
  return std::to_string(value);
}

std::string format_octal(std::uint64_t value) {
  std::string digits;
  for (; value > 0; value /= 8) digits.insert(digits.begin(), static_cast<char>('0' + value % 8));
  return std::string(digits.size() < 4 ? 4 - digits.size() : 0, '0') + digits;
}

std::optional<bool> parse_flag(std::string_view text) {
  constexpr std::array<std::string_view, 4> kTrue = {"true", "yes", "on", "1"};
  constexpr std::array<std::string_view, 4> kFalse = {"false", "no", "off", "0"};
  if (std::find(kTrue.begin(), kTrue.end(), text) != kTrue.end()) return true;
  if (std::find(kFalse.begin(), kFalse.end(), text) != kFalse.end()) return false;
  return std::nullopt;
}

std::string join(const Values& values) {
  std::string out;
  for (const std::string& value : values) out += (out.empty() ? "" : ", ") + value;
  return out;
}

std::string print_list(const Values& values) {
  std::string out = "[";
  for (const std::string& value : values) out += (out.size() > 1 ? ", " : "") + quote(value);
  return out + ']';
}

std::optional<Refusal> assign_list(const Values& values, const TextCheck& check, Values& member) {
  Values kept;
  for (const std::string& value : values) {
    if (const auto reason = check(value)) return Refusal{value, *reason};
    if (std::find(kept.begin(), kept.end(), value) == kept.end()) kept.push_back(value);
  }
  member = std::move(kept);
  return std::nullopt;
}

}  // namespace

Option number_option(const OptionText& text, const NumberMember& member,
                     Range<std::uint64_t> range) {
  return ranged_option(text, member, range, "a whole number", parse_number, format_number);
}

Option octal_option(const OptionText& text, const NumberMember& member,
                    Range<std::uint64_t> range) {
  // TOML takes no integer with a leading zero.
  return quoted(ranged_option(text, member, range, "an octal number", parse_octal, format_octal));
}

Option size_option(const OptionText& text, const NumberMember& member, Range<std::uint64_t> range) {
  constexpr std::string_view kNoun = "a size (bytes, or with KiB, MiB, GiB)";
  return quoted(ranged_option(text, member, range, kNoun, parse_size, format_size));
}

Option duration_option(const OptionText& text, const NumberMember& member,
                       Range<milliseconds> range) {
  constexpr std::string_view kNoun = "a duration (seconds, or with ms, s, m, h)";
  const Range<std::uint64_t> counts = {as_count(range.low), as_count(range.high)};
  return quoted(
      ranged_option(text, member, counts, kNoun, parse_milliseconds, format_milliseconds));
}

Option choice_option(const OptionText& text, const NumberMember& member, const Choices& choices) {
  std::string words;
  for (const auto& [word, value] : choices) words += (words.empty() ? "" : ", ") + word;
  const auto set = [=](std::string_view text_value, Config& config) -> std::optional<std::string> {
    for (const auto& [word, value] : choices) {
      if (word != text_value) continue;
      member.set(config, value);
      return std::nullopt;
    }
    return "is none of " + words;
  };
  const auto print = [=](const Config& config) {
    const std::uint64_t now = member.get(config);
    const auto is_now = [now](const auto& choice) { return choice.second == now; };
    return std::find_if(choices.begin(), choices.end(), is_now)->first;
  };
  Option option = quoted(single_option(text, words, print, set));
  option.is_text = true;
  return option;
}

Option flag_option(const OptionText& text, bool Config::*member) {
  const auto set = [member](std::string_view value, Config& config) -> std::optional<std::string> {
    const auto flag = parse_flag(value);
    if (!flag) return "is neither true nor false (nor yes, no, on, off, 1, 0)";
    config.*member = *flag;
    return std::nullopt;
  };
  const auto print = [member](const Config& config) { return config.*member ? "true" : "false"; };
  Option option = single_option(text, "", print, set);
  option.arity = Arity::flag;
  option.default_text.clear();  // that it is off goes without saying
  return option;
}

Option text_option(const OptionText& text, std::string Config::*member, const TextCheck& check) {
  const auto set = [=](std::string_view value, Config& config) {
    auto reason = check(value);
    if (!reason) config.*member = value;
    return reason;
  };
  Option option = quoted(single_option(
      text, "", [member](const Config& config) { return config.*member; }, set));
  option.is_text = true;
  return option;
}

Option address_option(const OptionText& text, std::optional<HostPort> Config::*member) {
  const auto set = [member](std::string_view value, Config& config) -> std::optional<std::string> {
    const auto address = parse_host_port(value);
    if (!address && !value.empty()) return "is not HOST:PORT (IPv6 in brackets), nor empty for off";
    config.*member = address;
    return std::nullopt;
  };
  const auto print = [member](const Config& config) {
    const auto& address = config.*member;
    return address ? format_host_port(*address) : std::string();
  };
  Option option = quoted(single_option(text, "", print, set));
  option.is_text = true;
  return option;
}

Option list_option(const OptionText& text, Values Config::*member, const TextCheck& check) {
  Option option =
      make_option(text, "", [member](const Config& config) { return print_list(config.*member); });
  option.default_text = join(Config{}.*member);
  option.arity = Arity::list;
  option.is_text = true;
  option.assign = [=](const Values& values, Config& config) {
    return assign_list(values, check, config.*member);
  };
  return option;
}

}  // namespace syncrelay::config
