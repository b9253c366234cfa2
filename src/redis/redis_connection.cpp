#include "redis/redis_connection.h"

#include <fcntl.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <vector>

namespace syncrelay {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

timeval to_timeval(Duration duration) {
  const auto whole = std::chrono::duration_cast<seconds>(duration);
  const auto rest = std::chrono::duration_cast<microseconds>(duration - whole);
  return {static_cast<time_t>(whole.count()), static_cast<suseconds_t>(rest.count())};
}

// Rounded up, so that a wait that is almost over is no loop.
int milliseconds_until(TimePoint deadline) {
  const Duration left = deadline - std::chrono::steady_clock::now();
  return static_cast<int>(std::max<std::int64_t>(std::chrono::ceil<milliseconds>(left).count(), 0));
}

// From now on hiredis waits for nothing, and wait() does it.
void stop_blocking(redisContext& context) {
  fcntl(context.fd, F_SETFL, fcntl(context.fd, F_GETFL) | O_NONBLOCK);
  fcntl(context.fd, F_SETFD, FD_CLOEXEC);
  context.flags &= ~REDIS_BLOCK;
}

}  // namespace

std::string_view RedisValue::text() const {
  const bool has = reply_ != nullptr &&
                   (reply_->type == REDIS_REPLY_STRING || reply_->type == REDIS_REPLY_STATUS ||
                    reply_->type == REDIS_REPLY_ERROR);
  return has ? std::string_view(reply_->str, reply_->len) : std::string_view();
}

std::int64_t RedisValue::integer() const {
  return reply_ != nullptr && reply_->type == REDIS_REPLY_INTEGER ? reply_->integer : 0;
}

std::size_t RedisValue::size() const {
  return reply_ != nullptr && reply_->type == REDIS_REPLY_ARRAY ? reply_->elements : 0;
}

RedisValue RedisValue::operator[](std::size_t index) const {
  return RedisValue(index < size() ? reply_->element[index] : nullptr);
}

Result<RedisConnection, RedisError> RedisConnection::open(const RedisUrl::Host& host,
                                                          Duration patience,
                                                          const Wake& interrupt) {
  RedisConnection connection(
      redisConnectWithTimeout(host.name.c_str(), host.port, to_timeval(patience)), interrupt);
  if (!connection.context_) return RedisError{RedisError::Kind::broken, "no memory"};
  if (connection.context_->err != 0) return connection.broken();
  stop_blocking(*connection.context_);
  return connection;
}

void RedisConnection::send(Words words) {
  if (outstanding_++ == 0) heard_ = std::chrono::steady_clock::now();
  std::vector<const char*> texts;
  std::vector<std::size_t> sizes;
  texts.reserve(words.size());
  sizes.reserve(words.size());
  for (const std::string_view word : words) {
    texts.push_back(word.data() == nullptr ? "" : word.data());
    sizes.push_back(word.size());
  }
  redisAppendCommandArgv(context_.get(), static_cast<int>(words.size()), texts.data(),
                         sizes.data());
}

RedisConnection::Answer RedisConnection::receive(Duration patience) {
  return receive(patience, interrupt_->fd());
}

RedisConnection::Answer RedisConnection::call(Words words, Duration patience) {
  send(words);
  return receive(patience, -1);
}

RedisConnection::Answer RedisConnection::receive(Duration patience, int interrupt_fd) {
  for (;;) {
    int sent = 0;
    void* reply = nullptr;
    if (redisBufferWrite(context_.get(), &sent) != REDIS_OK) return broken();
    if (redisGetReplyFromReader(context_.get(), &reply) != REDIS_OK) return broken();
    if (reply != nullptr) {
      RedisReply owned(static_cast<redisReply*>(reply));
      --outstanding_;
      if (!owned.value().is_error()) return owned;
      return RedisError{RedisError::Kind::refused, std::string(owned.value().text())};
    }
    const auto waited = wait(heard_ + patience, interrupt_fd, sent == 0);
    if (!waited) return waited.error();
  }
}

// Until there is something to read (which is read), or room for what is unsent.
Result<void, RedisError> RedisConnection::wait(TimePoint deadline, int interrupt_fd, bool unsent) {
  pollfd watched[] = {{context_->fd, static_cast<short>(unsent ? POLLIN | POLLOUT : POLLIN), 0},
                      {interrupt_fd, POLLIN, 0}};  // poll() passes over -1
  const int ready = poll(watched, 2, milliseconds_until(deadline));
  if (ready < 0 && errno != EINTR) return RedisError{RedisError::Kind::broken, strerror(errno)};
  if (ready < 0) return {};
  if (ready == 0) return RedisError{RedisError::Kind::broken, "no answer in time"};
  if ((watched[0].revents & ~POLLOUT) != 0 && redisBufferRead(context_.get()) != REDIS_OK)
    return broken();
  if (watched[0].revents != 0) heard_ = std::chrono::steady_clock::now();
  if (watched[0].revents == 0) return RedisError{RedisError::Kind::interrupted, "interrupted"};
  return {};
}

RedisError RedisConnection::broken() const {
  const std::string what = context_->errstr;
  return {RedisError::Kind::broken,
          context_->err == REDIS_ERR_PROTOCOL ? "what answers there is no Redis: " + what : what};
}

}  // namespace syncrelay
