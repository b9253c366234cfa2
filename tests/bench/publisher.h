#pragma once

#include <cstddef>
#include <memory>
#include <string>

namespace syncrelay::bench {

// Makes the server under load send one event to all clients. Used by one thread at a time.
class Publisher {
 public:
  virtual ~Publisher() = default;
  // May block while the server takes nothing.
  virtual void publish() = 0;
};

// Where events go: each command to the next `list` of this many channels, in turn; 0: to the
// default channel.
struct Channels {
  std::size_t count = 0;
  std::size_t list = 1;

  static std::string name(std::size_t number) { return "room:" + std::to_string(number); }
};

// `target` is `zmq:ENDPOINT` (PUSH of broadcast commands) or `http:PORT` (pipelined POST /publish
// on one connection). `data`: every event's, JSON.
std::unique_ptr<Publisher> make_publisher(const std::string& target, const std::string& data,
                                          Channels channels = {});

// Sends the same commands to a control socket, each when the answer to the one before has come.
class Asker {
 public:
  Asker(const std::string& endpoint, const std::string& data);
  ~Asker();
  Asker(const Asker&) = delete;
  Asker& operator=(const Asker&) = delete;

  // Until the answer is there. Throws std::runtime_error when it is not that the command was taken.
  void ask();

 private:
  struct Socket;
  std::unique_ptr<Socket> socket_;
  std::string command_;
};

// A JSON string of `size` bytes with its quotes.
std::string text_data(std::size_t size);
// A JSON array of about so many bytes that deflates as what backends say does.
std::string typical_data(std::size_t size);

}  // namespace syncrelay::bench
