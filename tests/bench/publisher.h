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

// `target` is `zmq:ENDPOINT` (PUSH of broadcast commands) or `http:PORT` (pipelined POST /publish
// on one connection). `data_size` is the size of every event's data in bytes.
std::unique_ptr<Publisher> make_publisher(const std::string& target, std::size_t data_size);

}  // namespace syncrelay::bench
