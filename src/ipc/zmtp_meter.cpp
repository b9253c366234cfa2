#include "syncrelay/ipc/zmtp_meter.h"

#include <algorithm>
#include <utility>

namespace syncrelay {
namespace {

// The greeting: 0xff, eight bytes, 0x7f, revision; from revision 3 on it has 64 bytes, before that
// one more.
constexpr std::uint8_t kSignatureStart = 0xff;
constexpr std::size_t kSignatureEnd = 9;
constexpr std::size_t kRevision = 10;
constexpr std::uint8_t kRevision2 = 1;
constexpr std::uint64_t kRestOfGreeting2 = 1;
constexpr std::uint64_t kRestOfGreeting3 = 53;

constexpr std::uint8_t kMore = 1;
constexpr std::uint8_t kLong = 2;
constexpr std::uint8_t kCommand = 4;

// RFC 26: the command's name, the nonce, the box's authenticator, the flags.
constexpr std::uint64_t kBoxOverhead = 8 + 8 + 16 + 1;

// Metadata is less than half of it, and no command after the handshake is longer.
constexpr std::uint64_t kMaxCommand = 4096;

}  // namespace

std::uint64_t ZmtpMeter::add(std::string_view bytes) {
  finished_ = 0;
  while (!bytes.empty() && place_ != Place::lost) {
    if (place_ != Place::body && place_ != Place::rest_of_greeting) {
      take_byte(static_cast<std::uint8_t>(bytes.front()));
      bytes.remove_prefix(1);
      continue;
    }
    const std::uint64_t skipped = std::min<std::uint64_t>(missing_, bytes.size());
    bytes.remove_prefix(skipped);
    missing_ -= skipped;
    if (missing_ == 0) end_frame();
  }
  return finished_;
}

void ZmtpMeter::take_byte(std::uint8_t byte) {
  if (place_ == Place::greeting) {
    take_greeting(byte);
  } else if (asks()) {
    place_ = Place::lost;
  } else if (place_ == Place::flags) {
    flags_ = byte;
    length_ = 0;
    missing_ = (flags_ & kLong) != 0 ? sizeof length_ : 1;
    place_ = Place::length;
  } else {
    length_ = length_ << 8 | byte;
    if (--missing_ == 0) begin_body();
  }
}

void ZmtpMeter::take_greeting(std::uint8_t byte) {
  const std::size_t at = greeting_size_++;
  if ((at == 0 && byte != kSignatureStart) || (at == kSignatureEnd && (byte & 1) == 0) ||
      (at == kRevision && byte < kRevision2)) {
    place_ = Place::lost;
  } else if (at == kRevision) {
    place_ = Place::rest_of_greeting;
    missing_ = byte == kRevision2 ? kRestOfGreeting2 : kRestOfGreeting3;
  }
}

void ZmtpMeter::begin_body() {
  if ((!let_in_ || is_command()) && length_ > kMaxCommand) {
    place_ = Place::lost;
    return;
  }
  if (let_in_ && !is_command())
    unfinished_ += frame_weight(boxed_ ? length_ - std::min(length_, kBoxOverhead) : length_);
  place_ = Place::body;
  missing_ = length_;
  if (missing_ == 0) end_frame();
}

// ZeroMQ goes by the flag in the box where there is one.
bool ZmtpMeter::is_command() const {
  return !boxed_ && (flags_ & kCommand) != 0;
}

// Of the greeting, too.
void ZmtpMeter::end_frame() {
  if (place_ == Place::body && !let_in_) {
    --handshake_frames_left_;
  } else if (place_ == Place::body && is_command()) {
    finished_ += frame_weight(length_);
  } else if (place_ == Place::body && (flags_ & kMore) == 0) {
    finished_ += std::exchange(unfinished_, 0);
    has_sent_ = true;
  }
  place_ = Place::flags;
  missing_ = 1;
}

}  // namespace syncrelay
