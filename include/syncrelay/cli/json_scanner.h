#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace syncrelay {

struct JsonToken {
  enum class Kind : std::uint8_t { begin, end, colon, comma, string, number, word, none };

  Kind kind = Kind::none;  // none: the text is over
  std::string_view text;   // as it stands there; a string with its quotes
};

// Takes JSON text apart without changing a byte of it. Precondition: json_fault() finds none; on
// other text the tokens mean nothing, but they end.
class JsonScanner {
 public:
  explicit JsonScanner(std::string_view json) : rest_(json) {}

  JsonToken next();

 private:
  std::string_view rest_;
};

// What is wrong with a text that should be one JSON value.
struct JsonFault {
  std::size_t offset;
  std::string reason;
};
std::optional<JsonFault> json_fault(std::string_view text);

// A member of an object, or an element of an array, whose name is empty.
struct JsonPart {
  std::string_view name;  // without its quotes, escapes as they stand
  std::string_view value;
};

// The parts of an object or array, in order; none of any other value. They point into `json`.
// Precondition as for the scanner.
std::vector<JsonPart> json_parts(std::string_view json);

// The value of the first member of that name; empty when there is none.
std::string_view json_member(std::string_view json, std::string_view name);

// A string's content, escapes as they stand; any other value as it is.
std::string_view without_quotes(std::string_view value);

// A string's content with its escapes resolved; empty for any other value.
std::string decoded_json_string(std::string_view value);

}  // namespace syncrelay
