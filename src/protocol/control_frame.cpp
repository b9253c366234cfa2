#include "syncrelay/protocol/control_frame.h"

#include <cassert>
#include <cstring>

namespace syncrelay {
namespace {

constexpr std::byte kLastFragmentClose{0x88};
constexpr std::byte kLastFragmentPong{0x8a};

}  // namespace

ControlFrame::ControlFrame(std::byte head) {
  bytes_[0] = head;
  bytes_[1] = std::byte{0};
}

void ControlFrame::append(std::string_view payload) {
  assert(size_ + payload.size() <= bytes_.size());
  if (!payload.empty()) std::memcpy(bytes_.data() + size_, payload.data(), payload.size());
  size_ = static_cast<std::uint8_t>(size_ + payload.size());
  bytes_[1] = static_cast<std::byte>(size_ - 2);
}

ControlFrame pong_frame(std::string_view payload) {
  ControlFrame frame(kLastFragmentPong);
  frame.append(payload);
  return frame;
}

ControlFrame close_frame(std::optional<std::uint16_t> code, std::string_view reason) {
  assert(code || reason.empty());
  ControlFrame frame(kLastFragmentClose);
  if (!code) return frame;
  const char wire_code[] = {static_cast<char>(*code >> 8), static_cast<char>(*code & 0xff)};
  frame.append({wire_code, sizeof wire_code});
  frame.append(reason);
  return frame;
}

}  // namespace syncrelay
