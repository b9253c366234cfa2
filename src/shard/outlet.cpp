#include "syncrelay/shard/outlet.h"

#include <utility>

namespace syncrelay {

Outlet::~Outlet() {
  if (blocked_) stats_.slow_clients.subtract();
}

Outlet::Due Outlet::due() const {
  if (waiting_ && waiting_->frames.left() > 0) return Due::frames;
  if (long_) return held_chunk() != nullptr ? Due::rest_of_event : Due::snapshot;
  return waiting_ ? Due::messages : Due::nothing;
}

Outlet::BothWaiting& Outlet::waiting() {
  if (!waiting_) waiting_ = std::make_unique<BothWaiting>();
  return *waiting_;
}

bool Outlet::write_out(Waiting& frames) {
  frames.sent += write_whole_frames(as_bytes(frames.bytes).subspan(frames.sent));
  if (frames.left() > 0) return false;
  frames = {};
  if (waiting_->frames.left() + waiting_->messages.left() == 0) waiting_.reset();
  return true;
}

bool Outlet::write_rest_of_event() {
  auto& event = std::get<EventUnderWay>(*long_);
  event.position += write_whole_frames(event.chunk->read(event.position, event.end));
  if (event.position < event.end) return false;
  long_.reset();
  stats_.frames_sent.add();
  return true;
}

std::size_t Outlet::write_fragment(Snapshot::Fragment& scratch) {
  auto& under_way = std::get<SnapshotUnderWay>(*long_);
  const Snapshot::Fragment& fragment = under_way.snapshot->fragment(under_way.place, scratch);
  if (write_whole_frames(as_bytes(fragment.bytes)) > 0) under_way.place = fragment.behind;
  return fragment.bytes.size();
}

void Outlet::add_control(std::string_view frame) {
  BothWaiting& both = waiting();
  (long_ || both.messages.left() == 0 ? both.frames : both.messages).bytes += frame;
  stats_.frames_sent.add();
}

void Outlet::add_message(std::string_view text) {
  append(waiting().messages, text, MessagePart::whole);
}

void Outlet::begin_snapshot(SnapshotUnderWay snapshot) {
  long_ = std::make_unique<std::variant<EventUnderWay, SnapshotUnderWay>>(std::move(snapshot));
}

void Outlet::end_snapshot(std::string_view text) {
  long_.reset();
  append(waiting().frames, text, MessagePart::end);
}

void Outlet::append(Waiting& frames, std::string_view text, MessagePart part) {
  const std::size_t begin = frames.bytes.size();
  frames.bytes.resize(begin + wire_size(text.size()));
  MessageWriter(reinterpret_cast<std::byte*>(frames.bytes.data() + begin), text.size(), part)
      .write(text);
  stats_.frames_sent.add();
}

bool Outlet::stop_in(const LoggedEvent& event, const std::shared_ptr<const LogChunk>& chunk,
                     std::uint64_t position) {
  const ByteSpan frames = chunk->read(event.begin, event.end);
  const std::size_t taken = position - event.begin;
  const std::size_t end = frame_end(frames, taken);
  finish_frame(frames.subspan(taken, end - taken));
  if (end == frames.size()) {
    stats_.frames_sent.add();
  } else if (end > 0) {
    long_ = std::make_unique<std::variant<EventUnderWay, SnapshotUnderWay>>(
        EventUnderWay{chunk, event.begin + end, event.end});
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
  return long_ ? std::get_if<SnapshotUnderWay>(long_.get()) : nullptr;
}

const LogChunk* Outlet::held_chunk() const {
  const auto* const event = long_ ? std::get_if<EventUnderWay>(long_.get()) : nullptr;
  return event == nullptr ? nullptr : event->chunk.get();
}

void Outlet::let_go() {
  long_.reset();
  waiting_.reset();
}

}  // namespace syncrelay
