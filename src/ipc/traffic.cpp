#include "syncrelay/ipc/traffic.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <utility>

namespace syncrelay {
namespace {

constexpr Duration kStep = std::chrono::seconds(Traffic::kStepSeconds);

template <typename Counters>
std::uint64_t sum(const Counters& counters) {
  std::uint64_t total = 0;
  for (const Counter& counter : counters) total += counter.get();
  return total;
}

// Between the bounds of its bucket in proportion; seconds. nullopt: there is nothing.
template <typename Buckets>
std::optional<double> quantile(const Buckets& buckets, double part) {
  constexpr double kMicroseconds = 1e6;
  const auto& bounds = LatencyHistogram::kBounds;
  std::uint64_t all = 0;
  for (const std::uint64_t count : buckets) all += count;
  if (all == 0) return std::nullopt;
  double left = part * static_cast<double>(all);
  for (std::size_t index = 0; index < bounds.size(); ++index) {
    const auto count = static_cast<double>(buckets[index]);
    if (left <= count) {
      const double low = index == 0 ? 0 : static_cast<double>(bounds[index - 1]);
      const double within = count > 0 ? left / count : 0;
      return (low + (static_cast<double>(bounds[index]) - low) * within) / kMicroseconds;
    }
    left -= count;
  }
  return static_cast<double>(bounds.back()) / kMicroseconds;
}

void append(std::string& out, std::string_view name, std::uint64_t value) {
  out.append(",\"").append(name).append("\":").append(std::to_string(value));
}

void append(std::string& out, std::string_view name, std::optional<double> seconds) {
  char text[32] = "null";
  if (seconds) std::snprintf(text, sizeof text, "%.6f", *seconds);
  out.append(",\"").append(name).append("\":").append(text);
}

}  // namespace

Traffic::Traffic(const RelayStats& relay, std::vector<const ShardStats*> shards, TimePoint now)
    : relay_(relay), shards_(std::move(shards)), next_(now + kStep), before_(totals()) {}

void Traffic::look(TimePoint now, WallTime wall) {
  if (now < next_) return;
  next_ = std::max(next_ + kStep, now + kStep / 2);
  const Totals totals_now = totals();
  if (samples_.size() == kMax) samples_.pop_front();
  samples_.push_back(sample(totals_now, wall));
  before_ = totals_now;
}

Traffic::Totals Traffic::totals() const {
  Totals totals;
  totals.events = relay_.events.get();
  totals.commands = sum(relay_.commands);
  totals.refused = sum(relay_.rejected);
  for (const ShardStats* shard : shards_) {
    totals.bytes += shard->bytes_sent.get();
    totals.skipped += shard->skipped_events.get();
    totals.stalled += sum(shard->closed[static_cast<std::size_t>(CloseCause::stalled)]);
    for (std::size_t index = 0; index < totals.delays.size(); ++index)
      totals.delays[index] += shard->fanout.bucket(index);
  }
  return totals;
}

Traffic::Sample Traffic::sample(const Totals& now, WallTime wall) const {
  Sample sample;
  sample.ts = wall;
  for (const ShardStats* shard : shards_) {
    sample.clients += shard->clients.get();
    sample.slow += shard->slow_clients.get();
    sample.lag = std::max(sample.lag, shard->lag_events_max.get());
  }
  sample.inbox = relay_.inbox_messages.get();
  sample.events = now.events - before_.events;
  sample.bytes = now.bytes - before_.bytes;
  sample.commands = now.commands - before_.commands;
  sample.refused = now.refused - before_.refused;
  sample.skipped = now.skipped - before_.skipped;
  sample.stalled = now.stalled - before_.stalled;
  Buckets delays = now.delays;
  for (std::size_t index = 0; index < delays.size(); ++index)
    delays[index] -= before_.delays[index];
  sample.median = quantile(delays, 0.5);
  sample.slowest = quantile(delays, 0.99);
  return sample;
}

std::string Traffic::json() const {
  std::string out = "[";
  for (std::size_t index = 0; index < samples_.size(); ++index) {
    const Sample& each = samples_[index];
    out += index == 0 ? R"({"ts":)" : R"(,{"ts":)";
    append_timestamp(out, each.ts);
    append(out, "clients", each.clients);
    append(out, "events", each.events);
    append(out, "bytes", each.bytes);
    append(out, "delay_p50", each.median);
    append(out, "delay_p99", each.slowest);
    append(out, "commands", each.commands);
    append(out, "refused", each.refused);
    append(out, "slow", each.slow);
    append(out, "stalled", each.stalled);
    append(out, "skipped", each.skipped);
    append(out, "lag", each.lag);
    append(out, "inbox", each.inbox);
    out += '}';
  }
  return out + ']';
}

}  // namespace syncrelay
