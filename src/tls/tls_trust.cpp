#include "syncrelay/tls/tls_trust.h"

#include <openssl/x509_vfy.h>

#include <utility>

#include "openssl.h"

namespace syncrelay {

struct TlsTrust::Parts {
  SslContext context;
  std::string refusal;
  bool met_plain = false;
};

namespace {

// OpenSSL's verdict, whose reason is kept: a library in between may drop it.
int judge(X509_STORE_CTX* store, void* refusal) {
  const int good = X509_verify_cert(store);
  if (good != 1) {
    *static_cast<std::string*>(refusal) =
        X509_verify_cert_error_string(X509_STORE_CTX_get_error(store));
  }
  return good;
}

// Of each record's head that goes or comes, before it is judged: a kind from 20 to 23, version 3.x.
void look_at_record(int outgoing, int, int kind, const void* bytes, std::size_t size, SSL*,
                    void* met_plain) {
  if (outgoing != 0 || kind != SSL3_RT_HEADER || size < 2) return;
  const auto* const head = static_cast<const unsigned char*>(bytes);
  const bool is_tls = head[0] >= SSL3_RT_CHANGE_CIPHER_SPEC &&
                      head[0] <= SSL3_RT_APPLICATION_DATA && head[1] == SSL3_VERSION_MAJOR;
  if (!is_tls) *static_cast<bool*>(met_plain) = true;
}

}  // namespace

TlsTrust::TlsTrust(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

TlsTrust::TlsTrust(TlsTrust&& other) noexcept = default;

TlsTrust::~TlsTrust() = default;

Result<TlsTrust, NoTlsTrust> TlsTrust::in(const std::string& ca) {
  ERR_clear_error();
  SslContext context(SSL_CTX_new(TLS_client_method()));
  if (!context || SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) != 1)
    return NoTlsTrust{"OpenSSL cannot be set up: " + take_openssl_error()};
  const bool loaded = ca.empty() ? SSL_CTX_set_default_verify_paths(context.get()) == 1
                                 : SSL_CTX_load_verify_file(context.get(), ca.c_str()) == 1;
  if (!loaded) return NoTlsTrust{"no certificates can be read: " + take_openssl_error()};
  // A certificate that is trusted by itself needs no root above it.
  X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context.get()), X509_V_FLAG_PARTIAL_CHAIN);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  auto parts = std::make_unique<Parts>(Parts{std::move(context), {}, false});
  SSL_CTX_set_msg_callback(parts->context.get(), look_at_record);
  SSL_CTX_set_msg_callback_arg(parts->context.get(), &parts->met_plain);
  SSL_CTX_set_cert_verify_callback(parts->context.get(), judge, &parts->refusal);
  return TlsTrust(std::move(parts));
}

bool TlsTrust::met_plain() const {
  return parts_->met_plain;
}

const std::string& TlsTrust::refusal() const {
  return parts_->refusal;
}

void* TlsTrust::context() const {
  return parts_->context.get();
}

}  // namespace syncrelay
