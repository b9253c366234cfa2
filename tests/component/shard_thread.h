#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "support/choices.h"
#include "support/fake_transport.h"
#include "syncrelay/shard/shard.h"

namespace syncrelay::testing {

// A client of a shard that runs on a thread. Everything in it belongs to that thread until the
// thread has stopped.
struct ThreadedClient {
  FakeTransport transport;
  Session* session = nullptr;
  std::vector<WireMessage> messages;  // all that came
};

// What ShardLoop is in the relay, without a network: the thread of a shard, woken by the mailbox.
// Its connections take bytes as `behave` lets them.
class ShardThread {
 public:
  // Called on the shard's thread for every client after every run, before its transport may become
  // writable.
  using Behaviour = std::function<void(ThreadedClient&)>;

  ShardThread(const Shard::Settings& settings, const Clock& clock, Behaviour behave = {});
  ~ShardThread();

  Mailbox<Letter>& letters() { return shard_.letters(); }
  Outbox& outbox() { return outbox_; }

  void start();
  // Lets every client have all that was posted, as fast as it can, then ends the thread. Nothing
  // may be posted after.
  void stop();
  // As stop(), but whoever posts is refused from now on.
  void abandon();

  // Runs on the shard's thread, soon.
  void post_task(std::function<void()> task);
  // As above; returns when it has run.
  void run_task(const std::function<void()>& task);

  // On the shard's thread only.
  ThreadedClient& connect(const ClientRequest& request = {});
  void disconnect(ThreadedClient& client);
  // The client says this.
  void hear(ThreadedClient& client, const ClientMessage& message);

  // On the shard's thread, or after stop(); holds clients that are gone, too.
  const std::vector<std::unique_ptr<ThreadedClient>>& clients() const { return clients_; }
  const ShardStats& stats() const { return stats_; }

 private:
  void wake();
  void run();
  bool wait();
  void serve_clients();
  void drain();

  const Behaviour behave_;
  ShardStats stats_;
  Outbox outbox_{[] {}};
  Shard shard_;
  std::vector<std::unique_ptr<ThreadedClient>> clients_;
  std::uint64_t next_id_ = 0;
  bool busy_ = false;  // there is more to do without being woken

  std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  bool woken_ = false;
  bool stopping_ = false;
  std::vector<std::function<void()>> tasks_;

  std::thread thread_;
};

}  // namespace syncrelay::testing
