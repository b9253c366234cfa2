#include "syncrelay/cli/json_printer.h"

#include <algorithm>
#include <cstdint>

#include "syncrelay/base/printable.h"
#include "syncrelay/cli/color.h"
#include "syncrelay/json/json_walk.h"

namespace syncrelay {
namespace {

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

std::string on_a_single_line(std::string_view json) {
  std::string line(json);
  // Line ends cannot stand within a string.
  std::replace_if(
      line.begin(), line.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  return line;
}

}  // namespace syncrelay
