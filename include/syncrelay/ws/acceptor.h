#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "syncrelay/base/clock.h"
#include "syncrelay/base/descriptor.h"
#include "syncrelay/base/log.h"
#include "syncrelay/ws/listener.h"
#include "syncrelay/ws/shard_loop.h"
#include "syncrelay/ws/status.h"

namespace syncrelay {

// Takes connections from the listening sockets on a thread of its own and hands each to the shard
// that has the fewest, those of the admin listener to the HTTP door. When no file descriptor is
// left for one, that one is closed at once and counted. The listening sockets are ours, not
// libwebsockets', because that cannot share one between contexts.
class Acceptor {
 public:
  struct Settings {
    std::uint64_t
        send_buffer;  // SO_SNDBUF of each client in bytes: what a slow one can hold in the kernel
    // Connections have lower descriptors than this. libwebsockets has tables of so many entries,
    // and clears that of a descriptor which it has refused for being higher, behind their end.
    std::uint32_t descriptors;
  };

  // Where connections of the admin listener go.
  using Door = std::function<void(Descriptor fd, std::string address)>;

  // All references and pointers must outlive the acceptor.
  Acceptor(const Settings& settings, std::vector<const Listener*> clients,
           std::vector<const Listener*> admin, std::vector<ShardLoop*> loops, Door door,
           Status& status, const Clock& clock, const Log& log);
  ~Acceptor() { stop(); }
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  void start();
  // Returns when the thread has ended. The listening sockets stay open.
  void stop();

 private:
  struct Source {
    int fd;
    bool admin;
  };

  void run();
  void accept_some(const Source& source);
  void hand_over(Descriptor fd, bool admin, std::string address);
  void turn_away_next(const Source& source);
  void turn_away(const Descriptor& fd);
  ShardLoop& least_loaded() const;

  const Settings settings_;
  std::vector<Source> sources_;
  const std::vector<ShardLoop*> loops_;
  const Door door_;
  Status& status_;
  const Clock& clock_;
  const Log& log_;
  Descriptor stop_event_;
  Descriptor reserve_;  // given up for a moment to take in and close a connection when there is no
                        // other
  TimePoint next_warning_{};
  std::thread thread_;
};

}  // namespace syncrelay
