#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace syncrelay {

// Follows what ZeroMQ says to one peer that it asks for a key (CURVE, RFC 26), and says what became
// of that: READY lets it in, ERROR refuses it. Nothing else tells by which connection a key came.
class CurveVerdict {
 public:
  enum class Verdict : std::uint8_t { none, let_in, refused };

  // Goes on with the bytes that were sent next, up to the verdict. It is there when the frame that
  // brings it was sent whole.
  Verdict add(std::string_view bytes);

 private:
  void take_byte(char byte);

  static constexpr std::size_t kGreeting = 64;

  std::size_t greeting_left_ = kGreeting;
  std::string frame_;  // so far; the relay's own, so it is small
  Verdict verdict_ = Verdict::none;
};

}  // namespace syncrelay
