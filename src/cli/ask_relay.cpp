#include "ask_relay.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>
#include <thread>
#include <zmq.hpp>

#include "curve.h"
#include "dial_address.h"
#include "syncrelay/config/address.h"
#include "syncrelay/json/json_parts.h"
#include "unreachable.h"

namespace syncrelay {
namespace {

using std::chrono::milliseconds;
using SteadyClock = std::chrono::steady_clock;

constexpr milliseconds kPause{50};  // before the relay is asked again; doubles while it is busy
constexpr milliseconds kLongestBusyPause{1000};
constexpr milliseconds kFirstPatience{500};  // for a connection to come about; doubles each time

// One connection, which ZeroMQ never makes again on its own, and the one request that goes over it.
class Attempt {
 public:
  // `number`: another one for each attempt of a context. ZeroMQ closes sockets in a thread of its
  // own, and until it has come to that, the name of an earlier attempt's events is taken.
  Attempt(zmq::context_t& context, const std::string& endpoint, const std::string& request,
          std::uint64_t number, const std::optional<CurveKeys>& keys)
      : socket_(context, zmq::socket_type::dealer), events_(context, zmq::socket_type::pair) {
    // Milliseconds: nobody waits for so long. After -1, which means never, libzmq 4.3.4 may never
    // close a socket whose handshake failed.
    constexpr int kNever = 3'600'000;
    const std::string events = "inproc://connection-" + std::to_string(number);
    socket_.set(zmq::sockopt::linger, 0);
    socket_.set(zmq::sockopt::reconnect_ivl, kNever);
    if (keys && !keys->use_for(socket_.handle())) throw zmq::error_t();
    if (zmq_socket_monitor(socket_.handle(), events.c_str(), ZMQ_EVENT_ALL) != 0)
      throw zmq::error_t();
    events_.connect(events);
    socket_.connect(endpoint);
    socket_.send(zmq::buffer(request), zmq::send_flags::none);
  }
  ~Attempt() { zmq_socket_monitor(socket_.handle(), nullptr, 0); }
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;

  // nullopt when the connection is lost, was not made within `patience`, or the time is over.
  std::optional<std::string> wait(SteadyClock::time_point deadline, milliseconds patience) {
    const auto give_up = std::min(deadline, SteadyClock::now() + patience);
    while (state_ != State::lost && wait_for_news(connected() ? deadline : give_up)) {
      if (auto answer = take_answer()) return answer;
      take_events();
    }
    return take_answer();
  }

  // Why there was no answer, as far as the handshake tells.
  enum class Handshake : std::uint8_t { not_begun, failed, refused, done };
  Handshake handshake() const { return handshake_; }

 private:
  enum class State : std::uint8_t { connecting, connected, lost };

  bool connected() const { return state_ == State::connected; }

  // False when there is none until `end`.
  bool wait_for_news(SteadyClock::time_point end) {
    std::array<zmq_pollitem_t, 2> items = {
        {{socket_.handle(), 0, ZMQ_POLLIN, 0}, {events_.handle(), 0, ZMQ_POLLIN, 0}}};
    const auto left = std::chrono::ceil<milliseconds>(end - SteadyClock::now());
    if (left <= milliseconds::zero()) return false;
    const int ready = zmq_poll(items.data(), static_cast<int>(items.size()), left.count());
    if (ready < 0 && errno != EINTR) throw zmq::error_t();
    return ready != 0;
  }

  std::optional<std::string> take_answer() {
    zmq::message_t answer;
    if (!socket_.recv(answer, zmq::recv_flags::dontwait)) return std::nullopt;
    return answer.to_string();
  }

  void take_events() {
    zmq::message_t event;
    zmq::message_t address;
    while (events_.recv(event, zmq::recv_flags::dontwait)) {
      std::uint16_t number = 0;
      std::memcpy(&number, event.data(), sizeof number);
      note(number);
      if (!events_.recv(address, zmq::recv_flags::none)) return;
    }
  }

  void note(unsigned event) {
    constexpr unsigned kLost =
        ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_CLOSED | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
        ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;
    if (event == ZMQ_EVENT_CONNECTED) {
      state_ = State::connected;
      handshake_ = Handshake::failed;  // until it is done
    }
    if (event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED) handshake_ = Handshake::done;
    if (event == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH) handshake_ = Handshake::refused;
    if ((event & kLost) != 0) state_ = State::lost;
  }

  zmq::socket_t socket_;
  zmq::socket_t events_;  // what becomes of the connection
  State state_ = State::connecting;
  Handshake handshake_ = Handshake::not_begun;
};

bool is_busy(std::string_view answer) {
  constexpr std::size_t kLargestRefusal = 4096;
  if (answer.size() > kLargestRefusal || json_fault(answer)) return false;
  return without_quotes(json_member(json_member(answer, "error"), "code")) == "busy";
}

// What keys have to do with it, where connections came about and no handshake.
std::string why_no_handshake(bool with_keys) {
  return with_keys ? "somebody is there, but the handshake fails: --curve-server-key is not this "
                     "relay's public key, or it asks for none"
                   : "somebody is there, but the handshake fails: it may ask for a key "
                     "(--curve-key, --curve-server-key), or be no relay";
}

// One invocation's question, asked until it is answered.
class Question {
 public:
  Question(const RelayPlace& place, const std::optional<CurveKeys>& keys,
           const std::string& request, milliseconds timeout)
      : place_(place), keys_(keys), request_(request), timeout_(timeout) {}

  Result<std::string, NoAnswer> ask() {
    const std::string target = dial_endpoint(place_.endpoint);
    milliseconds pause = kPause;
    const milliseconds longest = std::max(kFirstPatience, timeout_);
    for (milliseconds patience = kFirstPatience;; patience = std::min(2 * patience, longest)) {
      if (auto secure = secure_place(place_); !secure) return NoAnswer{secure.error()};
      Attempt attempt(context_, target, request_, attempts_++, keys_);
      auto answer = attempt.wait(deadline_, patience);
      if (attempt.handshake() != Attempt::Handshake::not_begun) handshake_ = attempt.handshake();
      if (!answer && handshake_ == Attempt::Handshake::refused) return refused();
      const bool busy = answer && is_busy(*answer);
      if (answer && !busy) return *std::move(answer);
      pause = busy ? std::min(2 * pause, kLongestBusyPause) : kPause;
      if (SteadyClock::now() + pause >= deadline_) return no_answer(std::move(answer));
      std::this_thread::sleep_for(pause);
    }
  }

 private:
  // `refusal` is the relay's, when it was busy to the end.
  Result<std::string, NoAnswer> no_answer(std::optional<std::string> refusal) {
    if (refusal) return *std::move(refusal);
    std::this_thread::sleep_until(deadline_);
    const bool no_handshake =
        handshake_ == Attempt::Handshake::failed && config::is_tcp_endpoint(place_.endpoint);
    return NoAnswer{
        "no answer from " + place_.endpoint + " within " + std::to_string(timeout_.count()) +
        " ms: " +
        (no_handshake ? why_no_handshake(keys_.has_value()) : why_unreachable(place_.endpoint))};
  }

  NoAnswer refused() const {
    return {"the relay at " + place_.endpoint + " does not let this key in: its --curve-clients " +
            "has to list " + keys_->public_key};
  }

  const RelayPlace& place_;
  const std::optional<CurveKeys>& keys_;
  const std::string& request_;
  const milliseconds timeout_;
  const SteadyClock::time_point deadline_ = SteadyClock::now() + timeout_;
  zmq::context_t context_;
  std::uint64_t attempts_ = 0;
  Attempt::Handshake handshake_ = Attempt::Handshake::not_begun;  // of the last that came to one
};

}  // namespace

Result<std::string, NoAnswer> ask_relay(const RelayPlace& place, const std::string& request,
                                        milliseconds timeout) {
  const auto keys = curve_keys(place);
  if (!keys) return NoAnswer{keys.error()};
  try {
    return Question(place, keys.value(), request, timeout).ask();
  } catch (const zmq::error_t& error) {
    return NoAnswer{"cannot ask " + place.endpoint + ": " + error.what()};
  }
}

}  // namespace syncrelay
