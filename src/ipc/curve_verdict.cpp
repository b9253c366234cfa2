#include "syncrelay/ipc/curve_verdict.h"

#include <optional>

namespace syncrelay {
namespace {

constexpr std::uint8_t kLongFrame = 2;

std::uint8_t byte_at(std::string_view frame, std::size_t index) {
  return static_cast<std::uint8_t>(frame[index]);
}

// What stands behind its head; nullopt: it is not whole.
std::optional<std::string_view> body_of(std::string_view frame) {
  if (frame.empty()) return std::nullopt;
  const std::size_t head = (byte_at(frame, 0) & kLongFrame) != 0 ? 1 + sizeof(std::uint64_t) : 2;
  if (frame.size() < head) return std::nullopt;
  std::uint64_t length = 0;
  for (std::size_t index = 1; index < head; ++index) length = length << 8 | byte_at(frame, index);
  if (frame.size() - head < length) return std::nullopt;
  return frame.substr(head);
}

CurveVerdict::Verdict verdict_of(std::string_view command) {
  if (command.starts_with("\x05READY")) return CurveVerdict::Verdict::let_in;
  if (command.starts_with("\x05"
                          "ERROR"))
    return CurveVerdict::Verdict::refused;
  return CurveVerdict::Verdict::none;
}

}  // namespace

CurveVerdict::Verdict CurveVerdict::add(std::string_view bytes) {
  for (; !bytes.empty() && verdict_ == Verdict::none; bytes.remove_prefix(1))
    take_byte(bytes.front());
  return verdict_;
}

void CurveVerdict::take_byte(char byte) {
  if (greeting_left_ > 0) {
    --greeting_left_;
    return;
  }
  frame_ += byte;
  const auto body = body_of(frame_);
  if (!body) return;
  verdict_ = verdict_of(*body);
  frame_.clear();
}

}  // namespace syncrelay
