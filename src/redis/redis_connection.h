#pragma once

#include <hiredis/hiredis.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "syncrelay/base/clock.h"
#include "syncrelay/base/redis_url.h"
#include "syncrelay/base/result.h"
#include "syncrelay/base/wake.h"

namespace syncrelay {

// A look at a reply or a part of it, for as long as the RedisReply lives. What is asked for and is
// not there is empty or 0: whoever reads a reply checks what it needs.
class RedisValue {
 public:
  explicit RedisValue(const redisReply* reply) : reply_(reply) {}

  bool is_null() const { return reply_ == nullptr || reply_->type == REDIS_REPLY_NIL; }
  bool is_error() const { return reply_ != nullptr && reply_->type == REDIS_REPLY_ERROR; }
  // Of a string, a status or an error.
  std::string_view text() const;
  std::int64_t integer() const;
  std::size_t size() const;  // elements of an array
  RedisValue operator[](std::size_t index) const;

 private:
  const redisReply* reply_;  // null: not there
};

// Owns a reply.
class RedisReply {
 public:
  explicit RedisReply(redisReply* reply) : reply_(reply) {}

  RedisValue value() const { return RedisValue(reply_.get()); }

 private:
  struct Free {
    void operator()(redisReply* reply) const { freeReplyObject(reply); }
  };
  std::unique_ptr<redisReply, Free> reply_;
};

struct RedisError {
  enum class Kind : std::uint8_t {
    broken,       // no connection, or no answer in time: the connection is of no use any more
    interrupted,  // the thread was woken; all is as it was, and the reply may still come
    refused,      // Redis answered with an error: `what` is its text, which begins with a code
  };
  Kind kind;
  std::string what;
};

// A connection to one Redis. Every wait has an end and can be interrupted by a Wake, which stays
// set. One thread. The process ignores SIGPIPE.
class RedisConnection {
 public:
  using Words = std::span<const std::string_view>;
  using Answer = Result<RedisReply, RedisError>;

  // Waits for at most `patience`, and for the resolver where the host is a name. `interrupt` is
  // used for as long as the connection lives.
  static Result<RedisConnection, RedisError> open(const RedisUrl::Host& host, Duration patience,
                                                  const Wake& interrupt);

  // Queues a command. Nothing is sent yet.
  void send(Words words);
  // Sends what is queued, and waits for the next reply; that to an earlier send(), in order. An
  // error reply is an error here. Broken when nothing was heard for `patience`, since there was
  // something to wait for: a large reply may take as long as it comes.
  Answer receive(Duration patience);
  // Sends one command and waits for its reply without regard to the Wake, which is for what takes a
  // moment. Precondition: no other reply is outstanding.
  Answer call(Words words, Duration patience);

 private:
  struct Free {
    void operator()(redisContext* context) const { redisFree(context); }
  };
  RedisConnection(redisContext* context, const Wake& interrupt)
      : context_(context), interrupt_(&interrupt) {}

  Answer receive(Duration patience, int interrupt_fd);
  Result<void, RedisError> wait(TimePoint deadline, int interrupt_fd, bool unsent);
  RedisError broken() const;

  std::unique_ptr<redisContext, Free> context_;
  const Wake* interrupt_;
  std::size_t outstanding_ = 0;  // replies
  TimePoint heard_;              // when bytes went or came last, or the first was waited for
};

}  // namespace syncrelay
