#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "syncrelay/base/bytes.h"

namespace syncrelay {

// Deflates for permessage-deflate (RFC 7692), each time without anything that came before. Keeps 32
// KiB from its first use on. One thread at a time.
class Deflater {
 public:
  // It refers back at most 2^kWindowBits bytes: all that one may ask for who inflates.
  static constexpr int kWindowBits = 12;
  // It is not worth the time, nor is it much shorter, for a message of fewer bytes.
  static constexpr std::size_t kLeastBytes = 150;
  // What end() always ends with: an empty block, at a byte's boundary.
  static constexpr std::string_view kBlockEnd{"\x00\x00\xff\xff", 4};

  Deflater();
  ~Deflater();
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;

  // What add() is given between these two calls is deflated as one. Another one may follow it, so
  // that both together inflate to both texts. Valid until the next call.
  void begin();
  void add(std::string_view text);
  std::string_view end();

  // Puts `text` behind what end() gave, or behind nothing, as it is: as something that may be
  // followed, or as the end of a message's payload (section 7.2.1). Precondition: at most
  // kMaxStored.
  static constexpr std::size_t kMaxStored = 65'535;
  static void append_stored(std::string& payload, std::string_view text);
  static void append_stored_end(std::string& payload, std::string_view text);

  // The payload of a message (section 7.2.1) from its frames, which are not deflated; valid until
  // the next call. None where it takes more than `most` bytes, found before many more are made.
  std::optional<std::string_view> deflate_message(ByteSpan frames, std::size_t most = SIZE_MAX);

 private:
  struct Stream;

  void run(int flush);

  std::unique_ptr<Stream> stream_;  // null: not used yet
  std::string out_;
  std::size_t used_ = 0;         // of it
  std::size_t most_ = SIZE_MAX;  // then it gives up
};

}  // namespace syncrelay
