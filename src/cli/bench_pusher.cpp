#include "bench_pusher.h"

#include <algorithm>
#include <csignal>
#include <utility>
#include <zmq.hpp>

#include "dial_address.h"
#include "syncrelay/cli/report.h"
#include "syncrelay/json/json_parts.h"
#include "syncrelay/protocol/channel_name.h"

namespace syncrelay {
namespace {

using std::chrono::milliseconds;

constexpr std::uint64_t kUnanswered = 500;  // at most; the relay keeps 1,000 answers for a peer
constexpr milliseconds kShortWait{1};
constexpr milliseconds kAnswerNap{100};  // after which it is asked whether to give up

// What the data of an event has besides its number: {"n":123,"pad":"…"}.
std::string padding_of(std::uint64_t size) {
  constexpr std::uint64_t kOthers = 20;
  return std::string(size > kOthers ? size - kOthers : 0, 'x');
}

}  // namespace

BenchPusher::BenchPusher(const RelayPlace& place, std::optional<CurveKeys> keys,
                         const BenchWish& wish, milliseconds patience, std::function<void()> done)
    : place_(place),
      keys_(std::move(keys)),
      wish_(wish),
      patience_(patience),
      on_done_(std::move(done)),
      padding_(padding_of(wish.size)),
      times_(wish.events) {}

BenchPusher::~BenchPusher() {
  give_up();
  if (thread_.joinable()) thread_.join();
}

// Signals are for the thread that waits for clients.
void BenchPusher::start() {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  thread_ = std::thread([this] {
    run();
    done_ = true;
    on_done_();
  });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

std::optional<BenchPusher::Clock::time_point> BenchPusher::sent_at(std::uint64_t n) const {
  const Clock::rep time = n < times_.size() ? times_[n].load(std::memory_order_relaxed) : 0;
  return time == 0 ? std::nullopt : std::optional(Clock::time_point(Clock::duration(time)));
}

void BenchPusher::run() {
  try {
    zmq::context_t context;
    zmq::socket_t socket(context, zmq::socket_type::dealer);
    socket.set(zmq::sockopt::linger, 0);
    if (keys_ && !keys_->use_for(socket.handle())) throw zmq::error_t();
    socket.connect(dial_endpoint(place_.endpoint));
    send_all(&socket);
  } catch (const zmq::error_t& error) {
    fault_ = std::string("cannot send: ") + error.what();
  }
}

std::string BenchPusher::event(std::uint64_t n) const {
  return R"({"op":"broadcast","channel":")" + std::string(kBenchChannel) + R"(","type":")" +
         std::string(kBenchChannel) + R"(","data":{"n":)" + std::to_string(n) + R"(,"pad":")" +
         padding_ + R"("}})";
}

// Each has its time, so that a pause of one is caught up by those that follow.
void BenchPusher::send_all(void* handle) {
  auto& socket = *static_cast<zmq::socket_t*>(handle);
  const Clock::time_point begin = Clock::now();
  for (std::uint64_t n = 0; n < wish_.events && !given_up_; ++n) {
    const auto due = wish_.rate == 0
                         ? begin
                         : begin + std::chrono::nanoseconds(n * 1'000'000'000ULL / wish_.rate);
    for (auto now = Clock::now(); now < due && !given_up_; now = Clock::now()) {
      const auto left = std::chrono::duration_cast<milliseconds>(due - now);
      if (left < kShortWait) {
        std::this_thread::sleep_until(due);
      } else {
        take_answers(handle, std::min(left, kAnswerNap));
      }
    }
    const std::string text = event(n);
    times_[n].store(Clock::now().time_since_epoch().count(), std::memory_order_relaxed);
    socket.send(zmq::buffer(text), zmq::send_flags::none);
    sent_.store(n + 1, std::memory_order_release);
    if (!wait_for_answers(handle, kUnanswered - 1)) return;
  }
  wait_for_answers(handle, 0);
}

// Until no more than so many are missing. False: none comes any more.
bool BenchPusher::wait_for_answers(void* handle, std::uint64_t unanswered) {
  auto progress = Clock::now();
  while (sent_ - answered_ > unanswered && !given_up_) {
    const std::uint64_t before = answered_;
    take_answers(handle, kAnswerNap);
    if (answered_ > before) {
      progress = Clock::now();
    } else if (Clock::now() - progress > patience_) {
      fault_ = "the relay answers no more";
      silent_ = true;
      return false;
    }
  }
  return true;
}

// Waits for one at most so long, and takes what is there then.
void BenchPusher::take_answers(void* handle, milliseconds longest) {
  auto& socket = *static_cast<zmq::socket_t*>(handle);
  zmq::pollitem_t item{socket.handle(), 0, ZMQ_POLLIN, 0};
  zmq::poll(&item, 1, longest);
  zmq::message_t answer;
  while (socket.recv(answer, zmq::recv_flags::dontwait)) {
    ++answered_;
    const std::string_view text(static_cast<const char*>(answer.data()), answer.size());
    if (json_member(text, "ok") == "true") continue;
    ++refused_;
    fault_ = refusal_report(text);
  }
}

}  // namespace syncrelay
