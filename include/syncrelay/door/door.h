#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "syncrelay/auth/bearer_secret.h"
#include "syncrelay/base/clock.h"
#include "syncrelay/base/descriptor.h"
#include "syncrelay/base/log.h"
#include "syncrelay/metrics/stats.h"
#include "syncrelay/post/errands.h"
#include "syncrelay/tls/tls_server.h"
#include "syncrelay/ws/host_rule.h"
#include "syncrelay/ws/http_request.h"
#include "syncrelay/ws/http_response.h"
#include "syncrelay/ws/status.h"

namespace syncrelay {

// The HTTP door: the thread of the admin listener, for all who speak no ZeroMQ. Commands and
// queries go to the relay's thread as those of the control socket do, and come back with the same
// answers; pages it has itself. Everything else belongs to the thread that builds it.
//
// One loop on poll(), since connections are few and bounded: see Settings. Rejected: the shards'
// loops, where a large body or answer would hold up events; a library's server (libmicrohttpd,
// cpp-httplib), which reads requests by rules of its own beside those of the client port, and has a
// thread for each that waits.
class Door {
 public:
  struct Settings {
    std::size_t max_body = 0;  // bytes
    Duration handshake_timeout{};
    std::uint32_t connections = 1;  // half of them may wait for an answer at a time
    TlsServer* tls = nullptr;       // null: plain
  };

  // A file of the admin page by its path; nullopt: there is none.
  using Files = std::function<std::optional<HttpResponse>(const HttpRequest& request)>;

  // What it works with. All must outlive the door.
  struct Parts {
    Errands& errands;
    const HostRule& hosts;
    const BearerSecret* secret;  // null: nobody is asked for it
    const Status& status;
    DoorStats& stats;
    const Clock& clock;
    const Log& log;
    Files files;
    std::string_view openapi;
  };

  Door(const Settings& settings, const Parts& parts);
  ~Door();  // as stop()
  Door(const Door&) = delete;
  Door& operator=(const Door&) = delete;

  void start();

  // Takes over a connection from the acceptor; closes it when the door has ended. Thread-safe.
  void adopt(Descriptor fd, std::string address);

  // There are answers to look at. Thread-safe.
  void wake();

  // Lets answers that are there leave, for a second at most, and ends the thread.
  void stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace syncrelay
