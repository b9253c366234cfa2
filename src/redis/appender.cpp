#include "redis/appender.h"

#include <chrono>

namespace syncrelay {

void Appender::run() {
  while (!shared_.stopping) {
    const Session session = shared_.gate.current();
    if (session.open) serve(session);
    // One that lost its connection looks again soon; without a session there is nothing to do.
    wait_for(shared_.appender, session.open ? kPause : std::chrono::hours(1));
  }
}

bool Appender::is_over(const Session& session) const {
  if (shared_.stopping) return true;
  const Session current = shared_.gate.current();
  return !current.open || current.number != session.number;
}

// Until the session or the connection ends. Begins with all that has not come back.
void Appender::serve(const Session& session) {
  auto server = LogServer::open(shared_.dialer, shared_.keys, shared_.appender);
  if (!server) return complain(server.error());
  shared_.outgoing.rewind();
  if (shared_.outgoing.is_empty()) shared_.stats.refused = false;
  unanswered_ = 0;
  while (!is_over(session)) {
    shared_.appender.clear();
    if (!send_some(server.value(), session)) {
      wait_for(shared_.appender, std::chrono::hours(1));
      continue;
    }
    if (!heed(server.value().appended(), session)) return;
  }
}

// True: there is an answer to wait for.
bool Appender::send_some(LogServer& server, const Session& session) {
  while (unanswered_ < kAhead) {
    const auto batch = shared_.outgoing.next();
    if (!batch) break;
    server.append(session.epoch, session.relay, batch->number, *batch->data);
    ++unanswered_;
  }
  return unanswered_ > 0;
}

// Once for a row of failures: it is tried again and again.
void Appender::complain(const RedisError& error) {
  if (!shared_.stats.refused.exchange(true) && !shared_.stopping)
    shared_.log.warning("the cluster's Redis took no append", {{"why", error.what}});
}

// False: this connection has come to its end, and the next begins with what has not come back.
bool Appender::heed(const LogServer::Word& answer, const Session& session) {
  if (!answer && answer.error().kind == RedisError::Kind::interrupted) return true;
  if (!answer) {
    complain(answer.error());
    return false;
  }
  --unanswered_;
  if (answer.value() == "OK") {
    shared_.stats.refused = false;
    shared_.stats.appends.add();
    return true;
  }
  if (answer.value() != "GAP") shared_.gate.ended(session.number);
  return false;
}

}  // namespace syncrelay
