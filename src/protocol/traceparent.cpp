#include "syncrelay/protocol/traceparent.h"

#include <array>
#include <cstddef>

namespace syncrelay {
namespace {

constexpr std::array<std::size_t, 4> kDigits = {2, 32, 16, 2};
constexpr std::string_view kSpace = " \t\r\n";

bool is_hexadecimal(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// Of the member whose value begins at `value` and ends before `end`, with the comma that it has
// before it or, where it is the first one, behind it. In its name there is no quote.
void blank_member(std::string& message, std::size_t value, std::size_t end) {
  const std::size_t colon = message.rfind(':', value);
  const std::size_t name_end = message.rfind('"', colon);
  std::size_t begin = message.rfind('"', name_end - 1);
  const std::size_t before = message.find_last_not_of(kSpace, begin - 1);
  if (message[before] == ',') {
    begin = before;
  } else if (const std::size_t behind = message.find_first_not_of(kSpace, end);
             message[behind] == ',') {
    end = behind + 1;
  }
  message.replace(begin, end - begin, end - begin, ' ');
}

}  // namespace

bool is_traceparent(std::string_view text) {
  std::size_t at = 0;
  for (std::size_t index = 0; index < kDigits.size(); ++index) {
    if (index > 0 && (at >= text.size() || text[at++] != '-')) return false;
    if (text.size() < at + kDigits[index] || !is_hexadecimal(text.substr(at, kDigits[index])))
      return false;
    const bool is_id = index == 1 || index == 2;
    const std::string_view part = text.substr(at, kDigits[index]);
    if (is_id && part.find_first_not_of('0') == std::string_view::npos) return false;
    at += kDigits[index];
  }
  return at == text.size() && text.starts_with("00");
}

bool takes_traceparent(Op op) {
  return op <= Op::broadcast || op == Op::batch;
}

bool is_traced(const Command& command) {
  if (!command.trace.empty()) return true;
  for (const Command& part : command.commands) {
    if (!part.trace.empty()) return true;
  }
  return false;
}

std::string without_traceparents(std::string_view message, const Command& command) {
  std::string text(message);
  const auto blank = [&](std::string_view value) {
    const auto begin = static_cast<std::size_t>(value.data() - message.data());
    blank_member(text, begin, begin + value.size());
  };
  for (const Command& part : command.commands) {
    // That of the batch counts for those that have none.
    if (!part.trace.empty() && part.trace.data() != command.trace.data()) blank(part.trace);
  }
  if (!command.trace.empty()) blank(command.trace);
  return text;
}

std::string with_traceparent(std::string_view message, std::string_view traceparent) {
  std::string text(message.substr(0, message.rfind('}')));
  text.append(R"(,"traceparent":")").append(traceparent);
  return text += "\"}";
}

}  // namespace syncrelay
