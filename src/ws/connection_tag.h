#pragma once

#include <libwebsockets.h>

#include <memory>

#include "client_connection.h"

// What a libwebsockets connection carries as opaque user data: nothing at first, then a mark or,
// once its upgrade is granted, a ClientConnection of its own. (A vhost for the admin listener would
// not do: libwebsockets picks the vhost by the Host header.) Its shard's thread only.
namespace syncrelay {

void mark_as_admin(lws* wsi);     // came in by the admin listener
void mark_as_answered(lws* wsi);  // got an HTTP answer; an admin connection stays one
void give_client(lws* wsi, std::unique_ptr<ClientConnection> client);

bool is_admin(lws* wsi);
bool is_unmarked(lws* wsi);             // has got no answer so far
ClientConnection* client_of(lws* wsi);  // null when it is no client's
std::unique_ptr<ClientConnection> take_client(lws* wsi);

}  // namespace syncrelay
