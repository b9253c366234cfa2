#include "syncrelay/cli/json_printer.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>

#include "syncrelay/cli/color.h"
#include "syncrelay/json/json_walk.h"

namespace syncrelay {
namespace {

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

std::string_view color_of(JsonKind kind) {
  switch (kind) {
    case JsonKind::string:
      return color::kGreen;
    case JsonKind::number:
      return color::kYellow;
    case JsonKind::null:
      return color::kDim;
    default:
      return color::kCyan;
  }
}

class Printer final : public JsonVisitor {
 public:
  Printer(std::string_view json, JsonStyle style) : json_(json), style_(style) {}

  const std::string& text() const { return out_; }

  void begin() override {
    out_.clear();
    depth_ = 0;
    place_ = Place::first;
  }
  bool name(const JsonToken& token) override {
    begin_part();
    print(token, color::kBlue);
    out_ += ": ";
    place_ = Place::after_name;
    return true;
  }
  bool scalar(JsonKind kind, const JsonToken& token) override {
    begin_part();
    print(token, color_of(kind));
    place_ = Place::after_part;
    return true;
  }
  Step open(JsonKind, std::size_t begin) override {
    begin_part();
    out_ += json_[begin];
    ++depth_;
    place_ = Place::first;
    return Step::into;
  }
  // Empty brackets stay together.
  bool close(std::size_t end) override {
    --depth_;
    if (place_ != Place::first) break_line();
    out_ += json_[end - 1];
    place_ = Place::after_part;
    return true;
  }

 private:
  enum class Place : std::uint8_t { first, after_name, after_part };

  void begin_part() {
    if (place_ == Place::after_name || (place_ == Place::first && depth_ == 0)) return;
    if (place_ == Place::after_part) out_ += ',';
    if (place_ == Place::after_part && !style_.indent) out_ += ' ';
    break_line();
  }

  void print(const JsonToken& token, std::string_view paint) {
    out_ += color::paint(printable(json_.substr(token.begin, token.end - token.begin)), paint,
                         style_.color);
  }

  void break_line() {
    if (style_.indent) out_.append("\n").append(2 * depth_, ' ');
  }

  const std::string_view json_;
  const JsonStyle style_;
  std::string out_;
  std::size_t depth_ = 0;
  Place place_ = Place::first;
};

}  // namespace

std::string print_json(std::string_view json, JsonStyle style) {
  Printer printer(json, style);
  JsonWalk().visit(json, printer);
  return printer.text();
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
