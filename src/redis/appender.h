#pragma once

#include "redis/log_server.h"
#include "redis/log_shared.h"

namespace syncrelay {

// Appends what is outgoing, a few batches ahead of Redis' answers: what is added meanwhile makes
// the next batch, so that they grow with the load. A thread of its own.
class Appender {
 public:
  explicit Appender(LogShared& shared) : shared_(shared) {}

  void run();  // until the log stops

 private:
  static constexpr std::size_t kAhead = 4;  // batches
  static constexpr Duration kPause = std::chrono::milliseconds(100);

  void serve(const Session& session);
  bool send_some(LogServer& server, const Session& session);
  bool is_over(const Session& session) const;
  void complain(const RedisError& error);
  bool heed(const LogServer::Word& answer, const Session& session);

  LogShared& shared_;
  std::size_t unanswered_ = 0;
};

}  // namespace syncrelay
