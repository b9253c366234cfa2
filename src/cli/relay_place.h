#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "syncrelay/base/result.h"
#include "syncrelay/config/invocation.h"

namespace syncrelay {

// Where a relay is asked.
struct RelayPlace {
  std::string endpoint;
  // The directory under /tmp in which the endpoint lies by default. Anybody can make it, and would
  // get what is sent: it must belong to this process's user. Empty when the user named the place.
  std::string own_dir;
  // Files with the relay's public CURVE key and the secret one of this process; empty: it is asked
  // without keys.
  std::string server_key;
  std::string key;
};

RelayPlace relay_place(const Invocation& invocation);

// Makes the directory that must be this user's, so that nobody else does. An error when somebody
// else did; it says what to do.
Result<void, std::string> secure_place(const RelayPlace& place);

// Who bound the socket file: the relay's user. nullopt where there is no file.
std::optional<uid_t> owner_of_socket(const RelayPlace& place);

}  // namespace syncrelay
