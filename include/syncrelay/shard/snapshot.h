#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "syncrelay/channel/state.h"
#include "syncrelay/protocol/deflater.h"
#include "syncrelay/protocol/frame.h"
#include "syncrelay/protocol/limits.h"

namespace syncrelay {

class Deflation;

// The part of a channel's `sync:full` message that is the same for every client that gets it at
// this point of the state: `{"type":"sync:full","data":{…}`, and `,"members":{…}` behind it where
// the channel keeps members. It holds copies of both and no text; what a client needs next is
// encoded when it needs it, one wire fragment at a time. The first ones are kept for the next
// clients as long as the snapshot is the newest. Rejected: the whole message as one string, whose
// encoding stops a shard for as long as the state is large, and which each slow client can make it
// keep. Its shard's thread only.
//
// Clients that have negotiated permessage-deflate get the same in fragments that are each deflated
// without what came before, once for all of them; where none are kept, stored, which costs no time.
class Snapshot {
 public:
  // Where a fragment begins. The default: the first.
  struct Place {
    std::size_t block = 0;   // of the state, and behind them of the members,
    std::size_t entry = 0;   // in the block,
    std::size_t offset = 0;  // in the entry's text: the byte that is next
    std::size_t at = 0;      // bytes of text before it
  };
  struct Fragment {
    std::string bytes;  // one frame, to be followed by others
    Place behind;
  };
  static constexpr std::size_t kMaxKeptBytes = 16 * 1024 * 1024;  // plain and deflated
  static constexpr std::size_t kMaxPlainBytes = 4096;

  // `members`: null where none are kept.
  explicit Snapshot(const State& state, std::string_view channel = {},
                    const State* members = nullptr);

  std::size_t size() const { return size_; }  // of the text

  // A snapshot so small that each client gets it as a single frame has its text here; else empty.
  const std::string& plain() const { return plain_; }
  // The same deflated, for something to be put behind it; empty where that is not worth it or may
  // not be done now.
  const std::string& plain_deflated(Deflation& deflation);

  // What a fragment is given with, besides the snapshot's own.
  struct Encoding {
    Coding coding;
    Fragment& scratch;  // where it is encoded if it is not kept
    Deflater& deflater;
  };
  struct Given {
    const Fragment& fragment;
    std::size_t effort;  // bytes encoded or to be offered; those that were deflated now weigh more
  };
  // The fragment that begins at `place`, which is the default or behind another one of this coding;
  // valid until the next call. Precondition: !ends_at(place).
  Given fragment(const Place& place, const Encoding& encoding);
  bool ends_at(const Place& place) const { return place.at == size_; }

  // Keeps no fragments from now on, until it is to keep() them again; clients that are in the
  // middle go on.
  void retire();
  void keep() { may_keep_bytes_ = kMaxKeptBytes; }

  const State& state() const { return state_; }
  const State& members() const { return members_; }  // empty where none are kept

 private:
  std::size_t block_count() const { return state_.block_count() + members_.block_count(); }
  const State::Block& block(std::size_t index) const;
  std::string lead(const Place& place) const;
  std::string_view value(const Place& place) const;
  void step(Place& place) const;
  void encode(const Place& place, Fragment& fragment) const;
  void store(const Place& place, Fragment& fragment) const;
  void deflate(const Place& place, Fragment& fragment, Deflater& deflater) const;
  template <typename Write>
  void read(Place& place, std::size_t size, Write write) const;

  const State state_;
  const bool keeps_members_;
  const State members_;
  const std::string head_;
  const std::size_t size_;
  std::string plain_;
  std::string plain_deflated_;
  std::array<std::vector<Fragment>, 2> kept_;  // by coding; from the first on
  std::size_t kept_bytes_ = 0;
  std::size_t may_keep_bytes_ = kMaxKeptBytes;
};

}  // namespace syncrelay
