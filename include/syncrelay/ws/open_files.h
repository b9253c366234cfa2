#pragma once

#include <sys/resource.h>

#include <cstdint>

namespace syncrelay {

// Who may take how many of the process' open files. Each share is a bound that its owner keeps, so
// that none takes another one's: what is left over belongs to what the relay opens itself.
struct OpenFiles {
  std::uint32_t clients;
  std::uint32_t other_connections;  // that are no clients: Transients, and what waits to be adopted
  std::uint32_t command_connections;  // to the command sockets and the control socket
  std::uint32_t all;                  // with the relay's own: no descriptor reaches this number

  bool operator==(const OpenFiles&) const = default;
};

// What `clients` connections and `shards` threads need.
OpenFiles wanted_open_files(std::uint32_t clients, std::uint32_t shards);

// `wanted` as far as there is room for it: connections of all kinds get less, the relay does not.
OpenFiles share_open_files(const OpenFiles& wanted, rlim_t limit);

// Raises the process' limit as far as `wanted` needs it and the hard limit allows; never lowers it.
// Returns the limit that is in force.
rlim_t raise_open_files(std::uint32_t wanted);

// Shows a limit of at most `files` in its scope. libwebsockets makes tables of that size, 16 bytes
// an entry in every context, when a context is created (with a limit over ten million, as
// containers have it, 4.1 makes them of 2,560 entries instead, and takes in no descriptor above).
// Its own fd_limit_per_thread would have it search its table at every event. Process-wide: only
// while nobody else needs more files.
class OpenFilesScope {
 public:
  explicit OpenFilesScope(std::uint32_t files);
  ~OpenFilesScope();
  OpenFilesScope(const OpenFilesScope&) = delete;
  OpenFilesScope& operator=(const OpenFilesScope&) = delete;

 private:
  rlim_t previous_;
};

}  // namespace syncrelay
