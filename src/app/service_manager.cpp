#include "service_manager.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "syncrelay/base/descriptor.h"

namespace syncrelay {
namespace {

// That of the environment, when it is one: a path, or "@" and the name of an abstract socket.
std::string notify_socket() {
  const char* const name = std::getenv("NOTIFY_SOCKET");
  if (name == nullptr || (name[0] != '/' && name[0] != '@')) return {};
  return name;
}

// Of the clock that systemd compares it with.
long long microseconds_of_monotonic_clock() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
}

}  // namespace

ServiceManager::ServiceManager() : socket_(notify_socket()) {}

void ServiceManager::tell_ready() const {
  tell("READY=1");
}

void ServiceManager::tell_reloading() const {
  tell("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(microseconds_of_monotonic_clock()));
}

void ServiceManager::tell_stopping() const {
  tell("STOPPING=1");
}

void ServiceManager::tell(std::string_view words) const {
  sockaddr_un address{};
  if (socket_.empty() || socket_.size() >= sizeof address.sun_path) return;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, socket_.data(), socket_.size());
  if (socket_.front() == '@') address.sun_path[0] = '\0';
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size());
  const Descriptor sender(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!sender) return;
  // The outcome has no reader.
  (void)::sendto(sender.get(), words.data(), words.size(), MSG_NOSIGNAL,
                 reinterpret_cast<const sockaddr*>(&address), size);
}

}  // namespace syncrelay
