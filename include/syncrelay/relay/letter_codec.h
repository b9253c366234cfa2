#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "syncrelay/base/result.h"
#include "syncrelay/relay/order.h"

namespace syncrelay {

// Letters of an order as bytes, for who keeps or shares them. The form is the same on every
// machine; relays with another one do not understand each other, and say so: a version, then of
// each letter its kind, the length of what follows (4 bytes), and that. Numbers lie with the lowest
// byte first; a text has its length (2 bytes) before it, but for a command's message, which is all
// of its letter.
inline constexpr std::uint8_t kLettersVersion = 1;

// Puts letters one behind the other. One thread at a time.
class LetterWriter {
 public:
  LetterWriter() { clear(); }

  // Of a command its message, not its ticket. Precondition: every text but a command's message is
  // under 64 KiB, and that under 4 GiB, which the bounds on commands see to.
  void add(const Order::Letter& letter);

  bool empty() const { return bytes_.size() == 1; }
  // What is there so far, with which a reader can do; 1 of no letters.
  const std::string& bytes() const { return bytes_; }
  void clear() { bytes_.assign(1, static_cast<char>(kLettersVersion)); }

 private:
  std::string bytes_;
};

// Why bytes are no letters.
struct LetterFault {
  std::size_t offset = 0;  // of the letter, or of the byte in it, that cannot be read
  std::string what;        // for a person
};

// Takes letters from bytes, which must outlive what it returns. Costs no more memory than they do,
// whatever they are. One thread at a time.
class LetterReader {
 public:
  explicit LetterReader(std::string_view bytes) : bytes_(bytes) {}

  // nullopt: there are no more. A command points into the bytes, is not decoded (null), and has the
  // ticket kNobody. After a fault there is no other letter.
  Result<std::optional<Order::Letter>, LetterFault> next();

 private:
  const std::string_view bytes_;
  std::size_t at_ = 0;
};

}  // namespace syncrelay
