#include "syncrelay/protocol/client_message.h"

#include <rapidjson/document.h>

namespace syncrelay {
namespace {

constexpr std::string_view kPing = "sync:ping";

}  // namespace

std::optional<ClientMessage> parse_client_message(std::string_view text) {
  rapidjson::Document message;
  message.Parse<rapidjson::kParseIterativeFlag | rapidjson::kParseNumbersAsStringsFlag>(
      text.data(), text.size());
  if (message.HasParseError() || !message.IsObject()) return std::nullopt;
  const auto type = message.FindMember("type");
  if (type == message.MemberEnd() || !type->value.IsString()) return std::nullopt;
  if (std::string_view(type->value.GetString(), type->value.GetStringLength()) != kPing)
    return std::nullopt;
  return ClientMessage::ping;
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
