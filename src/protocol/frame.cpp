#include "syncrelay/protocol/frame.h"

#include <algorithm>
#include <cstring>

#include "syncrelay/protocol/limits.h"

namespace syncrelay {
namespace {

constexpr std::size_t kShortHeader = 2;   // payload up to 125 bytes
constexpr std::size_t kMediumHeader = 4;  // up to 65,535; a longer frame is never made
constexpr std::size_t kShortPayload = 125;
constexpr std::byte kFin{0x80};
constexpr std::byte kDeflatedMessage{0x40};  // RSV1
constexpr std::byte kTextMessage{0x01};
constexpr std::byte kMediumLength{126};

std::size_t header_size(std::size_t fragment) {
  return fragment <= kShortPayload ? kShortHeader : kMediumHeader;
}

std::size_t frame_size(const std::byte* frame) {
  const auto length = std::to_integer<std::size_t>(frame[1]);
  if (length <= kShortPayload) return kShortHeader + length;
  return kMediumHeader + (std::to_integer<std::size_t>(frame[2]) << 8) +
         std::to_integer<std::size_t>(frame[3]);
}

}  // namespace

std::size_t wire_size(std::size_t payload) {
  const std::size_t full = payload / kFragmentBytes;
  const std::size_t rest = payload % kFragmentBytes;
  const std::size_t full_bytes = full * (kMediumHeader + kFragmentBytes);
  if (rest == 0 && full > 0) return full_bytes;
  return full_bytes + header_size(rest) + rest;
}

MessageWriter::MessageWriter(std::byte* out, std::size_t payload, MessagePart part, Coding coding)
    : out_(out),
      left_(payload),
      first_(part == MessagePart::whole || part == MessagePart::beginning),
      ends_message_(part == MessagePart::whole || part == MessagePart::end),
      deflated_(coding == Coding::deflated) {
  begin_fragment();
}

void MessageWriter::begin_fragment() {
  left_in_fragment_ = std::min(left_, kFragmentBytes);
  const bool last = left_in_fragment_ == left_;
  std::byte head{0};
  if (first_) head |= deflated_ ? kTextMessage | kDeflatedMessage : kTextMessage;
  if (last && ends_message_) head |= kFin;
  first_ = false;
  *out_++ = head;
  if (left_in_fragment_ <= kShortPayload) {
    *out_++ = static_cast<std::byte>(left_in_fragment_);
  } else {
    *out_++ = kMediumLength;
    *out_++ = static_cast<std::byte>(left_in_fragment_ >> 8);
    *out_++ = static_cast<std::byte>(left_in_fragment_ & 0xff);
  }
}

void MessageWriter::write(std::string_view piece) {
  while (!piece.empty()) {
    if (left_in_fragment_ == 0) begin_fragment();
    const std::size_t size = std::min(piece.size(), left_in_fragment_);
    std::memcpy(out_, piece.data(), size);
    out_ += size;
    left_ -= size;
    left_in_fragment_ -= size;
    piece.remove_prefix(size);
  }
}

FrameParts first_frame(ByteSpan frames) {
  const std::size_t size = frame_size(frames.data());
  const std::size_t header = frames[1] == kMediumLength ? kMediumHeader : kShortHeader;
  return {frames.subspan(header, size - header), size};
}

std::size_t message_end(ByteSpan frames) {
  std::size_t end = 0;
  bool last = false;
  while (!last) {
    if (end + kShortHeader > frames.size()) return 0;
    if (frames[end + 1] == kMediumLength && end + kMediumHeader > frames.size()) return 0;
    last = (frames[end] & kFin) != std::byte{0};
    end += frame_size(frames.data() + end);
  }
  return end <= frames.size() ? end : 0;
}

std::size_t frame_end(ByteSpan frames, std::size_t offset) {
  std::size_t end = 0;
  while (end < offset) end += frame_size(frames.data() + end);
  return end;
}

}  // namespace syncrelay
