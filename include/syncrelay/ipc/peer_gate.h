#pragma once

#include <sys/socket.h>
#include <sys/types.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "syncrelay/base/clock.h"
#include "syncrelay/ipc/curve_verdict.h"
#include "syncrelay/ipc/zmtp_meter.h"

namespace syncrelay {

// Stands between ZeroMQ and the kernel for the connections to the command sockets: how many there
// are, how many bytes of commands wait in memory, and whether more is read at all. ZeroMQ bounds
// neither: it ends the process when no descriptor is left for a connection, counts messages where
// bytes matter, and keeps the parts of a message that is never completed. Its calls of accept(),
// recv() and send() come here instead (socket_calls.cpp), which is why there is at most one gate at
// a time.
//
// Who is asked for a key is a stranger until ZeroMQ has told it that it is let in: it counts for
// nothing but its connection, says no more than its handshake, and is closed when it is refused.
//
// Invariants: a peer that is over a bound is closed or not read from, never half served; what is
// counted here is asked of the kernel again (a descriptor that is another socket by now is a peer
// that went), so that no count can drift.
//
// Rejected: a socket monitor that unbinds at the bound (ZeroMQ goes on accepting until the unbind
// reaches its thread); a process of its own or a relay of bytes in front (a copy and a wake-up per
// command); high-water marks for bytes (they count whole messages, 1,000 of 8 MiB as of 8 bytes).
//
// Thread-safe. ZeroMQ's thread asks, the relay's tells; the context must have one I/O thread.
class PeerGate {
 public:
  struct Bounds {
    std::uint32_t connections;  // to each watched socket
    std::uint64_t waiting;  // weight of complete messages that nobody took: then no more is read
    std::uint64_t message;  // weight of all frames of one message: its peer is closed
    // Weight of the messages under way on all connections together: then no other message is begun
    // (the one that reached the bound may go beyond it), and who has stopped in the middle of one
    // is closed.
    std::uint64_t unfinished = UINT64_MAX;
  };
  // `clock` must outlive the gate. `held_up` is called, on ZeroMQ's thread and about once a
  // millisecond, while no more is read because so much waits: if nothing does that can be taken, as
  // with what ZeroMQ answers or drops by itself, found_empty() is due. It must not call the gate.
  PeerGate(const Bounds& bounds, const Clock& clock, std::function<void()> held_up = {});
  ~PeerGate();
  PeerGate(const PeerGate&) = delete;
  PeerGate& operator=(const PeerGate&) = delete;

  // Whether the peers of a listening socket hear of each message what became of it.
  enum class Answers : std::uint8_t { none, each };

  // Has `bind`, which returns the descriptor of a listening socket, run while nothing is accepted;
  // what comes in on that socket is a peer from the first connection on.
  // `mechanism`: what all its peers are asked for.
  void watch(Answers answers, const std::function<int()>& bind,
             ZmtpMeter::Mechanism mechanism = ZmtpMeter::Mechanism::none);

  // Completed messages by weight since the start: to be read before sockets are looked at, and
  // given to found_empty() when they were.
  std::uint64_t completed() const { return completed_.load(std::memory_order_relaxed); }
  void found_empty(std::uint64_t completed_before);

  // One frame was taken out of ZeroMQ.
  void took(std::size_t frame_bytes) {
    taken_.fetch_add(frame_weight(frame_bytes), std::memory_order_relaxed);
  }

  // Nobody else gets in, and who hears no answers is told that this is the end: by half a close, so
  // that nothing is lost of what it sends until it hangs up. Another relay gets what comes next.
  void take_leave();
  // How many of those have ever sent a message and not hung up yet.
  std::uint32_t leaving();

  // From now on only what lies in the kernel already is read, and the rest of a message that it
  // ends in; nobody else gets in.
  void close_to_news();

  // A question whether a key may connect is about to be answered with yes. It came from one of
  // those that wait for such an answer. `question`: another one each time; ZeroMQ is to know the
  // peer by it. `key`: what dismiss() is to ask for.
  void allow(std::uint64_t question, const std::string& key);
  // A message came by the connection `fd`, from the peer that ZeroMQ knows by `question`.
  void heard(int fd, std::uint64_t question);

  // Ends the connections of the peers whose key `may_stay` does not let stay; where it is not known
  // which of several keys a peer has (they came at once, and it has said nothing so far), of those
  // for whom it may be such a one: they come back. By half a close, as take_leave(), and a second
  // later for good, see end_dismissed(). `may_stay` must not call the gate.
  void dismiss(const std::function<bool(const std::string& key)>& may_stay);
  // To be called now and then.
  void end_dismissed();

  // Who was asked for a key, said something, and went without having been let in or refused, since
  // the start.
  struct Strangers {
    std::uint64_t count = 0;
    std::string last_address;
  };
  Strangers strangers();

  std::uint32_t connections();  // now
  std::uint64_t refused() const { return refused_.load(std::memory_order_relaxed); }
  std::uint64_t cut_off() const { return cut_off_.load(std::memory_order_relaxed); }

  // Whether ZeroMQ's calls come here at all.
  static bool in_force();

  // In place of the C library's; nullopt: the socket is none of the gate's.
  std::optional<int> accept(int listener, sockaddr* address, socklen_t* size, int flags);
  std::optional<ssize_t> receive(int fd, void* bytes, std::size_t size, int flags);
  std::optional<ssize_t> send(int fd, const void* bytes, std::size_t size, int flags);

 private:
  struct Listener {
    Answers answers;
    ZmtpMeter::Mechanism mechanism;
  };
  struct Peer {
    ino_t inode;  // of its socket
    int listener;
    Answers answers;
    ZmtpMeter meter = ZmtpMeter();
    std::optional<std::uint64_t> still_to_read = {};  // once closed to news
    TimePoint progressed = {};                        // when bytes came last
    TimePoint accepted = {};
    std::optional<TimePoint> ends_at = {};  // it is to go
    std::string address = {};               // where it is asked for a key
    CurveVerdict verdict = {};
    bool refused = false;                                       // its key is not listed
    std::vector<std::pair<std::uint64_t, std::string>> keys{};  // it has one of them; by question
  };
  using Peers = std::map<int, Peer>;  // by descriptor

  bool has_room(int listener);
  void make_room_for_handshake(int listener);
  std::uint32_t count(int listener) const;
  void forget_gone();
  Peers::iterator forget(Peers::iterator peer);
  void judge(int fd, Peer& peer, std::string_view sent);
  bool may_begin_message();
  int turn_away(int listener);
  std::size_t may_read(const Peer& peer, std::size_t size);
  ssize_t account(Peer& peer, ssize_t read, const void* bytes);
  void pause();

  const Bounds bounds_;
  const Clock& clock_;
  const std::function<void()> held_up_;
  std::mutex mutex_;  // guards all below that is not atomic
  std::map<int, Listener> listeners_;
  Peers peers_;
  std::uint64_t unfinished_ = 0;  // weight of the messages under way
  Strangers strangers_;
  int spare_;  // given up for a moment to take in and close a connection when there is no other
  bool takes_leave_ = false;  // nobody else gets in
  TimePoint resumed_{};       // ZeroMQ's thread only: when it last slept
  std::atomic<std::uint64_t> completed_{0};
  std::atomic<std::uint64_t> taken_{0};
  std::atomic<std::uint64_t> refused_{0};
  std::atomic<std::uint64_t> cut_off_{0};
};

}  // namespace syncrelay
