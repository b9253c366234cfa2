#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "syncrelay/base/clock.h"
#include "syncrelay/base/ids.h"

namespace syncrelay {

// One client, as a backend may ask about it.
struct ClientInfo {
  ConnectionId id;
  std::string address;
  WallTime since;
  std::uint64_t lag;         // events that it is behind
  std::uint64_t bytes;       // sent
  double last_sign_of_life;  // seconds ago: a pong or any data
};

// Collects the clients of all shards. Thread-safe: each shard reports once, on its thread.
class ClientList {
 public:
  // `complete` runs on the thread of the shard that reports last; it must not block.
  ClientList(std::size_t shards, std::function<void()> complete)
      : missing_(shards), complete_(std::move(complete)) {}

  void report(std::vector<ClientInfo> clients) {
    bool last = false;
    {
      const std::lock_guard lock(mutex_);
      for (ClientInfo& client : clients) clients_.push_back(std::move(client));
      last = --missing_ == 0;
    }
    if (last) complete_();
  }

  // To be called once, after `complete`.
  std::vector<ClientInfo> take() {
    const std::lock_guard lock(mutex_);
    return std::move(clients_);
  }

 private:
  std::mutex mutex_;  // guards missing_ and clients_
  std::size_t missing_;
  std::vector<ClientInfo> clients_;
  const std::function<void()> complete_;
};

}  // namespace syncrelay
