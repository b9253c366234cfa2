#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace syncrelay {

// Why a connection ended. Closed list: it labels `syncrelay_clients_closed_total`.
enum class CloseCause : std::uint8_t {
  client_closed,      // the client sent a close frame; the code is its own
  connection_lost,    // reset, or gone without a close frame
  ping_timeout,       // no sign of life after a ping
  stalled,            // took no byte for the stall timeout
  message_too_large,  // over the limit on a client's message
  protocol_error,     // broke RFC 6455
  invalid_utf8,       // text that is not UTF-8
  over_capacity,  // slow clients together held back more memory than allowed, and this one held the
                  // oldest
  relay_stopping,
  rate_limited,        // said too much for too long
  token_expired,       // and no newer one came
  dismissed,           // as a backend commanded; the code and the reason are its own
  invalid_deflate,     // a deflated message that does not inflate
  cluster_began_anew,  // the log of all relays goes on under another epoch
};

// WebSocket close codes (RFC 6455 section 7.4) as this relay uses them.
enum class CloseCode : std::uint16_t {
  none = 1005,      // the client's close frame had no code; never on the wire
  abnormal = 1006,  // there was no close frame; never on the wire
  going_away = 1001,
  protocol_error = 1002,
  invalid_data = 1007,
  policy = 1008,
  message_too_large = 1009,
  service_restart = 1012,
  over_capacity = 1013,
  dismissed = 4000,     // where the backend names none
  unauthorized = 4401,  // without a token that is good
  rate_limited = 4429,
  forbidden = 4403,  // to who is refused behind a granted handshake; never a client's end
};

struct CloseCauseInfo {
  CloseCause cause;
  std::string_view name;  // label in metrics and log
  CloseCode code;         // what the relay sends, or records where nothing can be sent
};

inline constexpr std::array<CloseCauseInfo, 14> kCloseCauses = {{
    {CloseCause::client_closed, "client_closed", CloseCode::none},
    {CloseCause::connection_lost, "connection_lost", CloseCode::abnormal},
    {CloseCause::ping_timeout, "ping_timeout", CloseCode::abnormal},
    {CloseCause::stalled, "stalled", CloseCode::abnormal},
    {CloseCause::message_too_large, "message_too_large", CloseCode::message_too_large},
    {CloseCause::protocol_error, "protocol_error", CloseCode::protocol_error},
    {CloseCause::invalid_utf8, "invalid_utf8", CloseCode::invalid_data},
    {CloseCause::over_capacity, "over_capacity", CloseCode::over_capacity},
    {CloseCause::relay_stopping, "relay_stopping", CloseCode::going_away},
    {CloseCause::rate_limited, "rate_limited", CloseCode::rate_limited},
    {CloseCause::token_expired, "token_expired", CloseCode::unauthorized},
    {CloseCause::dismissed, "dismissed", CloseCode::dismissed},
    {CloseCause::invalid_deflate, "invalid_deflate", CloseCode::invalid_data},
    {CloseCause::cluster_began_anew, "cluster_began_anew", CloseCode::service_restart},
}};

constexpr const CloseCauseInfo& info(CloseCause cause) {
  return kCloseCauses[static_cast<std::size_t>(cause)];
}

}  // namespace syncrelay
