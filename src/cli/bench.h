#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bench_pusher.h"
#include "crowd.h"
#include "event_stream.h"
#include "relay_place.h"
#include "syncrelay/cli/bench_report.h"
#include "syncrelay/cli/delays.h"
#include "syncrelay/config/invocation.h"

namespace syncrelay {

// Whether clients or commands of a bench would go to another machine.
bool is_elsewhere(const Config& config);

// Connects clients to a running relay, sends events, and measures how long each of them takes to
// each client. The events have a type and a channel of their own, that nobody else follows and that
// is dropped at the end.
class Bench {
 public:
  struct Settings {
    StreamTarget target;  // with the host to dial and the token; its path does not count
    RelayPlace place;
    BenchWish wish;
    std::chrono::milliseconds timeout;  // without any progress
  };

  explicit Bench(const Settings& settings);

  // False: there is nothing to report; why() tells.
  bool run();
  const BenchResult& result() const { return result_; }
  const std::string& why() const { return why_; }

 private:
  std::optional<std::string> ask(const std::string& request);  // its answer, or why() tells
  bool is_alone();
  bool open_channel();
  void drop_channel();
  bool connect_all(Crowd& crowd);
  bool push(Crowd& crowd, BenchPusher& pusher);
  void hear(const BenchPusher& pusher, std::string_view event);
  void make_room_for_clients();
  bool fail(std::string why);

  const Settings settings_;
  BenchResult result_;
  Delays delays_;
  std::chrono::steady_clock::time_point last_{};  // when an event came
  std::string why_;
};

}  // namespace syncrelay
