// With this recv has a body in its header, which clang takes for a second one beside ours.
#undef _FORTIFY_SOURCE
#include "socket_calls.h"

#include <dlfcn.h>

#include <atomic>

#include "syncrelay/ipc/peer_gate.h"

namespace {

std::atomic<syncrelay::PeerGate*> current_gate{nullptr};

// Only a thread that took a peer in reads from peers and writes to them: all others, the shards'
// above all, do not pay for the gate.
thread_local bool serves_peers = false;

template <typename Function>
Function next_definition(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

int gated_accept(int listener, sockaddr* address, socklen_t* size, int flags) {
  syncrelay::PeerGate* const gate = current_gate.load(std::memory_order_acquire);
  if (gate != nullptr) {
    if (const auto accepted = gate->accept(listener, address, size, flags)) {
      serves_peers = true;
      return *accepted;
    }
  }
  return syncrelay::socket_calls::accept(listener, address, size, flags);
}

ssize_t gated_receive(int fd, void* bytes, std::size_t size, int flags) {
  syncrelay::PeerGate* const gate = current_gate.load(std::memory_order_acquire);
  if (gate != nullptr) {
    if (const auto received = gate->receive(fd, bytes, size, flags)) return *received;
  }
  return syncrelay::socket_calls::receive(fd, bytes, size, flags);
}

ssize_t gated_send(int fd, const void* bytes, std::size_t size, int flags) {
  syncrelay::PeerGate* const gate = current_gate.load(std::memory_order_acquire);
  if (gate != nullptr) {
    if (const auto sent = gate->send(fd, bytes, size, flags)) return *sent;
  }
  return syncrelay::socket_calls::send(fd, bytes, size, flags);
}

}  // namespace

extern "C" {

__attribute__((visibility("default"))) int accept4(int listener, sockaddr* address, socklen_t* size,
                                                   int flags) {
  return gated_accept(listener, address, size, flags);
}

__attribute__((visibility("default"))) int accept(int listener, sockaddr* address,
                                                  socklen_t* size) {
  return gated_accept(listener, address, size, 0);
}

__attribute__((visibility("default"))) ssize_t recv(int fd, void* bytes, std::size_t size,
                                                    int flags) {
  return serves_peers ? gated_receive(fd, bytes, size, flags)
                      : syncrelay::socket_calls::receive(fd, bytes, size, flags);
}

__attribute__((visibility("default"))) ssize_t send(int fd, const void* bytes, std::size_t size,
                                                    int flags) {
  return serves_peers ? gated_send(fd, bytes, size, flags)
                      : syncrelay::socket_calls::send(fd, bytes, size, flags);
}
}

namespace syncrelay::socket_calls {

void set_gate(PeerGate* gate) {
  current_gate.store(gate, std::memory_order_release);
}

int accept(int listener, sockaddr* address, socklen_t* size, int flags) {
  static const auto kNext = next_definition<decltype(&::accept4)>("accept4");
  return kNext(listener, address, size, flags);
}

ssize_t receive(int fd, void* bytes, std::size_t size, int flags) {
  static const auto kNext = next_definition<decltype(&::recv)>("recv");
  return kNext(fd, bytes, size, flags);
}

ssize_t send(int fd, const void* bytes, std::size_t size, int flags) {
  static const auto kNext = next_definition<decltype(&::send)>("send");
  return kNext(fd, bytes, size, flags);
}

bool in_force() {
  return dlsym(RTLD_DEFAULT, "accept4") == reinterpret_cast<void*>(&::accept4) &&
         dlsym(RTLD_DEFAULT, "recv") == reinterpret_cast<void*>(&::recv) &&
         dlsym(RTLD_DEFAULT, "send") == reinterpret_cast<void*>(&::send);
}

}  // namespace syncrelay::socket_calls
