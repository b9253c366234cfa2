#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace syncrelay {

// What was posted to /commands: one message for the relay, and what its answer has to say of lines.
// Several lines (NDJSON), each a JSON object, are one batch; what stands in one that is none is
// what the relay gets to see, so that it says what is wrong in the way in which it always does.
// Pure.
class Posted {
 public:
  // `as_lines`: the body is said to be NDJSON; it is also taken for that when its first line is a
  // JSON object and another line follows. `id`: what the URL says is the id of all this, a batch or
  // a single command; nullopt: it says none.
  static Posted read(std::string body, bool as_lines, std::optional<std::string_view> id);

  // What the relay is to decide.
  const std::string& text() const { return text_; }
  std::string take_text() { return std::move(text_); }

  // The relay's answer, its offset counted from the begin of the body, and with the line, from 1
  // on, that it is about, if it is about one.
  std::string told(std::string answer) const;

 private:
  struct Line {
    std::size_t number;  // in the body, from 1 on
    std::size_t begin;   // of it in the body,
    std::size_t at;      // and in the text
  };

  // What stands in the text and not in the body.
  struct Added {
    std::size_t at = 0;    // in the text
    std::size_t size = 0;  // bytes; 0: nothing
  };

  void take_single(std::string body, std::optional<std::string_view> id);

  std::string text_;
  Added added_;
  std::vector<Line> lines_;  // that the text is made of; none: it is the body as it came
};

}  // namespace syncrelay
