#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "syncrelay/config/invocation.h"

namespace syncrelay {

// What a bench has found out.
struct BenchResult {
  BenchWish wish;
  std::uint64_t clients = 0;         // that came to follow the channel
  std::uint64_t lost = 0;            // of them, before the end
  std::uint64_t events = 0;          // sent
  std::uint64_t refused = 0;         // of them, by the relay
  std::uint64_t deliveries = 0;      // one for each event and client
  std::uint64_t missing = 0;         // that did not come
  std::uint64_t skipped = 0;         // of those, as the relay says
  std::chrono::nanoseconds took{0};  // from the first event sent to the last delivery
  std::chrono::nanoseconds p50{0};
  std::chrono::nanoseconds p90{0};
  std::chrono::nanoseconds p99{0};
  std::chrono::nanoseconds most{0};
  double own_cpu = 0;      // of one core, by the bench itself
  double machine_cpu = 0;  // of all cores, by everybody
  bool stopped = false;    // before its end, by a signal
  bool broken = false;     // the relay or all clients went away, or nothing came: it is no measure
  std::string why_lost = {};  // the last of them; empty: not known
  std::vector<std::string> warnings = {};
};

// Adds what a reader is to know before believing the numbers.
void add_warnings(BenchResult& result);

// A table for a person, and one line of JSON.
std::string bench_table(const BenchResult& result, bool color);
std::string bench_json(const BenchResult& result);

}  // namespace syncrelay
