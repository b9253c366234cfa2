#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "control_socket.h"
#include "syncrelay/post/letter.h"
#include "syncrelay/relay/query.h"

namespace syncrelay {

// Queries to close clients that are under way. Relay thread only.
class Dismissals {
 public:
  static constexpr std::size_t kMax = 16;  // under way at a time

  struct Done {
    Envelope envelope;
    std::uint64_t closed;  // connections
  };

  bool full() const { return under_way_.size() >= kMax; }

  // What the shards are to be told. Precondition: !full().
  std::shared_ptr<const Dismissal> begin(Envelope envelope, const Query& query, std::size_t shards);

  // One shard has done it. What is to be answered, when all have.
  std::optional<Done> take(const Dismissed& dismissed);

  // None is under way any more: who waits for them.
  std::vector<Envelope> end();

 private:
  struct UnderWay {
    Done done;
    std::size_t missing;  // shards that have not done it yet
  };

  std::map<std::uint64_t, UnderWay> under_way_;
  std::uint64_t next_ = 1;
};

}  // namespace syncrelay
