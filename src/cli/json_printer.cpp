#include "syncrelay/cli/json_printer.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>

#include "syncrelay/cli/color.h"
#include "syncrelay/cli/json_scanner.h"

namespace syncrelay {
namespace {

using Kind = JsonToken::Kind;

struct Character {
  std::uint32_t code;
  std::size_t bytes;
};

// With the code of characters of up to three bytes; of longer ones, and of bytes that are no
// character, only their number counts.
Character character_at(std::string_view text, std::size_t at) {
  constexpr std::uint32_t kOther = 0xfffd;
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]) & 0xffU; };
  const std::size_t left = text.size() - at;
  const std::uint32_t lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  if (lead >= 0xc2 && lead < 0xe0 && left >= 2) {
    return {(lead & 0x1fU) << 6U | (byte(1) & 0x3fU), 2};
  }
  if (lead >= 0xe0 && lead < 0xf0 && left >= 3) {
    return {(lead & 0x0fU) << 12U | (byte(1) & 0x3fU) << 6U | (byte(2) & 0x3fU), 3};
  }
  return {kOther, lead >= 0xf0 && left >= 4 ? 4U : 1U};
}

// Control characters, and those that reorder text that is written from right to left.
bool is_command(std::uint32_t code) {
  const bool control = code < 0x20 || (code >= 0x7f && code < 0xa0);
  const bool reorders = (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
  return control || reorders;
}

std::string_view color_of(const JsonToken& token, bool is_name) {
  switch (token.kind) {
    case Kind::string:
      return is_name ? color::kBlue : color::kGreen;
    case Kind::number:
      return color::kYellow;
    case Kind::word:
      return token.text == "null" ? color::kDim : color::kCyan;
    default:
      return {};
  }
}

class Printer {
 public:
  explicit Printer(JsonStyle style) : style_(style) {}

  // `next` is the token after it: empty brackets stay together, and names are strings before a
  // colon.
  void print(const JsonToken& token, const JsonToken& next) {
    if (token.kind == Kind::end) {
      --depth_;
      if (before_ != Kind::begin) break_line();
    } else if (before_ == Kind::begin) {
      break_line();
    }
    const std::string_view paint = color_of(token, next.kind == Kind::colon);
    out_ += color::paint(printable(token.text), paint, style_.color && !paint.empty());
    if (token.kind == Kind::begin) ++depth_;
    if (token.kind == Kind::colon) out_ += ' ';
    if (token.kind == Kind::comma) style_.indent ? break_line() : out_.push_back(' ');
    before_ = token.kind;
  }

  std::string take() { return std::move(out_); }

 private:
  void break_line() {
    if (style_.indent) out_.append("\n").append(2 * depth_, ' ');
  }

  const JsonStyle style_;
  std::string out_;
  std::size_t depth_ = 0;
  Kind before_ = Kind::none;
};

}  // namespace

std::string print_json(std::string_view json, JsonStyle style) {
  Printer printer(style);
  JsonScanner scanner(json);
  for (JsonToken token = scanner.next(); token.kind != Kind::none;) {
    const JsonToken next = scanner.next();
    printer.print(token, next);
    token = next;
  }
  return printer.take();
}

std::string printable(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const Character character = character_at(text, at);
    if (is_command(character.code)) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(character.code));
      out += escape;
    } else {
      out += text.substr(at, character.bytes);
    }
    at += character.bytes;
  }
  return out;
}

std::string on_a_single_line(std::string_view json) {
  std::string line(json);
  // Line ends cannot stand within a string.
  std::replace_if(
      line.begin(), line.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  return line;
}

}  // namespace syncrelay
