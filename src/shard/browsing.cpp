#include "browsing.h"

#include <algorithm>

#include "syncrelay/base/bytes.h"
#include "syncrelay/protocol/frame.h"

namespace syncrelay {
namespace {

LoggedEvent event_of(const ChannelLog& log, std::uint64_t seq) {
  return log.event_at(log.begin_of({seq}));
}

std::string text_of(const LoggedEvent& event) {
  std::string text;
  ByteSpan frames = event.chunk->read(event.begin, event.end);
  while (!frames.empty()) {
    const FrameParts frame = first_frame(frames);
    text += as_text(frame.payload);
    frames = frames.subspan(frame.size);
  }
  return text;
}

// The first of the newest ones, as many as may be.
std::uint64_t begin_of_newest(const ChannelLog& log, std::size_t max) {
  std::uint64_t begin = log.next().value;
  std::uint64_t bytes = 0;
  for (std::size_t count = 0; count < max && begin > log.first().value; ++count) {
    const LoggedEvent event = event_of(log, begin - 1);
    bytes += event.end - event.begin;
    if (count > 0 && bytes > Browse::kMaxBytes) break;
    --begin;
  }
  return begin;
}

}  // namespace

Browsed browse(const Replica& replica, const Browse& wish) {
  Browsed browsed{wish.number, {}, 0, false};
  const ReplicaChannel* const channel = replica.find(text(wish.channel));
  if (channel == nullptr) return browsed;
  const ChannelLog& log = channel->log;
  const std::uint64_t first = log.first().value;
  if (wish.after && *wish.after + 1 < first) browsed.skipped = first - *wish.after - 1;
  std::uint64_t seq =
      wish.after ? std::max(*wish.after + 1, first) : begin_of_newest(log, wish.max);
  std::uint64_t bytes = 0;
  for (; seq < log.next().value; ++seq) {
    const LoggedEvent event = event_of(log, seq);
    bytes += event.end - event.begin;
    browsed.more =
        browsed.events.size() == wish.max || (!browsed.events.empty() && bytes > Browse::kMaxBytes);
    if (browsed.more) break;
    browsed.events.push_back(text_of(event));
  }
  return browsed;
}

}  // namespace syncrelay
