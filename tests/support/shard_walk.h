#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "support/choices.h"
#include "support/client_model.h"
#include "support/fake_clock.h"
#include "support/fake_transport.h"
#include "support/history.h"
#include "support/update_source.h"
#include "syncrelay/shard/shard.h"

namespace syncrelay::testing {

// A random walk through everything that can happen to a shard, on one thread: events of all sizes
// in several channels, changes of state, steps of many parts, channels that are dropped and
// forgotten and come again; clients that come, resume, subscribe, unsubscribe, stall, take a few
// bytes at a time and go. Whatever the order, each client must have got whole messages, in each
// channel gapless or with the gap admitted, and over all its channels in the order of the log.
class ShardWalk {
 public:
  struct Settings {
    EventLog::Bounds window;
    std::size_t max_event_bytes;
    std::size_t max_clients;
    std::size_t channels = 0;  // beside the default one
  };

  // `choices` must outlive the walk.
  ShardWalk(const Settings& settings, Choices& choices);
  ~ShardWalk();

  void step();

  // Lets every client read all there is. What was wrong in the whole walk, empty when nothing was.
  std::string finish();

  std::uint64_t events() const { return events_; }
  std::uint64_t skipped() const { return totals_.skipped; }
  std::uint64_t resumes() const { return totals_.resumes; }
  std::uint64_t snapshots() const { return totals_.snapshots; }
  std::uint64_t drops() const { return totals_.drops; }  // that clients were told of
  std::uint64_t ended() const { return totals_.ended; }  // clients that the shard closed

 private:
  // A channel from its beginning, which may be behind the end of another one of its name, until it
  // is dropped.
  struct Life {
    explicit Life(History::State state, std::uint64_t start = 0)
        : history(std::move(state), start) {}
    History history;
    std::uint64_t last_event = 0;  // how many there were in all channels then
    std::uint64_t last_byte = 0;
  };
  struct Channel {
    std::string name;
    std::deque<Life> lives;
    bool known = true;  // to the relay
  };
  struct Totals {
    std::uint64_t messages = 0;
    std::uint64_t bytes = 0;
    std::uint64_t skipped = 0;
    std::uint64_t resumes = 0;
    std::uint64_t snapshots = 0;
    std::uint64_t drops = 0;
    std::uint64_t accepted = 0;
    std::uint64_t ended = 0;
  };
  struct Client {
    FakeTransport transport;
    std::map<std::string, ClientModel> models;  // of the channels that it follows, by its messages
    std::uint64_t last_event = 0;               // the newest one's place among all events
    Totals totals;
    Session* session = nullptr;
  };

  void publish();
  void publish_batch();
  void change_state();
  void drop_channel();
  void interrupt();
  void forget_channel();
  Update event_in(Channel& channel);
  void send(const Update& step);
  void run_until_idle();
  void pass_time();
  void add_client();
  void remove_client();
  void disturb_client();
  void wake_client();
  void subscribe();
  SubscribeMessage wish_for(const Channel& channel);
  void check(Client& client);
  void take(Client& client, const WireMessage& message);
  void take_in_channel(Client& client, const WireMessage& message, const std::string& name);
  void take_unsubscribed(Client& client, std::string_view text, const std::string& name);
  void end_model(Client& client, const std::string& name);
  void settle();
  void check_end(const Client& client);
  void check_stats();
  void remove(std::size_t index);
  void remove_closed();
  std::string payload();
  void fail(const std::string& why);
  Client& any_client() {
    return *clients_[choices_.below(static_cast<std::uint32_t>(clients_.size()))];
  }
  Channel& any_channel() {
    return channels_[choices_.below(static_cast<std::uint32_t>(channels_.size()))];
  }
  Channel& channel(const std::string& name);

  const Settings settings_;
  Choices& choices_;
  FakeClock clock_;
  UpdateSource source_;
  std::vector<Channel> channels_;  // the default one first
  std::uint64_t events_ = 0;
  std::uint64_t bytes_ = 0;
  ShardStats stats_;
  Outbox outbox_{[] {}};
  bool woken_ = false;
  Shard shard_;
  std::size_t posted_weight_ = 0;  // at most what waits in the shard's mailbox
  std::size_t posted_count_ = 0;
  bool sending_ = false;
  std::uint64_t next_id_ = 0;
  std::vector<std::unique_ptr<Client>> clients_;
  Totals totals_;
  std::string fault_;
};

}  // namespace syncrelay::testing
