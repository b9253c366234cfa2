#include "syncrelay/ws/open_files.h"

#include <algorithm>

namespace syncrelay {
namespace {

constexpr std::uint32_t kOtherConnections = 1024;
constexpr std::uint32_t kCommandConnections = 384;

// Standard streams, listening sockets, lock files, the database, ZeroMQ's threads; and what every
// shard's event loop and context open. Generous: it is a few dozen.
constexpr std::uint32_t kOwnFiles = 64;
constexpr std::uint32_t kOwnFilesOfShard = 8;

// Of what the connections have together, when it is less than they want.
constexpr std::uint32_t kLeastShare = 4;

void set_limit(rlim_t files) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = std::min(files, limit.rlim_max);
  setrlimit(RLIMIT_NOFILE, &limit);
}

rlim_t current_limit() {
  rlimit limit{};
  return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : RLIM_INFINITY;
}

}  // namespace

OpenFiles wanted_open_files(std::uint32_t clients, std::uint32_t shards) {
  const std::uint32_t own = kOwnFiles + kOwnFilesOfShard * shards;
  return {clients, kOtherConnections, kCommandConnections,
          own + clients + kOtherConnections + kCommandConnections};
}

OpenFiles share_open_files(const OpenFiles& wanted, rlim_t limit) {
  if (limit >= wanted.all) return wanted;
  const auto all = static_cast<std::uint32_t>(limit);
  const std::uint32_t own =
      wanted.all - wanted.clients - wanted.other_connections - wanted.command_connections;
  const std::uint32_t free = all - std::min(own, all / 2);
  const std::uint32_t other = std::min(wanted.other_connections, free / kLeastShare);
  const std::uint32_t commands = std::min(wanted.command_connections, free / kLeastShare);
  return {std::min(wanted.clients, free - other - commands), other, commands, all};
}

rlim_t raise_open_files(std::uint32_t wanted) {
  if (current_limit() < wanted) set_limit(wanted);
  return current_limit();
}

OpenFilesScope::OpenFilesScope(std::uint32_t files) : previous_(current_limit()) {
  if (previous_ > files) set_limit(files);
}

OpenFilesScope::~OpenFilesScope() {
  set_limit(previous_);
}

}  // namespace syncrelay
