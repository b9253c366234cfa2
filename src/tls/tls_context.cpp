#include "tls_context.h"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <ctime>
#include <string>
#include <utility>

namespace syncrelay {
namespace {

using Bio = std::unique_ptr<BIO, Freed<BIO_free>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Fault = TlsServer::Fault;

// AES-128 before AES-256: nobody breaks either, and it costs a burst a quarter less.
constexpr char kCiphers[] =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr char kCiphers13[] =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
// Those that are quick: it is the client who chooses what a handshake costs.
constexpr char kGroups[] = "X25519:P-256:P-384";
constexpr std::string_view kProtocol = "http/1.1";  // what a WebSocket begins with

Fault certificate_fault(std::string why) {
  return {Fault::Of::certificate, std::move(why)};
}

Fault key_fault(std::string why) {
  return {Fault::Of::key, std::move(why)};
}

Bio reader_of(std::string_view text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

bool found_nothing() {
  const unsigned long error = ERR_peek_last_error();
  return ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}

// Instead of OpenSSL's question on the terminal.
int note_that_it_is_encrypted(char*, int, int, void* encrypted) {
  *static_cast<bool*>(encrypted) = true;
  return -1;
}

// `list`: pairs of a length and as many bytes (RFC 7301 section 3.1).
bool offers_protocol(std::string_view list) {
  while (!list.empty()) {
    const auto length = static_cast<unsigned char>(list.front());
    if (list.substr(1, length) == kProtocol) return true;
    list.remove_prefix(std::min<std::size_t>(list.size(), 1U + length));
  }
  return false;
}

// Of a client that says what it wants to speak (RFC 7301).
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* size,
                    const unsigned char* offered, unsigned offered_size, void*) {
  if (!offers_protocol({reinterpret_cast<const char*>(offered), offered_size}))
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  *chosen = reinterpret_cast<const unsigned char*>(kProtocol.data());
  *size = static_cast<unsigned char>(kProtocol.size());
  return SSL_TLSEXT_ERR_OK;
}

bool set_rules(SSL_CTX* context) {
  constexpr unsigned char kSessions[] = "syncrelay";
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA |
                                   SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);  // tickets alone: nothing is kept
  SSL_CTX_set_num_tickets(context, 1);
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
  return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
         SSL_CTX_set_cipher_list(context, kCiphers) == 1 &&
         SSL_CTX_set_ciphersuites(context, kCiphers13) == 1 &&
         SSL_CTX_set1_groups_list(context, kGroups) == 1 &&
         SSL_CTX_set_session_id_context(context, kSessions, sizeof kSessions - 1) == 1;
}

Result<void, Fault> add_chain(SSL_CTX* context, BIO* text) {
  while (X509* const next = PEM_read_bio_X509(text, nullptr, nullptr, nullptr)) {
    if (SSL_CTX_add0_chain_cert(context, next) == 1) continue;
    X509_free(next);
    return certificate_fault("a certificate behind the first: " + take_openssl_error());
  }
  if (!found_nothing())
    return certificate_fault("a certificate behind the first: " + take_openssl_error());
  ERR_clear_error();
  return {};
}

Result<void, Fault> add_certificates(SSL_CTX* context, std::string_view pem) {
  const Bio text = reader_of(pem);
  const Certificate first(PEM_read_bio_X509_AUX(text.get(), nullptr, nullptr, nullptr));
  if (!first && found_nothing()) return certificate_fault("holds no certificate in PEM");
  if (!first || SSL_CTX_use_certificate(context, first.get()) != 1)
    return certificate_fault("holds no certificate that can be used: " + take_openssl_error());
  return add_chain(context, text.get());
}

// Which of those behind the first the key belongs to, where an intermediate one was put before it;
// 0: to none. Counted as people do.
int owner_behind_first(SSL_CTX* context, const EVP_PKEY* key) {
  STACK_OF(X509)* chain = nullptr;
  SSL_CTX_get0_chain_certs(context, &chain);
  for (int index = 0; index < sk_X509_num(chain); ++index) {
    if (X509_check_private_key(sk_X509_value(chain, index), key) == 1) return index + 2;
  }
  return 0;
}

Fault foreign_key(SSL_CTX* context, const EVP_PKEY* key) {
  const int owner = owner_behind_first(context, key);
  if (owner > 0) {
    return certificate_fault("the certificate of the key has to be the first, and is number " +
                             std::to_string(owner) + ": intermediate ones follow it");
  }
  return {Fault::Of::pair, "the key does not belong to the certificate"};
}

Result<void, Fault> add_key(SSL_CTX* context, std::string_view pem) {
  bool encrypted = false;
  const Key key(PEM_read_bio_PrivateKey(reader_of(pem).get(), nullptr, note_that_it_is_encrypted,
                                        &encrypted));
  if (encrypted)
    return key_fault("the key is encrypted; a relay that starts by itself needs one that is not");
  if (!key && pem.find(" KEY-----") == std::string_view::npos)
    return key_fault("holds no private key in PEM");
  if (!key) return key_fault("holds no key that can be used: " + take_openssl_error());
  if (X509_check_private_key(SSL_CTX_get0_certificate(context), key.get()) != 1)
    return foreign_key(context, key.get());
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1)
    return key_fault("holds no key that can be used: " + take_openssl_error());
  return {};
}

std::int64_t seconds_of(const ASN1_TIME* time) {
  std::tm parts{};
  ASN1_TIME_to_tm(time, &parts);
  return timegm(&parts);
}

TlsServer::Certificate description_of(const X509* certificate) {
  char name[256] = {};
  X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name, sizeof name);
  return {name, seconds_of(X509_get0_notBefore(certificate)),
          seconds_of(X509_get0_notAfter(certificate))};
}

}  // namespace

Result<TlsContext, Fault> make_tls_context(std::string_view certificate, std::string_view key,
                                           TicketKeys& tickets) {
  ERR_clear_error();
  SslContext context(SSL_CTX_new(TLS_server_method()));
  if (!context || !set_rules(context.get()))
    return certificate_fault("OpenSSL cannot be set up: " + take_openssl_error());
  tickets.serve(context.get());
  if (auto added = add_certificates(context.get(), certificate); !added) return added.error();
  if (auto added = add_key(context.get(), key); !added) return added.error();
  const TlsServer::Certificate made = description_of(SSL_CTX_get0_certificate(context.get()));
  return TlsContext{std::move(context), made};
}

}  // namespace syncrelay
