#include "support/frame_parser.h"

#include <utility>

#include "support/inflated.h"

namespace syncrelay::testing {
namespace {

constexpr unsigned kFin = 0x80;
constexpr unsigned kReserved = 0x70;
constexpr unsigned kRsv1 = 0x40;
constexpr unsigned kMask = 0x80;
constexpr unsigned kMediumLength = 126;
constexpr unsigned kLongLength = 127;

unsigned byte_at(std::string_view bytes, std::size_t index) {
  return static_cast<unsigned char>(bytes[index]);
}

std::size_t big_endian(std::string_view bytes) {
  std::size_t value = 0;
  for (const char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

bool is_control(Opcode opcode) {
  return static_cast<unsigned>(opcode) >= 8;
}

bool is_known(unsigned opcode) {
  return opcode <= 1 || (opcode >= 8 && opcode <= 10);
}

const char* label(Opcode opcode) {
  switch (opcode) {
    case Opcode::ping:
      return "<ping>";
    case Opcode::pong:
      return "<pong>";
    case Opcode::close:
      return "<close>";
    default:
      return "<data>";
  }
}

}  // namespace

void FrameParser::feed(std::string_view bytes) {
  if (!error_.empty()) return;
  buffer_ += bytes;
  while (error_.empty() && take_frame()) {
  }
}

bool FrameParser::take_frame() {
  Header header{};
  if (!read_header(header) || buffer_.size() < header.size + header.payload) return false;
  add(header, std::string_view(buffer_).substr(header.size, header.payload));
  buffer_.erase(0, header.size + header.payload);
  return true;
}

// False when the header is not all there yet.
bool FrameParser::read_header(Header& header) {
  if (buffer_.size() < 2) return false;
  const unsigned first = byte_at(buffer_, 0);
  const unsigned second = byte_at(buffer_, 1);
  const bool deflated = inflates_ && (first & kReserved) == kRsv1 && (first & 0x0f) == 1;
  if ((first & kReserved) != 0 && !deflated) return fail("a reserved bit is set");
  if ((second & kMask) != 0) return fail("a server's frame is masked");
  if (!is_known(first & 0x0f)) return fail("unknown opcode " + std::to_string(first & 0x0f));
  const std::size_t extra = second == kMediumLength ? 2 : second == kLongLength ? 8 : 0;
  header = {(first & kFin) != 0, deflated, static_cast<Opcode>(first & 0x0f), 2 + extra, second};
  if (buffer_.size() < header.size) return false;
  if (extra > 0) header.payload = big_endian(std::string_view(buffer_).substr(2, extra));
  if (extra == 2 && header.payload < kMediumLength) return fail("length is not minimal");
  if (extra == 8 && header.payload <= 0xffff) return fail("length is not minimal");
  return true;
}

void FrameParser::add(const Header& header, std::string_view payload) {
  if (is_control(header.opcode)) return add_control(header, payload);
  if (header.opcode == Opcode::continuation && !in_message_) {
    fail("a continuation without a message");
    return;
  }
  if (header.opcode == Opcode::text && in_message_) {
    fail("a message begins inside another one");
    return;
  }
  if (!in_message_) message_ = {header.opcode, {}, 0, header.deflated};
  message_.text += payload;
  ++message_.fragments;
  in_message_ = !header.fin;
  if (header.fin) end_message();
}

void FrameParser::end_message() {
  if (message_.deflated) {
    auto text = inflated(message_.text);
    if (!text) {
      fail("a message does not inflate");
      return;
    }
    message_.text = std::move(*text);
  }
  messages_.push_back(std::move(message_));
}

void FrameParser::add_control(const Header& header, std::string_view payload) {
  if (!header.fin || payload.size() > 125) {
    fail("a control frame is fragmented or too long");
    return;
  }
  messages_.push_back({header.opcode, std::string(payload), 1});
}

bool FrameParser::fail(std::string why) {
  error_ = std::move(why);
  return false;
}

std::vector<WireMessage> FrameParser::take_messages() {
  return std::exchange(messages_, {});
}

std::vector<WireMessage> parse_messages(std::string_view wire) {
  FrameParser parser;
  parser.feed(wire);
  if (!parser.error().empty()) return {{Opcode::text, "error: " + parser.error(), 1}};
  if (!parser.between_messages()) return {{Opcode::text, "error: ends inside a message", 1}};
  return parser.take_messages();
}

std::vector<std::string> texts(const std::vector<WireMessage>& messages) {
  std::vector<std::string> all;
  all.reserve(messages.size());
  for (const WireMessage& message : messages) {
    all.push_back(message.opcode == Opcode::text ? message.text : label(message.opcode));
  }
  return all;
}

}  // namespace syncrelay::testing
