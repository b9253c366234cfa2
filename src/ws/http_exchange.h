#pragma once

#include <libwebsockets.h>

#include <string>
#include <vector>

#include "syncrelay/ws/http_response.h"
#include "syncrelay/ws/upgrade.h"

// The HTTP side of a libwebsockets connection, as plain values.
namespace syncrelay {

// Reads the request line and the headers that matter. Valid while libwebsockets still holds the
// headers.
UpgradeRequest read_request(lws* wsi);

// The arguments of the URL, one string each: "epoch=9f2c61d0a7b34e55".
std::vector<std::string> read_arguments(lws* wsi);

// The peer's address without its port; "unknown" when the socket is gone.
std::string peer_address(lws* wsi);

// Sends the response. False when the connection is lost.
bool send_response(lws* wsi, const HttpResponse& response);

}  // namespace syncrelay
