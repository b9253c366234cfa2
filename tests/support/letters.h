#pragma once

#include <array>
#include <memory>
#include <string>
#include <variant>

#include "support/choices.h"
#include "syncrelay/relay/order.h"

namespace syncrelay::testing {

// All that a letter says that others are told of, as text.
inline std::string letter_text(const Order::Letter& letter) {
  const auto number = [](std::uint64_t value) { return ' ' + std::to_string(value); };
  if (const auto* commanded = std::get_if<Order::Commanded>(&letter))
    return "command " + std::string(commanded->message);
  if (const auto* expire = std::get_if<Expire>(&letter))
    return "expire " + expire->channel + '|' + expire->key + number(expire->version) +
           number(expire->told);
  if (const auto* forget = std::get_if<Forget>(&letter))
    return "forget " + forget->channel + number(forget->last.value) + number(forget->drop);
  if (const auto* arrive = std::get_if<Arrive>(&letter))
    return "arrive " + arrive->channel + '|' + arrive->id + '|' + *arrive->info +
           number(arrive->word.number) + number(arrive->word.by) + number(arrive->home);
  if (const auto* depart = std::get_if<Depart>(&letter))
    return "depart " + depart->channel + '|' + depart->id + '|' + depart->since +
           number(depart->home);
  return "gone" + number(std::get<Gone>(letter).relay);
}

// Any bytes, mostly few.
inline std::string random_text(Choices& choices) {
  std::string text(choices.one_in(20) ? choices.below(2000) : choices.below(20), '\0');
  for (char& byte : text) byte = static_cast<char>(choices.below(256));
  return text;
}

// `message` is what a command points to.
inline Order::Letter random_letter(Choices& choices, std::string& message) {
  const auto number = [&] { return std::uint64_t{choices.below(1U << 31)} << choices.below(33); };
  const auto text = [&] { return random_text(choices); };
  switch (choices.below(6)) {
    case 0:
      message = text();
      return Order::Commanded{message, nullptr, kNobody};
    case 1:
      return Expire{text(), text(), number(), choices.one_in(2)};
    case 2:
      return Forget{text(), Seq{number()}, choices.one_in(2)};
    case 3:
      return Arrive{text(),
                    text(),
                    std::make_shared<const std::string>(text()),
                    {number(), number()},
                    number()};
    case 4:
      return Depart{text(), text(), text(), number()};
    default:
      return Gone{number()};
  }
}

}  // namespace syncrelay::testing
