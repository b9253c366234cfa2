#include "syncrelay/cli/curve_secret.h"

#include <zmq.h>

#include <array>

#include "syncrelay/config/curve_keys.h"

namespace syncrelay {
namespace {

std::string public_of(const std::string& secret) {
  std::array<char, 41> text{};  // Z85, with a zero
  return zmq_curve_public(text.data(), secret.c_str()) == 0 ? text.data() : "";
}

}  // namespace

Result<CurveSecret, std::string> read_curve_secret(const std::string& path) {
  const auto secret = config::read_curve_key(path, config::CurveKind::secret_key);
  if (!secret) return secret.error().reason;
  CurveSecret pair{secret.value(), public_of(secret.value())};
  const auto beside = config::read_curve_key(path + ".pub", config::CurveKind::public_key);
  if (!beside || beside.value() == pair.public_key) return pair;
  return path + ": its key is not the secret one of " + path +
         ".pub: either is of another pair, or the public key was put in the place of the secret "
         "one";
}

}  // namespace syncrelay
