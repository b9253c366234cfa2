#include "curve.h"

#include <zmq.h>

#include <array>
#include <utility>

#include "syncrelay/config/curve_keys.h"

namespace syncrelay {
namespace {

std::string public_of(const std::string& secret) {
  std::array<char, 41> text{};  // Z85, with a zero
  return zmq_curve_public(text.data(), secret.c_str()) == 0 ? text.data() : "";
}

}  // namespace

bool CurveKeys::use_for(void* socket) const {
  const auto set = [socket](int option, const std::string& key) {
    return zmq_setsockopt(socket, option, key.c_str(), key.size()) == 0;
  };
  return set(ZMQ_CURVE_SERVERKEY, server) && set(ZMQ_CURVE_PUBLICKEY, public_key) &&
         set(ZMQ_CURVE_SECRETKEY, secret);
}

Result<std::optional<CurveKeys>, std::string> curve_keys(const RelayPlace& place) {
  if (place.key.empty()) return std::optional<CurveKeys>();
  auto server = config::read_curve_key(place.server_key);
  if (!server) return server.error().reason;
  auto secret = config::read_curve_key(place.key);
  if (!secret) return secret.error().reason;
  return std::optional(CurveKeys{server.value(), secret.value(), public_of(secret.value())});
}

}  // namespace syncrelay
