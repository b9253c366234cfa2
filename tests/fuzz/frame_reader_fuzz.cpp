// libFuzzer target: a byte for the limit on messages and whether they may be deflated, a byte for
// the seed of the cuts, a byte for the longest read, then what a client sends. However it is cut,
// the same comes of it, no message is over the limit, and what is text is UTF-8.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "support/choices.h"
#include "support/client_stream.h"
#include "syncrelay/base/utf8.h"

namespace {

using namespace syncrelay;
using testing::Outcome;

void require(bool holds) {
  if (!holds) std::abort();
}

void check(const Outcome& outcome, std::uint64_t max_message_bytes) {
  using Kind = Outcome::Kind;
  const bool message = outcome.kind == Kind::text || outcome.kind == Kind::binary;
  require(outcome.payload.size() <= (message ? max_message_bytes : 125));
  if (outcome.kind == Kind::text || outcome.kind == Kind::close)
    require(is_valid_utf8(outcome.payload));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kChoices = 3;
  if (size < kChoices) return -1;
  const bool inflates = (data[0] & 0x80) != 0;
  const std::uint64_t max_message_bytes = std::uint64_t{1} << ((data[0] & 0x7f) % 20);
  testing::SeededChoices choices(data[1]);
  const std::string_view bytes(reinterpret_cast<const char*>(data) + kChoices, size - kChoices);
  const auto outcomes = testing::read_whole(bytes, max_message_bytes, inflates);
  for (const Outcome& outcome : outcomes) check(outcome, max_message_bytes);
  require(testing::read_cut(bytes, max_message_bytes, choices, 1, inflates) == outcomes);
  require(testing::read_cut(bytes, max_message_bytes, choices, 1U + data[2], inflates) == outcomes);
  return 0;
}
