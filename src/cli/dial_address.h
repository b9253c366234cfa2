#pragma once

#include <string>

// Where to connect to reach what listens at an address: one that stands for all of a host's is
// reached on loopback.
namespace syncrelay {

std::string dial_host(const std::string& host);

// Of a ZeroMQ endpoint.
std::string dial_endpoint(const std::string& endpoint);

}  // namespace syncrelay
