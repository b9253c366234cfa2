#include "support/client_stream.h"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <span>
#include <type_traits>
#include <variant>

#include "syncrelay/base/utf8.h"

namespace syncrelay::testing {
namespace {

constexpr std::string_view kMask = "\x37\xfa\x21\x3d";  // that of RFC 6455 section 5.7

void require(bool holds) {
  if (!holds) std::abort();
}

void append_number(std::string& out, std::uint64_t number, int bytes) {
  for (int byte = bytes - 1; byte >= 0; --byte) out += static_cast<char>(number >> (8 * byte));
}

LengthForm shortest(std::uint64_t size) {
  if (size < 126) return LengthForm::shortest;
  return size <= UINT16_MAX ? LengthForm::in_16_bits : LengthForm::in_64_bits;
}

Outcome outcome_of(const CloseFrame& frame) {
  return {Outcome::Kind::close, std::string(frame.reason), frame.code.value_or(0)};
}

}  // namespace

std::string client_frame_header(std::uint8_t opcode, std::uint64_t size, FrameForm form) {
  const LengthForm length = std::max(form.length, shortest(size));
  const int mask_bit = form.masked ? 0x80 : 0;
  std::string out;
  out += static_cast<char>((form.fin ? 0x80 : 0) | form.reserved << 4 | opcode);
  if (length == LengthForm::shortest) {
    out += static_cast<char>(mask_bit | static_cast<int>(size));
  } else {
    const bool wide = length == LengthForm::in_64_bits;
    out += static_cast<char>(mask_bit | (wide ? 127 : 126));
    append_number(out, size, wide ? 8 : 2);
  }
  if (form.masked) out += kMask;
  return out;
}

std::string client_frame(std::uint8_t opcode, std::string_view payload, FrameForm form) {
  std::string out = client_frame_header(opcode, payload.size(), form);
  for (std::size_t at = 0; at < payload.size(); ++at) {
    out += form.masked ? static_cast<char>(payload[at] ^ kMask[at % kMask.size()]) : payload[at];
  }
  return out;
}

std::ostream& operator<<(std::ostream& out, const Outcome& outcome) {
  constexpr const char* kNames[] = {"text", "binary", "ping", "pong", "close", "fault"};
  out << kNames[static_cast<int>(outcome.kind)] << '(';
  if (outcome.code != 0) out << outcome.code << ' ';
  return out << outcome.payload.size() << ':' << outcome.payload.substr(0, 40) << ')';
}

void ClientStream::read(std::string_view bytes) {
  const auto memory = std::make_unique<std::byte[]>(bytes.size());
  std::transform(bytes.begin(), bytes.end(), memory.get(),
                 [](char c) { return static_cast<std::byte>(c); });
  std::span<std::byte> left(memory.get(), bytes.size());
  while (!unreadable_) {
    const auto incoming = reader_.next(left);
    if (!incoming) break;
    take(*incoming);
  }
  require(unreadable_ || left.empty());
}

void ClientStream::take(const Incoming& incoming) {
  using Kind = Outcome::Kind;
  require(outcomes_.empty() || outcomes_.back().kind < Kind::close);
  if (const auto* piece = std::get_if<MessagePiece>(&incoming)) {
    require(piece->begins != in_message_);
    const Kind kind = piece->kind == MessageKind::text ? Kind::text : Kind::binary;
    if (piece->begins) message_ = {kind, {}};
    require(message_.kind == kind);
    message_.payload += piece->payload;
    in_message_ = !piece->ends;
    if (piece->ends) end_message(piece->coding);
  } else if (const auto* ping = std::get_if<PingFrame>(&incoming)) {
    outcomes_.push_back({Kind::ping, std::string(ping->payload)});
  } else if (const auto* pong = std::get_if<PongFrame>(&incoming)) {
    outcomes_.push_back({Kind::pong, std::string(pong->payload)});
  } else if (const auto* close = std::get_if<CloseFrame>(&incoming)) {
    outcomes_.push_back(outcome_of(*close));
  } else {
    outcomes_.push_back(
        {Kind::fault, std::string(info(std::get<FrameFault>(incoming).cause).name)});
  }
  require((reader_.over() || unreadable_) ==
          (outcomes_.empty() ? false : outcomes_.back().kind >= Kind::close));
}

void ClientStream::end_message(Coding coding) {
  using Kind = Outcome::Kind;
  if (coding == Coding::plain) return outcomes_.push_back(message_);
  const auto text = inflater_.inflate(message_.payload, max_message_bytes_);
  const bool valid = text && (message_.kind == Kind::binary || is_valid_utf8(text.value()));
  unreadable_ = !valid;
  if (!text) return outcomes_.push_back({Kind::fault, std::string(info(text.error()).name)});
  if (!valid) return outcomes_.push_back({Kind::fault, "invalid_utf8"});
  outcomes_.push_back({message_.kind, std::string(text.value())});
}

std::vector<Outcome> read_whole(std::string_view bytes, std::uint64_t max_message_bytes,
                                bool inflates) {
  ClientStream stream(max_message_bytes, inflates);
  stream.read(bytes);
  return stream.outcomes();
}

std::vector<Outcome> read_cut(std::string_view bytes, std::uint64_t max_message_bytes,
                              Choices& choices, std::uint32_t most, bool inflates) {
  ClientStream stream(max_message_bytes, inflates);
  while (!bytes.empty()) {
    const std::string_view read = bytes.substr(0, 1 + choices.below(most));
    stream.read(read);
    bytes.remove_prefix(read.size());
  }
  return stream.outcomes();
}

}  // namespace syncrelay::testing
