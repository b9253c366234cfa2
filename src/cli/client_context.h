#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "event_stream.h"

struct lws_context;
struct lws_protocols;

// How the shell's WebSocket clients use libwebsockets.
namespace syncrelay {

struct DestroyContext {
  void operator()(lws_context* context) const;
};
using ClientContext = std::unique_ptr<lws_context, DestroyContext>;

// `user`: what lws_context_user() is. `tls` (null: none) and `protocols` must outlive it. Null: it
// cannot start.
ClientContext make_client_context(void* user, const TlsTrust* tls, const lws_protocols* protocols);

// `opaque`: what lws_get_opaque_user_data() of the connection is. `target` need not outlive the
// call. False: that failed at once.
bool connect_client(lws_context* context, const StreamTarget& target, const lws_protocols& protocol,
                    void* opaque);

// For LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER, what that returns: adds the field with this
// token; none, where it is empty. `place`: where the request's fields end so far, with `room` bytes
// behind it.
int add_token_field(const std::string& token, char** place, std::size_t room);

}  // namespace syncrelay
