#include "syncrelay/protocol/client_message.h"

#include "syncrelay/json/json_parts.h"

namespace syncrelay {
namespace {

constexpr std::string_view kPingType = R"("sync:ping")";

}  // namespace

std::optional<ClientMessage> parse_client_message(std::string_view text) {
  if (text.find(kPingType) == text.npos)
    return std::nullopt;  // most of what is ignored costs no more
  if (json_member(text, "type") != kPingType || json_fault(text)) return std::nullopt;
  return PingMessage{};
}

std::optional<ClientMessage> ClientMessageReader::take(const MessagePiece& piece) {
  if (piece.begins) begun_.reset();
  if (piece.kind != MessageKind::text) return std::nullopt;
  if (piece.begins && piece.ends)
    return piece.payload.size() <= kMaxBytes ? parse_client_message(piece.payload) : std::nullopt;
  if (piece.begins) begun_ = std::make_unique<std::string>();
  if (!begun_) return std::nullopt;
  if (piece.payload.size() > kMaxBytes - begun_->size()) {
    begun_.reset();
    return std::nullopt;
  }
  begun_->append(piece.payload);
  if (!piece.ends) return std::nullopt;
  const std::unique_ptr<std::string> whole = std::move(begun_);
  return parse_client_message(*whole);
}

}  // namespace syncrelay
