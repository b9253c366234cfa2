#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "syncrelay/base/result.h"
#include "syncrelay/protocol/close_cause.h"

namespace syncrelay {

// Inflates messages of permessage-deflate (RFC 7692 section 7.2.2), each without anything that came
// before. Keeps 40 KiB from its first use on. One thread at a time.
class Inflater {
 public:
  Inflater();
  ~Inflater();
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  // What the payload of a message inflates to; valid until the next call. The error says what is
  // wrong with it: invalid_deflate, or message_too_large, found before more than `max_bytes` and a
  // few are inflated.
  Result<std::string_view, CloseCause> inflate(std::string_view payload, std::size_t max_bytes);

 private:
  struct Stream;

  bool take(std::string_view deflated, std::size_t max_bytes);
  void make_room(std::size_t max_bytes);
  bool at_block_end() const;

  std::unique_ptr<Stream> stream_;  // null: not used yet
  std::string out_;
  std::size_t used_ = 0;  // of it
};

}  // namespace syncrelay
