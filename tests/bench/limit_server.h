#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>
#include <zmq.hpp>

#include "frame_ring.h"

namespace syncrelay::bench {

enum class SendMode {
  per_event,   // one send() per event and client: what servers that queue messages do at best
  coalescing,  // one send() per client for all that is pending
};

struct LimitOptions {
  SendMode mode = SendMode::coalescing;
  std::uint16_t port = 0;
  std::string commands;                           // ZeroMQ endpoint to bind a PULL socket to
  int send_buffer = 256 * 1024;                   // SO_SNDBUF of a client
  std::size_t log_bytes = std::size_t{64} << 20;  // a client further behind is closed
};

// The yardstick: the least that a single-threaded server must do to fan out over TCP. It takes the
// same commands as the relay from the same kind of socket, copies their data into a frame without
// looking at it, and sends. Its handshake only fits the load client. One thread only.
class LimitServer {
 public:
  explicit LimitServer(const LimitOptions& options);

  std::uint16_t port() const { return port_; }

  // Serves until the process is ended.
  [[noreturn]] void run();

 private:
  struct Client {
    int fd;
    bool open = false;            // has been greeted
    bool blocked = false;         // its socket buffer is full
    std::uint64_t cursor = 0;     // everything before it was sent
    std::uint64_t frame_end = 0;  // of the frame that the cursor is in (per_event only)
  };

  void wait();
  void handle(std::uint64_t key, std::uint32_t events);
  void accept_clients();
  void read(Client& client);
  void greet(Client& client);
  void close(Client& client);

  bool take_one();
  void take_pending();
  void fan_out_each_event();
  void fan_out_pending();
  bool send_pending_to_all();
  bool send_pending(Client& client);
  void send_frames(Client& client);
  bool send_to(Client& client, std::uint64_t end);

  LimitOptions options_;
  FrameRing ring_;
  zmq::context_t context_;
  zmq::socket_t commands_;
  zmq::message_t command_;
  int epoll_;
  int listener_;
  std::uint16_t port_ = 0;
  std::vector<Client> clients_;           // dense: what a fan-out walks
  std::vector<std::size_t> place_of_fd_;  // index into clients_
  bool more_ = false;                     // work is left that no file descriptor will tell
  bool unblocked_ = false;                // a client that lagged can take bytes again
  std::uint64_t served_ = 0;              // every client got, or is blocked before, this position
};

}  // namespace syncrelay::bench
