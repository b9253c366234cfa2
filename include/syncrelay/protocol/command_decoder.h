#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "syncrelay/base/result.h"
#include "syncrelay/protocol/command.h"
#include "syncrelay/protocol/rejection.h"

namespace syncrelay {

// Turns a message into a Command, checking everything that can be checked without the state. Keeps
// its buffers from one call to the next; one thread at a time.
class CommandDecoder {
 public:
  explicit CommandDecoder(std::size_t max_command_bytes);
  ~CommandDecoder();
  CommandDecoder(const CommandDecoder&) = delete;
  CommandDecoder& operator=(const CommandDecoder&) = delete;

  // The command is the decoder's own and holds until the next call or until `message` goes,
  // whichever comes first.
  Result<const Command*, Rejection> decode(std::string_view message);

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
  std::size_t max_command_bytes_;
};

}  // namespace syncrelay
