#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

namespace syncrelay {

// The directory for sockets and the lock when neither --runtime-dir nor SYNCRELAY_RUNTIME_DIR names
// one. The Python client computes the same, so that neither side needs configuring on one machine.
// Creates nothing.
std::string default_runtime_dir(uid_t user);

// Where the command socket lies unless --commands says otherwise.
std::string default_commands_endpoint(std::string_view runtime_dir);

// And the control socket, unless --control does.
std::string default_control_endpoint(std::string_view runtime_dir);

}  // namespace syncrelay
