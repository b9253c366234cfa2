#include "connection_tag.h"

#include <memory>

namespace syncrelay {
namespace {

char answered_mark;
char admin_mark;

}  // namespace

void mark_as_admin(lws* wsi) {
  lws_set_opaque_user_data(wsi, &admin_mark);
}

void mark_as_answered(lws* wsi) {
  if (!is_admin(wsi)) lws_set_opaque_user_data(wsi, &answered_mark);
}

void give_client(lws* wsi, std::unique_ptr<ClientConnection> client) {
  lws_set_opaque_user_data(wsi, client.release());
}

bool is_admin(lws* wsi) {
  return lws_get_opaque_user_data(wsi) == &admin_mark;
}

bool is_unmarked(lws* wsi) {
  return lws_get_opaque_user_data(wsi) == nullptr;
}

ClientConnection* client_of(lws* wsi) {
  void* const data = lws_get_opaque_user_data(wsi);
  return data == &answered_mark || data == &admin_mark ? nullptr
                                                       : static_cast<ClientConnection*>(data);
}

std::unique_ptr<ClientConnection> take_client(lws* wsi) {
  std::unique_ptr<ClientConnection> client(client_of(wsi));
  if (client) lws_set_opaque_user_data(wsi, nullptr);
  return client;
}

}  // namespace syncrelay
