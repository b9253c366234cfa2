#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace syncrelay {

enum class JsonKind : std::uint8_t { null, boolean, number, string, object, array };

// Where a member's name or a value without parts stands in the text; strings with their quotes.
struct JsonToken {
  std::size_t begin;
  std::size_t end;
  std::string_view content;  // of a string, escapes resolved; holds until the call is over
};

// Hears what a JsonWalk comes by, in the order of the text. Offsets are bytes from the text's
// begin. What is false, or Step::stop, ends the walk.
class JsonVisitor {
 public:
  enum class Step : std::uint8_t {
    into,  // tell of the parts, too
    over,  // tell of the end only
    stop
  };

  JsonVisitor() = default;
  virtual ~JsonVisitor() = default;
  JsonVisitor(const JsonVisitor&) = delete;
  JsonVisitor& operator=(const JsonVisitor&) = delete;

  // Before all else. A walk may begin anew: what was heard before that is void.
  virtual void begin() = 0;
  // Of a member; its value comes next.
  virtual bool name(const JsonToken& token) = 0;
  virtual bool scalar(JsonKind kind, const JsonToken& token) = 0;
  // An object or array begins, and is over: `end` is behind its bracket.
  virtual Step open(JsonKind kind, std::size_t begin) = 0;
  virtual bool close(std::size_t end) = 0;
};

}  // namespace syncrelay
