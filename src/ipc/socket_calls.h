#pragma once

#include <sys/socket.h>
#include <sys/types.h>

#include <cstddef>

// accept(), recv() and send() as the C library has them, and the ones that this binary has in their
// place: a definition in an executable comes before the C library's for every shared library, as
// with an allocator. Calls that do not concern a gate's connections go straight through.
namespace syncrelay {

class PeerGate;

namespace socket_calls {

// The gate that is asked from now on; null for none.
void set_gate(PeerGate* gate);

// The C library's.
int accept(int listener, sockaddr* address, socklen_t* size, int flags);
ssize_t receive(int fd, void* bytes, std::size_t size, int flags);
ssize_t send(int fd, const void* bytes, std::size_t size, int flags);

// Whether shared libraries call the ones of this binary.
bool in_force();

}  // namespace socket_calls
}  // namespace syncrelay
