#pragma once

#include <string>
#include <string_view>

namespace syncrelay {

// Says to systemd how the relay is (the protocol of sd_notify), where that has started it as a
// unit of Type=notify: one datagram for each word, to the socket that NOTIFY_SOCKET names. Without
// that variable it says nothing. What cannot be sent is left unsaid: the manager's time-outs see
// to that. Not libsystemd: that is a library more for a few lines. The main thread's.
class ServiceManager {
 public:
  // Reads NOTIFY_SOCKET.
  ServiceManager();

  void tell_ready() const;      // it serves clients; also at the end of reading files again
  void tell_reloading() const;  // it reads files again
  void tell_stopping() const;

 private:
  void tell(std::string_view words) const;

  std::string socket_;  // empty: nobody asks
};

}  // namespace syncrelay
