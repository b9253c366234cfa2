#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control_socket.h"
#include "syncrelay/post/letter.h"

namespace syncrelay {

// Queries for the stories of clients that are under way. Relay thread only.
class Explanations {
 public:
  static constexpr std::size_t kMax = 16;  // under way at a time

  // What is known of whom was asked for.
  struct Done {
    Envelope envelope;
    std::string client;                     // as it was asked for
    std::vector<Told::Connection> stories;  // the newest first, up to StoryInquiry::kMaxTold
    std::uint64_t more;                     // connections of which nothing is told here
  };

  bool full() const { return under_way_.size() >= kMax; }

  // What the shards are to be asked for; null: nobody can have that name. `client`: the number of a
  // connection, or an identity, which `@` may stand before. Precondition: !full().
  std::shared_ptr<const StoryInquiry> begin(Envelope& envelope, std::string client,
                                            std::size_t shards);

  // One shard has told what it knows. What is to be answered, when all have.
  std::optional<Done> take(Told told);

  // None is under way any more: who waits for them.
  std::vector<Envelope> end();

 private:
  struct UnderWay {
    Done done;
    std::size_t missing;  // shards that have not told yet
  };

  std::map<std::uint64_t, UnderWay> under_way_;
  std::uint64_t next_ = 1;
};

}  // namespace syncrelay
