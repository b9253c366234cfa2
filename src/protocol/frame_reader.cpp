#include "syncrelay/protocol/frame_reader.h"

#include <algorithm>
#include <cstring>

namespace syncrelay {
namespace {

enum Opcode : std::uint8_t {
  kContinuation = 0x0,
  kText = 0x1,
  kBinary = 0x2,
  kClose = 0x8,
  kPing = 0x9,
  kPong = 0xa,
};

constexpr std::uint8_t kReservedBits = 0x70;
constexpr std::uint8_t kDeflated = 0x40;  // RSV1
constexpr std::uint8_t kMasked = 0x80;
constexpr std::uint8_t kLength16 = 126;  // what is above means 64 bits
constexpr std::uint64_t kMaxLength = INT64_MAX;

bool known(std::uint8_t opcode) {
  return opcode <= kBinary || (opcode >= kClose && opcode <= kPong);
}

// RFC 6455 section 7.4 and IANA's registry of close codes.
bool may_be_sent(std::uint16_t code) {
  if (code >= 3000) return code <= 4999;
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014);
}

// By words: a byte of the mask belongs to each byte of the payload in turn (section 5.3).
void unmask(std::span<std::byte> payload, const std::array<std::byte, 4>& mask) {
  std::uint64_t mask_word = 0;
  std::memcpy(&mask_word, mask.data(), mask.size());
  std::memcpy(reinterpret_cast<std::byte*>(&mask_word) + mask.size(), mask.data(), mask.size());
  std::size_t at = 0;
  for (; payload.size() - at >= sizeof mask_word; at += sizeof mask_word) {
    std::uint64_t word = 0;
    std::memcpy(&word, payload.data() + at, sizeof word);
    word ^= mask_word;
    std::memcpy(payload.data() + at, &word, sizeof word);
  }
  for (; at < payload.size(); ++at) payload[at] ^= mask[at % mask.size()];
}

}  // namespace

std::optional<Incoming> FrameReader::next(std::span<std::byte>& bytes) {
  if (step_ != Step::payload) held_.reset();
  while (step_ < Step::payload && !bytes.empty()) {
    const std::byte byte = bytes.front();
    bytes = bytes.subspan(1);
    if (const auto cause = take_header(byte)) return fail(*cause);
  }
  if (step_ == Step::over) bytes = {};
  if (step_ != Step::payload) return std::nullopt;
  return control() ? next_control(bytes) : next_piece(bytes);
}

std::optional<CloseCause> FrameReader::take_header(std::byte byte) {
  switch (step_) {
    case Step::opcode:
      return take_opcode(byte);
    case Step::length:
      return take_length(byte);
    case Step::length_16:
    case Step::length_64:
      return take_long_length(byte);
    default:
      take_mask(byte);
      return std::nullopt;
  }
}

std::optional<CloseCause> FrameReader::take_opcode(std::byte byte) {
  head_ = std::to_integer<std::uint8_t>(byte);
  if (!reserved_bits_fit() || !known(opcode())) return CloseCause::protocol_error;
  step_ = Step::length;
  if (control()) {
    if (!last_fragment()) return CloseCause::protocol_error;
    return std::nullopt;
  }
  const bool continues = opcode() == kContinuation;
  if (continues != (message_ != Message::none)) return CloseCause::protocol_error;
  if (continues) return std::nullopt;
  message_ = opcode() == kText ? Message::text : Message::binary;
  deflated_ = (head_ & kDeflated) != 0;
  return std::nullopt;
}

// RFC 7692 section 6.1: a deflated message tells so in its first frame.
bool FrameReader::reserved_bits_fit() const {
  const auto reserved = static_cast<std::uint8_t>(head_ & kReservedBits);
  if (reserved == 0) return true;
  return inflates_ && reserved == kDeflated && (opcode() == kText || opcode() == kBinary);
}

std::optional<CloseCause> FrameReader::take_length(std::byte byte) {
  const auto value = std::to_integer<std::uint8_t>(byte);
  if ((value & kMasked) == 0) return CloseCause::protocol_error;
  payload_left_ = value & ~kMasked;
  if (payload_left_ < kLength16) return end_length();
  if (control()) return CloseCause::protocol_error;
  step_ = payload_left_ == kLength16 ? Step::length_16 : Step::length_64;
  due_ = step_ == Step::length_16 ? 2 : 8;
  payload_left_ = 0;
  return std::nullopt;
}

std::optional<CloseCause> FrameReader::take_long_length(std::byte byte) {
  payload_left_ = payload_left_ << 8 | std::to_integer<std::uint64_t>(byte);
  if (--due_ > 0) return std::nullopt;
  const std::uint64_t shortest = step_ == Step::length_16 ? kLength16 : UINT16_MAX + 1U;
  if (payload_left_ < shortest || payload_left_ > kMaxLength) return CloseCause::protocol_error;
  return end_length();
}

std::optional<CloseCause> FrameReader::end_length() {
  step_ = Step::mask;
  due_ = 4;
  if (control()) return std::nullopt;
  if (payload_left_ > max_message_bytes_ - message_bytes_) return CloseCause::message_too_large;
  message_bytes_ += payload_left_;
  return std::nullopt;
}

void FrameReader::take_mask(std::byte byte) {
  mask_[mask_.size() - due_] = byte;
  if (--due_ == 0) step_ = Step::payload;
}

std::string_view FrameReader::take_payload(std::span<std::byte>& bytes) {
  const std::size_t size = std::min<std::uint64_t>(payload_left_, bytes.size());
  const std::span<std::byte> payload = bytes.first(size);
  bytes = bytes.subspan(size);
  payload_left_ -= size;
  unmask(payload, mask_);
  std::rotate(mask_.begin(), mask_.begin() + size % mask_.size(), mask_.end());
  return as_text(payload);
}

std::optional<Incoming> FrameReader::next_piece(std::span<std::byte>& bytes) {
  if (bytes.empty() && payload_left_ > 0) return std::nullopt;
  const bool text = message_ == Message::text;
  const std::string_view payload = take_payload(bytes);
  const bool frame_ends = payload_left_ == 0;
  const bool ends = frame_ends && last_fragment();
  if (text && !deflated_ && (!text_.add(payload) || (ends && !text_.complete())))
    return fail(CloseCause::invalid_utf8);
  const bool begins = !begun_;
  begun_ = true;
  if (frame_ends) step_ = Step::opcode;
  if (ends) end_message();
  return MessagePiece{text ? MessageKind::text : MessageKind::binary, payload, begins, ends,
                      deflated_ ? Coding::deflated : Coding::plain};
}

void FrameReader::end_message() {
  message_ = Message::none;
  message_bytes_ = 0;
  begun_ = false;
}

std::optional<Incoming> FrameReader::next_control(std::span<std::byte>& bytes) {
  const std::string_view arrived = take_payload(bytes);
  const bool whole = payload_left_ == 0;
  if (whole && !held_) return control_frame(arrived);
  hold(arrived);
  if (!whole) return std::nullopt;
  return control_frame(as_text({held_->bytes.data(), held_->size}));
}

void FrameReader::hold(std::string_view payload) {
  if (payload.empty()) return;
  if (!held_) held_ = std::make_unique<HeldPayload>();
  std::memcpy(held_->bytes.data() + held_->size, payload.data(), payload.size());
  held_->size = static_cast<std::uint8_t>(held_->size + payload.size());
}

Incoming FrameReader::control_frame(std::string_view payload) {
  step_ = Step::opcode;
  if (opcode() == kPing) return PingFrame{payload};
  if (opcode() == kPong) return PongFrame{payload};
  return close(payload);
}

Incoming FrameReader::close(std::string_view payload) {
  step_ = Step::over;
  if (payload.empty()) return CloseFrame{};
  if (payload.size() == 1) return fail(CloseCause::protocol_error);
  const auto code = static_cast<std::uint16_t>(static_cast<std::uint8_t>(payload[0]) << 8 |
                                               static_cast<std::uint8_t>(payload[1]));
  if (!may_be_sent(code)) return fail(CloseCause::protocol_error);
  payload.remove_prefix(2);
  if (!is_valid_utf8(payload)) return fail(CloseCause::invalid_utf8);
  return CloseFrame{code, payload};
}

Incoming FrameReader::fail(CloseCause cause) {
  step_ = Step::over;
  return FrameFault{cause};
}

}  // namespace syncrelay
