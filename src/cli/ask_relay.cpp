#include "ask_relay.h"

#include <algorithm>
#include <optional>
#include <zmq.hpp>

#include "dial_address.h"
#include "unreachable.h"

namespace syncrelay {
namespace {

using std::chrono::milliseconds;
using SteadyClock = std::chrono::steady_clock;

constexpr milliseconds kFirstPatience{500};  // before a request is sent again; doubles each time
constexpr int kReconnectMilliseconds = 50;

// One try on a socket of its own, so that nothing is left of it in any queue and no answer comes
// late.
std::optional<std::string> try_once(zmq::context_t& context, const std::string& endpoint,
                                    const std::string& request, milliseconds patience) {
  zmq::socket_t socket(context, zmq::socket_type::dealer);
  socket.set(zmq::sockopt::linger, 0);
  socket.set(zmq::sockopt::reconnect_ivl, kReconnectMilliseconds);
  socket.set(zmq::sockopt::rcvtimeo, static_cast<int>(patience.count()));
  socket.connect(endpoint);
  socket.send(zmq::buffer(request), zmq::send_flags::none);
  zmq::message_t answer;
  if (!socket.recv(answer, zmq::recv_flags::none)) return std::nullopt;
  return answer.to_string();
}

std::string silence(const std::string& endpoint, milliseconds timeout) {
  return "no answer from " + endpoint + " within " + std::to_string(timeout.count()) +
         " ms: " + why_unreachable(endpoint);
}

}  // namespace

Result<std::string, NoAnswer> ask_relay(const std::string& endpoint, const std::string& request,
                                        milliseconds timeout) {
  const std::string target = dial_endpoint(endpoint);
  const auto deadline = SteadyClock::now() + timeout;
  try {
    zmq::context_t context;
    for (milliseconds patience = kFirstPatience;; patience *= 2) {
      const auto left = std::chrono::ceil<milliseconds>(deadline - SteadyClock::now());
      if (left <= milliseconds::zero()) return NoAnswer{silence(endpoint, timeout)};
      if (auto answer = try_once(context, target, request, std::min(left, patience))) {
        return *std::move(answer);
      }
    }
  } catch (const zmq::error_t& error) {
    return NoAnswer{"cannot ask " + endpoint + ": " + error.what()};
  }
}

}  // namespace syncrelay
