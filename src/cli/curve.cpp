#include "curve.h"

#include <zmq.h>

#include <utility>

#include "syncrelay/cli/curve_secret.h"
#include "syncrelay/config/curve_keys.h"

namespace syncrelay {

bool CurveKeys::use_for(void* socket) const {
  const auto set = [socket](int option, const std::string& key) {
    return zmq_setsockopt(socket, option, key.c_str(), key.size()) == 0;
  };
  return set(ZMQ_CURVE_SERVERKEY, server) && set(ZMQ_CURVE_PUBLICKEY, public_key) &&
         set(ZMQ_CURVE_SECRETKEY, secret);
}

Result<std::optional<CurveKeys>, std::string> curve_keys(const RelayPlace& place) {
  if (place.key.empty()) return std::optional<CurveKeys>();
  auto server = config::read_curve_key(place.server_key, config::CurveKind::public_key);
  if (!server) return server.error().reason;
  auto own = read_curve_secret(place.key);
  if (!own) return own.error();
  return std::optional(CurveKeys{server.value(), own.value().secret, own.value().public_key});
}

}  // namespace syncrelay
