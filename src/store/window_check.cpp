#include "window_check.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "damage.h"
#include "syncrelay/protocol/frame.h"

namespace syncrelay {
namespace {

std::string missing_event(std::string_view channel, Seq seq) {
  return "event " + std::to_string(seq.value) + of_channel(channel) + " is missing (table events)";
}

// Walks through the log from its end to its beginning. `last` of a channel's bounds is its newest
// event that has not been passed yet.
class Pruner {
 public:
  explicit Pruner(BoundsByName channels) : channels_(std::move(channels)) {}

  // False: the fault is named. `excess`: of each run, how many of its events have to go, its first
  // ones.
  bool pass(const StoredEvents& events, std::vector<std::uint64_t>& excess) {
    excess.assign(events.runs.size(), 0);
    for (std::size_t run = events.runs.size(); run-- > 0;) {
      if (!pass(events.runs[run], excess[run])) return false;
    }
    return true;
  }

  const std::string& fault() const { return fault_; }

 private:
  bool pass(const StoredRun& run, std::uint64_t& excess) {
    excess = run.count;
    const auto channel = channels_.find(std::string(text(run.channel)));
    if (channel == channels_.end()) return true;
    Bounds& bounds = channel->second;
    if (bounds.last <= bounds.start) return true;  // of an earlier life
    if (run.first.value + run.count - 1 != bounds.last.value) {
      fault_ = missing_event(text(run.channel), bounds.last);
      return false;
    }
    const std::uint64_t kept = std::min(run.count, distance(bounds.start, bounds.last));
    excess = run.count - kept;
    bounds.last.value -= kept;
    return true;
  }

  BoundsByName channels_;
  std::string fault_;
};

std::size_t skip(std::string_view wire, std::uint64_t messages) {
  std::size_t end = 0;
  for (; messages > 0; --messages) end += message_end(as_bytes(wire.substr(end)));
  return end;
}

void cut(StoredEvents& events, const std::vector<std::uint64_t>& excess) {
  StoredEvents kept;
  std::string_view wire = events.wire;
  for (std::size_t run = 0; run < events.runs.size(); ++run) {
    StoredRun left = events.runs[run];
    left.first.value += excess[run];
    left.count -= excess[run];
    wire.remove_prefix(skip(wire, excess[run]));
    const std::size_t size = skip(wire, left.count);
    kept.wire += wire.substr(0, size);
    wire.remove_prefix(size);
    if (left.count > 0) kept.runs.push_back(std::move(left));
  }
  events = std::move(kept);
}

}  // namespace

std::optional<std::string> keep_present_life(std::vector<StoredEvents>& events,
                                             BoundsByName channels) {
  Pruner pruner(std::move(channels));
  std::vector<std::uint64_t> excess;
  for (auto row = events.rbegin(); row != events.rend(); ++row) {
    if (!pruner.pass(*row, excess)) return pruner.fault();
    const bool whole = std::all_of(excess.begin(), excess.end(), [](auto n) { return n == 0; });
    if (!whole) cut(*row, excess);
  }
  events.erase(std::remove_if(events.begin(), events.end(),
                              [](const StoredEvents& row) { return row.runs.empty(); }),
               events.end());
  return std::nullopt;
}

}  // namespace syncrelay
