#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "frame_counter.h"
#include "tls_client.h"

namespace syncrelay::bench {

// The load: many WebSocket clients on one thread and one epoll, which count what they receive.
// One thread only. Failures are std::runtime_error with what, where and why.
class Swarm {
 public:
  // Messages `first` to `first + count - 1` of one client came in with one read.
  struct Arrival {
    std::uint64_t first;
    std::uint64_t count;
    std::int64_t at_ns;
  };
  using OnArrival = std::function<void(const Arrival&)>;

  // The query string of a client, `?…` or nothing, by its number from 0 on.
  using QueryOf = std::function<std::string(std::size_t)>;

  // How the clients speak.
  struct Manner {
    bool tls = false;
    bool deflate = false;  // they offer permessage-deflate
  };

  // `greetings`: messages that the server sends to a new client by itself; they are not counted.
  Swarm(std::uint16_t port, unsigned greetings, Manner manner, QueryOf query_of = {});
  ~Swarm();
  Swarm(const Swarm&) = delete;
  Swarm& operator=(const Swarm&) = delete;

  // Opens `count` clients and returns when each has all its greetings. Nanoseconds that it took.
  std::int64_t connect(std::size_t count);

  // Reads until every client has `messages` in all, or throws at the deadline. When the last one
  // came.
  std::int64_t read_until(std::uint64_t messages, std::int64_t deadline_ns);

  // Called for every read that ends a message; empty turns it off.
  void observe(OnArrival on_arrival) { on_arrival_ = std::move(on_arrival); }

  std::size_t size() const { return clients_.size(); }
  std::uint64_t bytes() const { return bytes_; }  // that came, in all

 private:
  struct Client {
    int fd;
    std::unique_ptr<TlsClient> tls;  // null: plain
    bool upgraded = false;
    unsigned greetings_left;
    std::string head;  // of the HTTP response, until it is complete
    FrameCounter frames;
    std::uint64_t messages = 0;
  };

  void open_client();
  void poll(std::int64_t deadline_ns);
  void read(Client& client);
  bool read_some(Client& client);
  std::string_view upgrade(Client& client, std::string_view bytes);
  void count(Client& client, std::uint64_t messages);
  void answer_ping(Client& client);
  [[noreturn]] void give_up(std::uint64_t messages) const;

  std::uint16_t port_;
  unsigned greetings_;
  QueryOf query_of_;
  bool deflate_;
  std::unique_ptr<TlsClients> tls_;  // null: plain
  int epoll_;
  std::vector<Client> clients_;
  std::vector<char> buffer_;
  OnArrival on_arrival_;
  std::size_t ready_ = 0;     // clients that have all their greetings
  std::uint64_t target_ = 0;  // messages that read_until waits for
  std::size_t behind_ = 0;    // clients that have fewer
  std::uint64_t bytes_ = 0;
  std::int64_t read_at_ = 0;  // when the bytes at hand came in
};

}  // namespace syncrelay::bench
