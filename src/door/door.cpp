#include "syncrelay/door/door.h"

#include <poll.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>
#include <utility>
#include <vector>

#include "door_connection.h"
#include "syncrelay/base/mailbox.h"
#include "syncrelay/base/wake.h"

namespace syncrelay {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kTick{250};
constexpr Duration kLastWords = std::chrono::seconds(1);  // for answers to leave at the stop
constexpr LineBudget::Bounds kLines{1, 1};                // a second

// A connection that the acceptor took.
struct DoorSocket {
  Descriptor fd;
  std::string address;
};
constexpr std::size_t weight(const DoorSocket&) {
  return 1;
}

}  // namespace

struct Door::Impl {
  Impl(const Settings& settings, const Parts& parts)
      : clock(parts.clock),
        errands(parts.errands),
        sockets({settings.connections, settings.connections}, [this] { wake.set(); }),
        context{.settings = settings,
                .parts = parts,
                .transients = Transients({std::max(settings.connections / 2, 1U), 0}),
                .lines = LineBudget(kLines, parts.clock.now())} {}

  void run();
  void turn(milliseconds patience);
  void adopt_sockets();
  void hand_out_answers();
  void end_overdue(TimePoint now);
  milliseconds until_next() const;
  void end();

  const Clock& clock;
  Errands& errands;
  Wake wake;
  Mailbox<DoorSocket> sockets;
  DoorContext context;
  std::vector<std::unique_ptr<DoorConnection>> connections;
  std::vector<pollfd> polled;  // the wake, then the connections in their order
  std::vector<ErrandAnswer> answers;
  std::vector<DoorSocket> arrived;
  bool gave_up = false;  // on all errands: the relay answers no more
  std::atomic<bool> stopping{false};
  std::thread thread;
};

void Door::Impl::run() {
  while (!stopping) turn(until_next());
  end();
  connections.clear();
}

// What is there leaves, and nothing else is taken.
void Door::Impl::end() {
  const TimePoint until = clock.now() + kLastWords;
  hand_out_answers();
  for (auto& connection : connections) {
    if (!connection->end_soon()) connection.reset();
  }
  std::erase(connections, nullptr);
  while (!connections.empty() && clock.now() < until) turn(kTick);
}

void Door::Impl::turn(milliseconds patience) {
  polled = {{wake.fd(), POLLIN, 0}};
  for (const auto& connection : connections)
    polled.push_back({connection->fd(), connection->events(), 0});
  if (poll(polled.data(), polled.size(), static_cast<int>(patience.count())) < 0) return;
  for (std::size_t index = 1; index < polled.size(); ++index) {
    auto& connection = connections[index - 1];
    if (polled[index].revents != 0 && !connection->displaced() &&
        !connection->handle(polled[index].revents)) {
      connection.reset();
    }
  }
  std::erase(connections, nullptr);
  if (polled[0].revents != 0) {
    wake.clear();
    hand_out_answers();
    adopt_sockets();
  }
  end_overdue(clock.now());
}

// What has come with it is read in the next turn.
void Door::Impl::adopt_sockets() {
  sockets.take(arrived);
  for (DoorSocket& socket : arrived) {
    connections.push_back(
        std::make_unique<DoorConnection>(std::move(socket.fd), std::move(socket.address), context));
  }
  arrived.clear();
}

void Door::Impl::hand_out_answers() {
  errands.take(answers);
  for (ErrandAnswer& answer : answers) {
    const auto found = std::find_if(connections.begin(), connections.end(), [&](const auto& each) {
      return each->errand() == answer.number;
    });
    if (found == connections.end()) {
      errands.let_go(answer.text.size());
    } else if (!(*found)->answered(std::move(answer))) {
      connections.erase(found);
    }
  }
  answers.clear();
  if (!errands.closed() || std::exchange(gave_up, true)) return;
  for (auto& connection : connections) {
    if (connection->errand() != 0 && !connection->give_up_errand()) connection.reset();
  }
  std::erase(connections, nullptr);
}

void Door::Impl::end_overdue(TimePoint now) {
  std::erase_if(connections, [now](const auto& connection) {
    return (connection->displaced() || connection->deadline() <= now) && !connection->tick(now);
  });
}

milliseconds Door::Impl::until_next() const {
  if (connections.empty()) return milliseconds(-1);
  const TimePoint now = clock.now();
  TimePoint next = now + kTick;
  for (const auto& connection : connections) next = std::min(next, connection->deadline());
  return std::max(std::chrono::ceil<milliseconds>(next - now), milliseconds(0));
}

Door::Door(const Settings& settings, const Parts& parts)
    : impl_(std::make_unique<Impl>(settings, parts)) {}

Door::~Door() {
  stop();
}

void Door::start() {
  impl_->thread = std::thread([this] { impl_->run(); });
}

void Door::adopt(Descriptor fd, std::string address) {
  impl_->sockets.post({std::move(fd), std::move(address)});
}

void Door::wake() {
  impl_->wake.set();
}

void Door::stop() {
  if (!impl_->thread.joinable()) return;
  impl_->stopping = true;
  impl_->wake.set();
  impl_->thread.join();
  impl_->sockets.close();
}

}  // namespace syncrelay
