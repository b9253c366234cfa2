#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "syncrelay/config/option.h"

namespace syncrelay::config {

// Inclusive.
template <typename T>
struct Range {
  T low;
  T high;
};

// What --help says about an option, whatever its kind.
struct OptionText {
  std::string_view name;
  std::string_view group;
  std::string_view placeholder;
  std::string_view help;
};

// Why a value is refused, nothing when it is not.
using TextCheck = std::function<std::optional<std::string>(std::string_view)>;

// A member of the Config as the number that it is written as; narrower members are cast after the
// range check.
struct NumberMember {
  std::function<std::uint64_t(const Config&)> get;
  std::function<void(Config&, std::uint64_t)> set;

  template <typename T>
  NumberMember(T Config::*member)
      : get([member](const Config& config) { return static_cast<std::uint64_t>(config.*member); }),
        set([member](Config& config, std::uint64_t value) {
          config.*member = static_cast<T>(value);
        }) {}

  NumberMember(std::chrono::milliseconds Config::*member)
      : get([member](const Config& config) {
          return static_cast<std::uint64_t>((config.*member).count());
        }),
        set([member](Config& config, std::uint64_t count) {
          using std::chrono::milliseconds;
          config.*member = milliseconds(static_cast<milliseconds::rep>(count));
        }) {}
};

// The words that an option takes; the number is the enum's value.
using Choices = std::vector<std::pair<std::string, std::uint64_t>>;

// One maker per kind of value.
Option number_option(const OptionText& text, const NumberMember& member,
                     Range<std::uint64_t> range);
Option octal_option(const OptionText& text, const NumberMember& member, Range<std::uint64_t> range);
Option size_option(const OptionText& text, const NumberMember& member, Range<std::uint64_t> range);
Option duration_option(const OptionText& text, const NumberMember& member,
                       Range<std::chrono::milliseconds> range);
Option choice_option(const OptionText& text, const NumberMember& member, const Choices& choices);
Option flag_option(const OptionText& text, bool Config::*member);
Option text_option(const OptionText& text, std::string Config::*member, const TextCheck& check);
Option address_option(const OptionText& text, std::optional<HostPort> Config::*member);
// Keeps the first of equal values.
Option list_option(const OptionText& text, std::vector<std::string> Config::*member,
                   const TextCheck& check);

}  // namespace syncrelay::config
