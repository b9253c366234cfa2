#include "syncrelay/shard/outlet.h"

#include <utility>

namespace syncrelay {

Outlet::~Outlet() {
  if (blocked_) stats_.slow_clients.subtract();
}

Outlet::Due Outlet::Waiting::due() const {
  if (!frames.empty()) return Due::frames;
  if (std::holds_alternative<EventUnderWay>(long_message)) return Due::rest_of_event;
  if (in_long_message()) return Due::snapshot;
  return messages.empty() ? Due::nothing : Due::messages;
}

Outlet::Waiting& Outlet::waiting() {
  if (!waiting_) waiting_ = std::make_unique<Waiting>();
  return *waiting_;
}

void Outlet::forget_what_is_gone() {
  if (due() == Due::nothing) waiting_.reset();
}

bool Outlet::write_out(Frames& frames) {
  frames.sent += write_whole_frames(as_bytes(frames.bytes).subspan(frames.sent));
  if (frames.left() > 0) return false;
  frames = {};
  forget_what_is_gone();
  return true;
}

bool Outlet::write_rest_of_event() {
  auto& event = std::get<EventUnderWay>(waiting_->long_message);
  event.rest = event.rest.subspan(write_whole_frames(event.rest));
  if (!event.rest.empty()) return false;
  waiting_->long_message = {};
  forget_what_is_gone();
  stats_.frames_sent.add();
  return true;
}

std::size_t Outlet::write_fragment(Snapshot::Fragment& scratch, Deflater& deflater) {
  auto& under_way = std::get<SnapshotUnderWay>(waiting_->long_message);
  const Coding coding = deflates_ ? Coding::deflated : Coding::plain;
  const Snapshot::Given given =
      under_way.snapshot->fragment(under_way.place, {coding, scratch, deflater});
  if (write_whole_frames(as_bytes(given.fragment.bytes)) > 0)
    under_way.place = given.fragment.behind;
  return given.effort;
}

void Outlet::add_control(std::string_view frame) {
  Waiting& all = waiting();
  (all.in_long_message() || all.messages.empty() ? all.frames : all.messages).bytes += frame;
  stats_.frames_sent.add();
}

void Outlet::add_message(std::string_view payload, Coding coding) {
  append(waiting().messages.bytes, payload, MessagePart::whole, coding);
}

void Outlet::begin_snapshot(SnapshotUnderWay snapshot) {
  waiting().long_message = std::move(snapshot);
}

void Outlet::end_snapshot(std::string_view text) {
  waiting_->long_message = {};
  if (!deflates_) return append(waiting_->frames.bytes, text, MessagePart::end, Coding::plain);
  std::string payload;
  Deflater::append_stored_end(payload, text);
  append(waiting_->frames.bytes, payload, MessagePart::end, Coding::deflated);
}

void Outlet::append(std::string& frames, std::string_view payload, MessagePart part,
                    Coding coding) {
  const std::size_t begin = frames.size();
  frames.resize(begin + wire_size(payload.size()));
  MessageWriter(reinterpret_cast<std::byte*>(frames.data() + begin), payload.size(), part, coding)
      .write(payload);
  stats_.frames_sent.add();
}

bool Outlet::stop_in(ByteSpan event, std::size_t taken,
                     const std::shared_ptr<const LogChunk>& chunk) {
  const std::size_t end = frame_end(event, taken);
  finish_frame(event.subspan(taken, end - taken));
  if (end == event.size()) {
    stats_.frames_sent.add();
  } else if (end > 0) {
    waiting().long_message = EventUnderWay{chunk, event.subspan(end)};
  }
  block();
  return end > 0;
}

// Writes as much as the transport takes, up to a frame's end; blocks when that is not all. Returns
// the bytes gone.
std::size_t Outlet::write_whole_frames(ByteSpan frames) {
  const std::size_t written = write(frames);
  if (written == frames.size()) return written;
  const std::size_t end = frame_end(frames, written);
  finish_frame(frames.subspan(written, end - written));
  block();
  return end;
}

std::size_t Outlet::write(ByteSpan frames) {
  const std::size_t written = transport_.write(frames);
  bytes_sent_ += written;
  stats_.bytes_sent.add(written);
  return written;
}

void Outlet::finish_frame(ByteSpan rest) {
  if (rest.empty()) return;
  transport_.finish_frame(rest);
  bytes_sent_ += rest.size();
  stats_.bytes_sent.add(rest.size());
}

void Outlet::block() {
  blocked_ = true;
  stats_.slow_clients.add();
  transport_.request_writable();
}

void Outlet::unblock() {
  if (!blocked_) return;
  blocked_ = false;
  stats_.slow_clients.subtract();
}

const SnapshotUnderWay* Outlet::snapshot() const {
  return waiting_ ? std::get_if<SnapshotUnderWay>(&waiting_->long_message) : nullptr;
}

const LogChunk* Outlet::held_chunk() const {
  const auto* const event =
      waiting_ ? std::get_if<EventUnderWay>(&waiting_->long_message) : nullptr;
  return event == nullptr ? nullptr : event->chunk.get();
}

void Outlet::let_go() {
  waiting_.reset();
}

}  // namespace syncrelay
