#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace syncrelay {

// What happens inside Redis, each in one step. Every script has the keys of LogKeys, in that order,
// and decides nothing but by what it finds there and by what the server says of itself. The
// contract of each stands above its text in scripts.cpp.
enum class Script : std::uint8_t {
  survey,
  enter,
  append,
  beat,
  look,
  leave,
  turn,
  record,
  doubt,
  bid,
  found,
};
inline constexpr std::size_t kScripts = 11;

// The whole text of a script.
std::string text_of(Script script);

// All keys of a cluster. In braces, because Redis Cluster keeps all keys with the same text in
// braces in one place.
//
//   info     hash: replid, epoch, generation, n, settings, newest, older, broken, turn, beat
//   log      stream: v (1), k (l letters, g gone, f founded), g generation, n running number,
//            r relay, b number of the relay's batch, d data
//   relays   hash: relay → milliseconds of its last sign of life
//   batches  hash: relay → number of its last batch; who is in it may append
//   gone     list: "RELAY BATCH" of those that were declared gone, with their last; 1,000 of them
//   bids     hash: replid, opened, chosen, b:RELAY → bid, p:RELAY → 1 for whom a bidder knows
//   checkpoint:NAME:0 …  the parts of a checkpoint
struct LogKeys {
  explicit LogKeys(const std::string& prefix);

  static constexpr std::size_t kCount = 6;
  std::array<std::string, kCount> names;

  const std::string& log() const { return names[1]; }
  // Of a part of a checkpoint.
  std::string part(std::string_view checkpoint, std::size_t index) const;

 private:
  std::string tag_;
};

}  // namespace syncrelay
