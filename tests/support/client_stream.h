#pragma once

#include <cstddef>
#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "support/choices.h"
#include "syncrelay/protocol/frame_reader.h"
#include "syncrelay/protocol/inflater.h"

namespace syncrelay::testing {

// How the length of a frame is written.
enum class LengthForm : std::uint8_t { shortest, in_16_bits, in_64_bits };

// A client's frame as it should not always be.
struct FrameForm {
  bool fin = true;
  std::uint8_t reserved = 0;  // RSV1 to RSV3 as a number
  bool masked = true;
  LengthForm length = LengthForm::shortest;
};

std::string client_frame(std::uint8_t opcode, std::string_view payload, FrameForm form = {});

// Its header alone, which announces `size` bytes.
std::string client_frame_header(std::uint8_t opcode, std::uint64_t size, FrameForm form = {});

// What came of a client's bytes: a whole message, a control frame, or the fault.
struct Outcome {
  enum class Kind : std::uint8_t { text, binary, ping, pong, close, fault };
  Kind kind;
  std::string payload;     // a close frame's reason, a fault's cause
  std::uint16_t code = 0;  // of a close frame that has one

  bool operator==(const Outcome&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Outcome& outcome);

// Feeds a FrameReader and puts its pieces together. Each read is a block of memory of its own, so
// that a sanitizer sees a view that points elsewhere. Ends the process when pieces do not fit
// together or something follows the end. With `inflates` deflated messages are inflated.
class ClientStream {
 public:
  explicit ClientStream(std::uint64_t max_message_bytes, bool inflates = false)
      : max_message_bytes_(max_message_bytes), reader_(max_message_bytes, inflates) {}

  void read(std::string_view bytes);

  const std::vector<Outcome>& outcomes() const { return outcomes_; }
  const FrameReader& reader() const { return reader_; }

 private:
  void take(const Incoming& incoming);
  void end_message(Coding coding);

  const std::uint64_t max_message_bytes_;
  FrameReader reader_;
  std::vector<Outcome> outcomes_;
  Outcome message_{};  // that has begun
  bool in_message_ = false;
  Inflater inflater_;
  bool unreadable_ = false;  // a message did not inflate, and the rest is ignored
};

std::vector<Outcome> read_whole(std::string_view bytes, std::uint64_t max_message_bytes,
                                bool inflates = false);

// In reads of at most `most` bytes each.
std::vector<Outcome> read_cut(std::string_view bytes, std::uint64_t max_message_bytes,
                              Choices& choices, std::uint32_t most, bool inflates = false);

}  // namespace syncrelay::testing
