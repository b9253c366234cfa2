#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "shard_thread.h"
#include "support/client_model.h"
#include "support/fake_clock.h"
#include "support/history.h"
#include "syncrelay/base/log.h"
#include "syncrelay/relay/intake.h"
#include "syncrelay/relay/order.h"
#include "syncrelay/relay/relay.h"

namespace syncrelay::testing {

inline constexpr const char* kEpoch = "00c0ffee00c0ffee";

// The whole relay but for its sockets: the relay's thread and the shards' threads with the real
// mailboxes between them. Its history is for the relay's thread until that has ended, then for the
// test.
class RelayProcess {
 public:
  struct Settings {
    std::size_t shards = 2;
    EventLog::Bounds window{1 << 20, 100'000};
  };

  explicit RelayProcess(const Settings& settings, ShardThread::Behaviour behave = {});
  ~RelayProcess();

  ShardThread& shard(std::size_t index) { return *shards_[index]; }
  std::size_t shards() const { return shards_.size(); }
  void start_shards();

  // Sends events of these sizes, `count` in all, on the relay's thread; every fourth sets `radio`
  // in the same step.
  void start_publishing(std::uint64_t count, std::vector<std::size_t> sizes);
  // How many events have left for all shards.
  std::uint64_t published() const { return published_.load(); }
  // Returns when at least `count` have. Precondition: as many are going to be.
  void wait_for_published(std::uint64_t count) const;
  void wait_for_publisher();

  // Ends everything in order; all that was published reaches every client.
  void stop();

  // What is wrong with what this client got, empty when nothing is. After stop().
  std::string fault_of(const ThreadedClient& client) const;
  // The model of the client after all that it got. After stop().
  ClientModel view_of(const ThreadedClient& client) const;

  const History& history() const { return history_; }
  RelayStats stats;

 private:
  void publish_all(std::uint64_t count, const std::vector<std::size_t>& sizes);
  void send_event(std::uint64_t number, std::size_t size);

  FakeClock clock_;
  History history_;
  std::vector<std::unique_ptr<ShardThread>> shards_;
  Log log_{{}};
  LocalOrder order_{clock_};
  std::unique_ptr<Relay> relay_;
  std::unique_ptr<Intake> intake_;
  std::atomic<std::uint64_t> published_{0};
  std::thread publisher_;
};

}  // namespace syncrelay::testing
