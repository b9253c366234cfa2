#include "unreachable.h"

#include <netdb.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <set>
#include <string_view>
#include <vector>

#include "syncrelay/base/descriptor.h"

namespace syncrelay {
namespace {

std::string whoami() {
  std::vector<gid_t> supplementary(static_cast<std::size_t>(std::max(0, getgroups(0, nullptr))));
  supplementary.resize(static_cast<std::size_t>(
      std::max(0, getgroups(static_cast<int>(supplementary.size()), supplementary.data()))));
  std::set<gid_t> groups(supplementary.begin(), supplementary.end());
  groups.insert(getegid());
  std::string text = "uid " + std::to_string(geteuid()) + ", groups ";
  for (const gid_t group : groups) {
    if (text.back() != ' ') text += ',';
    text += std::to_string(group);
  }
  return text;
}

// "srw-rw---- 990:990".
std::string owner_of(const struct stat& file) {
  constexpr std::string_view kBits = "rwxrwxrwx";
  std::string text = "s";
  for (std::size_t i = 0; i < kBits.size(); ++i)
    text += (file.st_mode & (0400U >> i)) != 0 ? kBits[i] : '-';
  return text + ' ' + std::to_string(file.st_uid) + ':' + std::to_string(file.st_gid);
}

std::string no_file(int error) {
  if (error == EACCES) {
    return "permission denied: " + whoami() + " may not search the directories above it";
  }
  if (error == ENOENT || error == ENOTDIR) {
    return "no socket file there (is the relay running, with the same --runtime-dir or --control?)";
  }
  return std::strerror(error);
}

// What the kernel says about a connection; 0 when it takes one.
int connection_error(const sockaddr_un& address) {
  const Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) return errno;
  const int result =
      connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  return result == 0 ? 0 : errno;
}

std::string why_no_connection(int error, const struct stat& file) {
  switch (error) {
    case 0:
      return "it takes connections, but does not answer (it is busy, or a relay of a cluster whose "
             "Redis is away: see its log)";
    case EACCES:
      return "permission denied: " + owner_of(file) + ", but this is " + whoami() +
             " (see the relay's --ipc-group and --ipc-mode)";
    case ECONNREFUSED:
      return "connection refused: the socket file is there, but nobody listens on it (does the "
             "relay run, or has it another --control, and left this file behind?)";
    default:
      return std::strerror(error);
  }
}

std::string why_not_at(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return "the path is too long for a socket";
  std::copy(path.begin(), path.end(), address.sun_path);
  struct stat file {};
  if (stat(path.c_str(), &file) != 0) return no_file(errno);
  if (!S_ISSOCK(file.st_mode)) return "that file is not a socket";
  return why_no_connection(connection_error(address), file);
}

// 0 when it takes a connection.
int connection_error(const addrinfo& address) {
  constexpr timeval kPatience = {1, 0};
  const Descriptor socket(::socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) return errno;
  setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience);
  if (connect(socket.get(), address.ai_addr, address.ai_addrlen) == 0) return 0;
  return errno == EINPROGRESS ? ETIMEDOUT : errno;
}

}  // namespace

std::string why_unreachable(const std::string& endpoint) {
  constexpr std::string_view kIpc = "ipc://";
  constexpr std::string_view kAbstract = "ipc://@";
  if (endpoint.starts_with(kIpc) && !endpoint.starts_with(kAbstract))
    return why_not_at(endpoint.substr(kIpc.size()));
  return "nothing answers there (is the relay running, with the same --control?)";
}

std::string why_unreachable(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int failure = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (failure != 0) return std::string("cannot look up the host: ") + gai_strerror(failure);
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, &freeaddrinfo);
  int error = 0;
  for (const addrinfo* address = found; address != nullptr; address = address->ai_next) {
    error = connection_error(*address);
    if (error == 0) return {};
  }
  return std::strerror(error);
}

}  // namespace syncrelay
