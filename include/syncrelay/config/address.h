#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "syncrelay/config/config.h"

namespace syncrelay::config {

// sun_path is 108 bytes with its zero; ZeroMQ accepts a path of up to this many.
inline constexpr std::size_t kMaxIpcPath = 107;

// An address or a name, as far as that can be told without asking a resolver.
bool is_host(std::string_view text);

// Of a numeric address; a name counts as one that others may reach.
bool is_loopback(std::string_view host);

// "127.0.0.1:8643", "[::1]:8643", "admin.internal:8643".
std::optional<HostPort> parse_host_port(std::string_view text);
std::string format_host_port(const HostPort& address);

// Why the relay would not bind this command endpoint; nothing when it would.
std::optional<std::string> endpoint_problem(std::string_view endpoint);

bool is_tcp_endpoint(std::string_view endpoint);

// True for a tcp:// endpoint that others than this host may reach. Precondition: no
// endpoint_problem().
bool is_remote_endpoint(std::string_view endpoint);

// Why this cannot equal an Origin header, nor is "*"; nothing when it can.
std::optional<std::string> origin_problem(std::string_view origin);

}  // namespace syncrelay::config
