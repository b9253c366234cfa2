#include "syncrelay/redis/cluster_log.h"

#include <poll.h>

#include <algorithm>
#include <thread>

#include "redis/appender.h"
#include "redis/keeper.h"
#include "redis/log_shared.h"
#include "redis/reader.h"

namespace syncrelay {
namespace {

// Events that the user has not taken; beyond it the log is not read.
constexpr Mailbox<ClusterEvent>::Bounds kEvents = {4096, 16 << 20};

}  // namespace

void wait_for(Wake& wake, Duration duration) {
  pollfd watched = {wake.fd(), POLLIN, 0};
  const auto limit = std::chrono::ceil<std::chrono::milliseconds>(duration).count();
  poll(&watched, 1, static_cast<int>(std::max<std::int64_t>(limit, 0)));
  wake.clear();
}

LogShared::LogShared(ClusterLog::Settings s, const Log& l)
    : settings(std::move(s)),
      options(text_of(settings.options)),
      log(l),
      keys(settings.url.prefix),
      dialer(settings.url, keys.log()),
      first_relay(NodeId::random()),
      stats(settings.stats == nullptr ? own_stats : *settings.stats),
      gate(reader, appender, keeper),
      outgoing({settings.bytes, settings.appends}),
      events(kEvents, [this] {
        arrived.set();
        if (settings.wake) settings.wake();
      }) {}

struct ClusterLog::Impl {
  Impl(Settings settings, const Log& log) : shared(std::move(settings), log) {}

  void end(std::thread& thread, Wake& wake) {
    wake.set();
    if (thread.joinable()) thread.join();
  }

  LogShared shared;
  Reader reader{shared};
  Appender appender{shared};
  Keeper keeper{shared};
  std::thread reading, appending, keeping;
};

ClusterLog::ClusterLog(Settings settings, const Log& log)
    : impl_(std::make_unique<Impl>(std::move(settings), log)) {}

ClusterLog::~ClusterLog() {
  stop();
}

void ClusterLog::start() {
  impl_->shared.stats.refused = false;
  impl_->shared.stats.lag.begin(std::chrono::steady_clock::now());
  impl_->reading = std::thread([impl = impl_.get()] { impl->reader.run(); });
  impl_->appending = std::thread([impl = impl_.get()] { impl->appender.run(); });
  impl_->keeping = std::thread([impl = impl_.get()] { impl->keeper.run(); });
}

// The reader goes last: it would close the session in which the keeper leaves.
void ClusterLog::stop() {
  impl_->shared.stopping = true;
  impl_->shared.events.close();
  impl_->end(impl_->appending, impl_->shared.appender);
  impl_->end(impl_->keeping, impl_->shared.keeper);
  impl_->shared.reading_over = true;
  impl_->end(impl_->reading, impl_->shared.reader);
}

NodeId ClusterLog::relay() const {
  return impl_->shared.first_relay;
}

bool ClusterLog::append(std::string_view bytes, std::uint64_t appends) {
  if (!impl_->shared.outgoing.add(bytes, appends)) return false;
  impl_->shared.appender.set();
  return true;
}

bool ClusterLog::has_room() const {
  return impl_->shared.outgoing.has_room();
}

void ClusterLog::take(std::vector<ClusterEvent>& events) {
  impl_->shared.arrived.clear();
  impl_->shared.events.take(events);
}

int ClusterLog::fd() const {
  return impl_->shared.arrived.fd();
}

void ClusterLog::put_checkpoint(std::uint64_t number, std::string state) {
  impl_->shared.desk.hand_in(number, std::move(state));
  impl_->shared.keeper.set();
  impl_->shared.reader.set();
}

bool ClusterLog::reachable() const {
  return impl_->shared.stats.reachable();
}

bool ClusterLog::caught_up() const {
  return impl_->shared.caught_up;
}

}  // namespace syncrelay
