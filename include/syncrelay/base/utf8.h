#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace syncrelay {

// Checks text that arrives in pieces for being UTF-8 (RFC 3629: no surrogates, nothing overlong,
// nothing above U+10FFFF). One byte of state, because every connection keeps one.
class Utf8Check {
 public:
  // False as soon as the text cannot be UTF-8 any more, whatever follows. Precondition: it was true
  // so far.
  bool add(std::string_view piece);

  // Whether the text may end here.
  bool complete() const { return due_ == Due::first; }

 private:
  // What the next byte has to be: the first of a character, or one that continues it.
  enum class Due : std::uint8_t {
    first,
    last,            // 80 to bf, and the character is complete
    last_two,        // 80 to bf, then `last`
    last_three,      // 80 to bf, then `last_two`
    two_after_e0,    // a0 to bf, then `last`: less would be overlong
    two_after_ed,    // 80 to 9f, then `last`: more would be a surrogate
    three_after_f0,  // 90 to bf, then `last_two`: less would be overlong
    three_after_f4,  // 80 to 8f, then `last_two`: more would be above U+10FFFF
    nothing,         // no text goes on like this
  };

  static Due after_first(std::uint8_t byte);
  static Due after(Due due, std::uint8_t byte);

  Due due_ = Due::first;
};

inline bool is_valid_utf8(std::string_view text) {
  Utf8Check check;
  return check.add(text) && check.complete();
}

// The longest beginning of at most `size` bytes that does not end inside a character. What is not
// UTF-8 is cut somewhere near.
std::string_view cut_at_character(std::string_view text, std::size_t size);

// The same for a person: what is left out is told by "..." behind it.
std::string shortened(std::string_view text, std::size_t size);

// The text with U+FFFD in place of every byte that cannot belong to a character.
std::string as_utf8(std::string_view text);

}  // namespace syncrelay
