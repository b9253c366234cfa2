#include "support/fake_transport.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace syncrelay::testing {

void FakeTransport::flow() {
  refuse_next_ = false;
  per_write_.reset();
  room_.reset();
}

void FakeTransport::become_writable(Session& session) {
  if (std::exchange(waits_, false)) session.writable();
}

std::string FakeTransport::fault() const {
  return parser_.error().empty() ? fault_ : parser_.error();
}

std::size_t FakeTransport::write(ByteSpan frames) {
  if (closed_) note("a write after close");
  if (waits_ || short_write_) note("a write while the transport takes nothing");
  if (frames.empty()) note("an empty write");
  if (!parser_.between_frames()) note("a write inside a frame");
  if (const auto happening = std::exchange(at_next_write_, nullptr)) happening();
  ++writes_;
  const std::size_t taken = room_for(frames.size());
  short_write_ = taken < frames.size();
  was_limited_ = was_limited_ || short_write_;
  receive(frames.first(taken));
  return taken;
}

void FakeTransport::finish_frame(ByteSpan rest) {
  if (!short_write_) note("finish_frame without a short write");
  if (parser_.between_frames()) note("finish_frame between frames");
  receive(rest);
  if (!parser_.between_frames()) note("finish_frame does not end the frame");
}

void FakeTransport::request_writable() {
  if (!parser_.between_frames()) note("a frame is left half written");
  short_write_ = false;
  waits_ = true;
}

void FakeTransport::close(CloseCause cause) {
  if (closed_) note("closed twice");
  if (!parser_.between_frames()) note("closed inside a frame");
  closed_ = cause;
}

std::size_t FakeTransport::room_for(std::size_t offered) {
  if (std::exchange(refuse_next_, false)) return 0;
  std::size_t taken = std::min(offered, per_write_.value_or(offered));
  taken = std::min(taken, room_.value_or(taken));
  if (room_) *room_ -= taken;
  return taken;
}

void FakeTransport::receive(ByteSpan bytes) {
  bytes_ += bytes.size();
  parser_.feed({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

void FakeTransport::note(const char* fault) {
  if (fault_.empty()) fault_ = fault;
}

}  // namespace syncrelay::testing
