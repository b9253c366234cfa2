#pragma once

#include <string>

#include "syncrelay/base/result.h"

namespace syncrelay {

struct KeyPair {
  std::string public_key;  // Z85
};

// Makes a pair of CURVE keys (RFC 26): the secret one goes to `file`, which only this user may
// read, the public one to `file`.pub; a first line says which it is. Neither may be there yet: the
// error says which is, or what went wrong, and leaves nothing behind.
Result<KeyPair, std::string> make_key_pair(const std::string& file);

}  // namespace syncrelay
