#include "client_context.h"

#include <libwebsockets.h>

#include <algorithm>
#include <csignal>
#include <cstdint>

namespace syncrelay {
namespace {

constexpr unsigned kRequestBuffer = 16 * 1024;  // for a token of 8 KiB
constexpr std::uint16_t kPingSeconds = 20;      // of silence, before a ping goes out
constexpr std::uint16_t kSilenceSeconds = 40;   // in all, before the connection counts as lost

constexpr lws_retry_bo_t kKeepalive = {nullptr, 0, 0, kPingSeconds, kSilenceSeconds, 0};

}  // namespace

void DestroyContext::operator()(lws_context* context) const {
  lws_context_destroy(context);
}

int add_token_field(const std::string& token, char** place, std::size_t room) {
  if (token.empty()) return 0;
  const std::string field = "Authorization: Bearer " + token + "\r\n";
  if (field.size() > room) return -1;
  *place = std::copy(field.begin(), field.end(), *place);
  return 0;
}

ClientContext make_client_context(void* user, const TlsTrust* tls, const lws_protocols* protocols) {
  lws_set_log_level(0, nullptr);  // what matters of its doings we say ourselves
  lws_context_creation_info info{};
  info.port = CONTEXT_PORT_NO_LISTEN;
  info.protocols = protocols;
  info.user = user;
  info.gid = static_cast<gid_t>(-1);
  info.uid = static_cast<uid_t>(-1);
  info.retry_and_idle_policy = &kKeepalive;
  info.pt_serv_buf_size = kRequestBuffer;
  if (tls != nullptr) {
    info.options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
    info.provided_client_ssl_ctx = static_cast<SSL_CTX*>(tls->context());
  }
  ClientContext context(lws_create_context(&info));
  // libwebsockets has just ignored it for the whole process. It sends without that signal anyway,
  // and a command that writes to a pipe should end when nobody reads it.
  std::signal(SIGPIPE, SIG_DFL);
  return context;
}

bool connect_client(lws_context* context, const StreamTarget& target, const lws_protocols& protocol,
                    void* opaque) {
  const bool v6 = target.host.find(':') != std::string::npos;
  const std::string name = v6 ? '[' + target.host + ']' : target.host;
  const std::string host = name + ':' + std::to_string(target.port);
  lws_client_connect_info info{};
  info.context = context;
  info.address = target.host.c_str();
  info.port = target.port;
  info.path = target.path.c_str();
  info.host = host.c_str();
  info.opaque_user_data = opaque;
  info.local_protocol_name = protocol.name;
  info.retry_and_idle_policy = &kKeepalive;
  info.ssl_connection = LCCSCF_HTTP_NO_FOLLOW_REDIRECT;
  if (target.tls != nullptr) info.ssl_connection |= LCCSCF_USE_SSL;
  return lws_client_connect_via_info(&info) != nullptr;
}

}  // namespace syncrelay
