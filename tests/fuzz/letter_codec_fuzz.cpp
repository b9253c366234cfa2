// libFuzzer target: the bytes are letters of an order. Whatever they are, there is a fault inside
// them, or what was read is written as the same bytes again.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "syncrelay/relay/letter_codec.h"

namespace {

using namespace syncrelay;

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  LetterReader reader(bytes);
  LetterWriter writer;
  auto next = reader.next();
  for (; next && next.value(); next = reader.next()) writer.add(*next.value());
  if (next) {
    require(writer.bytes() == bytes);
  } else {
    require(next.error().offset <= size && !next.error().what.empty());
    require(writer.empty() || bytes.starts_with(writer.bytes()));
  }
  return 0;
}
