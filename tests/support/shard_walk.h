#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "support/choices.h"
#include "support/client_model.h"
#include "support/fake_transport.h"
#include "support/history.h"
#include "support/test_relay.h"
#include "syncrelay/shard/shard.h"

namespace syncrelay::testing {

// A random walk through everything that can happen to a shard, on one thread: events of all sizes,
// changes of state, clients that come, resume, stall, take a few bytes at a time and go. Whatever
// the order, each client must have got whole messages, gapless or with the gap admitted.
class ShardWalk {
 public:
  struct Settings {
    EventLog::Bounds window;
    std::size_t max_event_bytes;
    std::size_t max_clients;
  };

  // `choices` must outlive the walk.
  ShardWalk(const Settings& settings, Choices& choices);
  ~ShardWalk();

  void step();

  // Lets every client read all there is. What was wrong in the whole walk, empty when nothing was.
  std::string finish();

  std::uint64_t events() const { return history_.position(); }
  std::uint64_t skipped() const { return totals_.skipped; }
  std::uint64_t resumes() const { return totals_.resumes; }
  std::uint64_t snapshots() const { return totals_.snapshots; }
  std::uint64_t ended() const { return totals_.ended; }  // clients that the shard closed

 private:
  struct Client {
    explicit Client(const History& history);
    FakeTransport transport;
    ClientModel model;
    Session* session = nullptr;
  };
  struct Totals {
    std::uint64_t messages = 0;
    std::uint64_t bytes = 0;
    std::uint64_t skipped = 0;
    std::uint64_t resumes = 0;
    std::uint64_t snapshots = 0;
    std::uint64_t accepted = 0;
    std::uint64_t ended = 0;
  };

  void publish();
  void change_state();
  void send(const std::string& command);
  void run_until_idle();
  void pass_time();
  void add_client();
  void remove_client();
  void disturb_client();
  void wake_client();
  void check(Client& client);
  void check_end(const Client& client);
  void check_stats();
  void remove(std::size_t index);
  void remove_closed();
  std::string payload();
  void fail(const std::string& why);
  Client& any_client() {
    return *clients_[choices_.below(static_cast<std::uint32_t>(clients_.size()))];
  }

  const Settings settings_;
  Choices& choices_;
  TestRelay relay_;
  History history_;
  ShardStats stats_;
  Outbox outbox_{[] {}};
  Shard shard_;
  std::size_t posted_weight_ = 0;  // at most what waits in the shard's mailbox
  std::size_t posted_count_ = 0;
  std::uint64_t next_id_ = 0;
  std::vector<std::unique_ptr<Client>> clients_;
  Totals totals_;
  std::string fault_;
};

}  // namespace syncrelay::testing
