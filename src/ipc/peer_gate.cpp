#include "syncrelay/ipc/peer_gate.h"

#include <fcntl.h>
#include <netdb.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <iterator>
#include <thread>
#include <utility>

#include "inode.h"
#include "socket_calls.h"

namespace syncrelay {
namespace {

// What is not read now is asked for again at once: its thread sleeps a little in between, and has
// as much time for everything else.
constexpr Duration kPause = std::chrono::milliseconds(1);

constexpr Duration kStopped = std::chrono::seconds(10);  // without a byte, in mid-message

constexpr Duration kTimeToGo = std::chrono::seconds(1);  // for who is dismissed to hang up

int open_spare() {
  return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

std::uint64_t unread_bytes(int fd) {
  int bytes = 0;
  return ioctl(fd, FIONREAD, &bytes) == 0 && bytes > 0 ? static_cast<std::uint64_t>(bytes) : 0;
}

std::string address_of(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  char text[NI_MAXHOST] = {};
  const auto* const peer = reinterpret_cast<const sockaddr*>(&address);
  const bool known = getpeername(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0 &&
                     getnameinfo(peer, size, text, sizeof text, nullptr, 0, NI_NUMERICHOST) == 0;
  return known ? text : "unknown";
}

// ZeroMQ takes these for its own fault and ends the process, or asks again without a pause.
bool means_no_room(int error) {
  return error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS;
}

int failed(int error) {
  errno = error;
  return -1;
}

}  // namespace

PeerGate::PeerGate(const Bounds& bounds, const Clock& clock, std::function<void()> held_up)
    : bounds_(bounds), clock_(clock), held_up_(std::move(held_up)), spare_(open_spare()) {
  socket_calls::set_gate(this);
}

PeerGate::~PeerGate() {
  socket_calls::set_gate(nullptr);
  if (spare_ >= 0) close(spare_);
}

bool PeerGate::in_force() {
  return socket_calls::in_force();
}

void PeerGate::watch(Answers answers, const std::function<int()>& bind,
                     ZmtpMeter::Mechanism mechanism) {
  const std::lock_guard lock(mutex_);
  listeners_.emplace(bind(), Listener{answers, mechanism});
}

void PeerGate::found_empty(std::uint64_t completed_before) {
  taken_.store(completed_before, std::memory_order_relaxed);
}

void PeerGate::take_leave() {
  const std::lock_guard lock(mutex_);
  takes_leave_ = true;
  for (const auto& [fd, peer] : peers_) {
    if (peer.answers == Answers::none && inode_of(fd) == peer.inode) shutdown(fd, SHUT_WR);
  }
}

std::uint32_t PeerGate::leaving() {
  const std::lock_guard lock(mutex_);
  forget_gone();
  return static_cast<std::uint32_t>(
      std::count_if(peers_.begin(), peers_.end(), [](const auto& peer) {
        return peer.second.answers == Answers::none && peer.second.meter.has_sent();
      }));
}

void PeerGate::close_to_news() {
  const std::lock_guard lock(mutex_);
  takes_leave_ = true;
  for (auto& [fd, peer] : peers_) peer.still_to_read = unread_bytes(fd);
}

PeerGate::Strangers PeerGate::strangers() {
  const std::lock_guard lock(mutex_);
  return strangers_;
}

// A peer asks from the moment on when all of its handshake was read, which is before ZeroMQ puts
// the question, until ZeroMQ tells it the answer. So the one that the answer is for is among these.
void PeerGate::allow(std::uint64_t question, const std::string& key) {
  const std::lock_guard lock(mutex_);
  for (auto& [fd, peer] : peers_) {
    if (peer.meter.asks()) peer.keys.emplace_back(question, key);
  }
}

// A descriptor's former peer is never taken for the one that has it now, which was not asking when
// that question was answered.
void PeerGate::heard(int fd, std::uint64_t question) {
  const std::lock_guard lock(mutex_);
  const auto peer = peers_.find(fd);
  if (peer == peers_.end() || peer->second.keys.size() < 2) return;
  auto& keys = peer->second.keys;
  const auto own = std::find_if(keys.begin(), keys.end(),
                                [&](const auto& key) { return key.first == question; });
  if (own == keys.end()) return;
  std::swap(keys.front(), *own);
  keys.resize(1);
}

void PeerGate::dismiss(const std::function<bool(const std::string& key)>& may_stay) {
  const std::lock_guard lock(mutex_);
  forget_gone();
  for (auto& [fd, peer] : peers_) {
    const bool stays = std::all_of(peer.keys.begin(), peer.keys.end(),
                                   [&](const auto& key) { return may_stay(key.second); });
    if (stays || peer.ends_at) continue;
    shutdown(fd, SHUT_WR);
    peer.ends_at = clock_.now() + kTimeToGo;
  }
}

void PeerGate::end_dismissed() {
  const std::lock_guard lock(mutex_);
  const TimePoint now = clock_.now();
  for (auto& [fd, peer] : peers_) {
    if (peer.ends_at && *peer.ends_at <= now && inode_of(fd) == peer.inode) shutdown(fd, SHUT_RDWR);
  }
}

std::uint32_t PeerGate::connections() {
  const std::lock_guard lock(mutex_);
  forget_gone();
  return static_cast<std::uint32_t>(peers_.size());
}

std::optional<int> PeerGate::accept(int listener, sockaddr* address, socklen_t* size, int flags) {
  const std::unique_lock lock(mutex_);
  if (listeners_.count(listener) == 0) return std::nullopt;
  if (!has_room(listener)) return turn_away(listener);
  const int fd = socket_calls::accept(listener, address, size, flags);
  if (fd < 0) return means_no_room(errno) ? turn_away(listener) : -1;
  if (const auto gone = peers_.find(fd); gone != peers_.end()) forget(gone);
  const Listener& kind = listeners_.at(listener);
  Peer peer{.inode = inode_of(fd),
            .listener = listener,
            .answers = kind.answers,
            .meter = ZmtpMeter(kind.mechanism)};
  peer.progressed = clock_.now();
  peer.accepted = peer.progressed;
  if (kind.mechanism != ZmtpMeter::Mechanism::none) peer.address = address_of(fd);
  peers_.emplace(fd, peer);
  return fd;
}

bool PeerGate::has_room(int listener) {
  if (takes_leave_) return false;
  make_room_for_handshake(listener);
  if (count(listener) < bounds_.connections) return true;
  forget_gone();
  return count(listener) < bounds_.connections;
}

// Strangers may have half of the room of a socket: then the one goes that has been at its handshake
// for longest, so that they displace each other, and nobody who has a key is kept out.
void PeerGate::make_room_for_handshake(int listener) {
  std::uint32_t strangers = 0;
  auto oldest = peers_.end();
  for (auto peer = peers_.begin(); peer != peers_.end(); ++peer) {
    const Peer& one = peer->second;
    if (one.listener != listener || one.ends_at || one.meter.is_let_in()) continue;
    ++strangers;
    if (oldest == peers_.end() || one.accepted < oldest->second.accepted) oldest = peer;
  }
  if (strangers == 0 || strangers < bounds_.connections / 2) return;
  oldest->second.ends_at = clock_.now();
  if (inode_of(oldest->first) == oldest->second.inode) shutdown(oldest->first, SHUT_RDWR);
}

std::uint32_t PeerGate::count(int listener) const {
  return static_cast<std::uint32_t>(
      std::count_if(peers_.begin(), peers_.end(),
                    [&](const auto& peer) { return peer.second.listener == listener; }));
}

void PeerGate::forget_gone() {
  for (auto peer = peers_.begin(); peer != peers_.end();)
    peer = inode_of(peer->first) == peer->second.inode ? std::next(peer) : forget(peer);
}

PeerGate::Peers::iterator PeerGate::forget(Peers::iterator peer) {
  const Peer& gone = peer->second;
  unfinished_ -= gone.meter.unfinished();
  if (gone.meter.has_begun() && !gone.meter.is_let_in() && !gone.refused) {
    ++strangers_.count;
    strangers_.last_address = gone.address;
  }
  return peers_.erase(peer);
}

// At the bound whoever is in the middle of a message goes on; who has stopped there is closed, as
// if by the network, which ZeroMQ notices.
bool PeerGate::may_begin_message() {
  if (unfinished_ < bounds_.unfinished) return true;
  forget_gone();
  const TimePoint now = clock_.now();
  for (auto& [fd, peer] : peers_) {
    if (peer.meter.unfinished() == 0 || now - peer.progressed < kStopped) continue;
    peer.progressed = now;  // once is enough
    shutdown(fd, SHUT_RDWR);
    cut_off_.fetch_add(1, std::memory_order_relaxed);
  }
  return unfinished_ < bounds_.unfinished;
}

// Takes one connection off the queue and closes it, so that its peer learns at once and the
// listening socket falls silent.
int PeerGate::turn_away(int listener) {
  if (spare_ >= 0) close(std::exchange(spare_, -1));
  const int fd = socket_calls::accept(listener, nullptr, nullptr, SOCK_CLOEXEC);
  const int error = errno;
  if (fd >= 0) close(fd);
  spare_ = open_spare();
  if (fd < 0 && !means_no_room(error)) return failed(error);
  refused_.fetch_add(1, std::memory_order_relaxed);
  return failed(ECONNABORTED);
}

std::optional<ssize_t> PeerGate::receive(int fd, void* bytes, std::size_t size, int flags) {
  std::unique_lock lock(mutex_);
  const auto peer = peers_.find(fd);
  if (peer == peers_.end()) return std::nullopt;
  if (peer->second.refused) return failed(ECONNRESET);
  const std::size_t allowed = may_read(peer->second, size);
  if (allowed > 0)
    return account(peer->second, socket_calls::receive(fd, bytes, allowed, flags), bytes);
  lock.unlock();
  pause();
  return failed(EAGAIN);
}

std::optional<ssize_t> PeerGate::send(int fd, const void* bytes, std::size_t size, int flags) {
  const std::lock_guard lock(mutex_);
  const auto peer = peers_.find(fd);
  if (peer == peers_.end() || peer->second.meter.is_let_in()) return std::nullopt;
  const ssize_t sent = socket_calls::send(fd, bytes, size, flags);
  if (sent > 0)
    judge(fd, peer->second, {static_cast<const char*>(bytes), static_cast<std::size_t>(sent)});
  return sent;
}

// ZeroMQ keeps who is refused until its time for a handshake is over. It closes a connection that
// has ended.
void PeerGate::judge(int fd, Peer& peer, std::string_view sent) {
  const CurveVerdict::Verdict verdict = peer.verdict.add(sent);
  if (verdict == CurveVerdict::Verdict::let_in) peer.meter.let_in();
  if (verdict != CurveVerdict::Verdict::refused || peer.refused) return;
  peer.refused = true;
  peer.ends_at = clock_.now();
  shutdown(fd, SHUT_RDWR);
}

// Not longer than every other millisecond, however many peers there are.
void PeerGate::pause() {
  const TimePoint now = clock_.now();
  if (now < resumed_ + kPause) return;
  std::this_thread::sleep_for(kPause);
  resumed_ = clock_.now();
}

// 0: nothing now.
std::size_t PeerGate::may_read(const Peer& peer, std::size_t size) {
  const auto waiting = static_cast<std::int64_t>(completed_.load(std::memory_order_relaxed) -
                                                 taken_.load(std::memory_order_relaxed));
  if (waiting > static_cast<std::int64_t>(bounds_.waiting)) {
    if (held_up_) held_up_();
    return 0;
  }
  if (peer.meter.between_messages() && !may_begin_message()) return 0;
  if (!peer.still_to_read) return size;
  if (*peer.still_to_read > 0) return std::min<std::uint64_t>(size, *peer.still_to_read);
  return peer.meter.between_messages() ? 0 : std::min<std::uint64_t>(size, peer.meter.to_read());
}

ssize_t PeerGate::account(Peer& peer, ssize_t read, const void* bytes) {
  if (read <= 0) return read;
  const auto size = static_cast<std::size_t>(read);
  if (peer.still_to_read) *peer.still_to_read -= std::min<std::uint64_t>(size, *peer.still_to_read);
  peer.progressed = clock_.now();
  unfinished_ -= peer.meter.unfinished();
  const std::uint64_t completed = peer.meter.add({static_cast<const char*>(bytes), size});
  completed_.fetch_add(completed, std::memory_order_relaxed);
  unfinished_ += peer.meter.unfinished();
  if (!peer.meter.lost() && peer.meter.unfinished() <= bounds_.message) return read;
  cut_off_.fetch_add(1, std::memory_order_relaxed);
  return failed(ECONNRESET);
}

}  // namespace syncrelay
