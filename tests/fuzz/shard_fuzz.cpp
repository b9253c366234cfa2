// libFuzzer target: the bytes are the decisions of a random walk through a shard's life, see
// ShardWalk. Whatever happens in whatever order, each client gets whole messages, gapless or with
// the gap admitted.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "support/shard_walk.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace syncrelay::testing;
  static constexpr ShardWalk::Settings kWindows[] = {
      {{2'000, 20}, 3'000, 4},    {{40'000, 30}, 70'000, 6},    {{100'000, 50}, 3'000, 20},
      {{2'000, 20}, 3'000, 6, 4}, {{40'000, 30}, 70'000, 6, 3}, {{100'000, 50}, 3'000, 40, 6},
  };
  ByteChoices choices({reinterpret_cast<const char*>(data), size});
  ShardWalk walk(kWindows[choices.below(6)], choices);
  while (!choices.exhausted()) walk.step();
  const std::string fault = walk.finish();
  if (!fault.empty()) {
    std::fprintf(stderr, "%s\n", fault.c_str());
    std::abort();
  }
  return 0;
}
