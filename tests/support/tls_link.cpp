#include "support/tls_link.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <stdexcept>

#include "support/memory_text.h"

namespace syncrelay::testing {
namespace {

constexpr long kDay = 24 * 60 * 60;

void require(bool holds) {
  if (!holds) throw std::runtime_error("OpenSSL or the system failed");
}

std::string certificate_of(EVP_PKEY* key, const std::string& name, int days) {
  X509* const made = X509_new();
  X509_set_version(made, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(made), 1);
  X509_gmtime_adj(X509_getm_notBefore(made), -10 * kDay);
  X509_gmtime_adj(X509_getm_notAfter(made), days * kDay);
  X509_NAME* const subject = X509_get_subject_name(made);
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509_set_issuer_name(made, subject);
  X509_set_pubkey(made, key);
  require(X509_sign(made, key, EVP_sha256()) > 0);
  BIO* const pem = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(pem, made);
  X509_free(made);
  return text_of(pem);
}

}  // namespace

PemPair make_pem_pair(const std::string& name, int days, const char* passphrase) {
  EVP_PKEY* const key = EVP_EC_gen("P-256");
  require(key != nullptr);
  BIO* const pem = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(pem, key, passphrase == nullptr ? nullptr : EVP_aes_128_cbc(), nullptr,
                           0, nullptr, const_cast<char*>(passphrase));
  PemPair pair{certificate_of(key, name, days), text_of(pem)};
  EVP_PKEY_free(key);
  return pair;
}

TlsLink::TlsLink(TlsServer& server, const Setup& setup, int send_buffer) {
  int ends[2];
  require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
  ours_ = Descriptor(ends[0]);
  theirs_ = Descriptor(ends[1]);
  if (send_buffer > 0) setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &send_buffer, sizeof send_buffer);
  stream_ = server.accept(ends[0]);
  context_ = SSL_CTX_new(TLS_client_method());
  client_ = SSL_new(context_);
  SSL_set_fd(client_, ends[1]);
  SSL_set_connect_state(client_);
  if (setup) setup(client_);
}

TlsLink::~TlsLink() {
  // Else its session counts as broken off, and is good for no other connection.
  SSL_set_shutdown(client_, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  SSL_free(client_);
  SSL_CTX_free(context_);
  ERR_clear_error();
}

bool TlsLink::shake() {
  constexpr int kMostSteps = 1000;
  bool done = false;
  for (int step = 0; step < kMostSteps && !(done && stream_->established()); ++step) {
    ERR_clear_error();
    const int result = SSL_do_handshake(client_);
    done = result == 1;
    if (!done && SSL_get_error(client_, result) != SSL_ERROR_WANT_READ) return false;
    if (stream_->established()) continue;
    const std::string came = arrived();
    stream_->feed(as_bytes(came));
    stream_->negotiate();
    stream_->flush();
    if (stream_->fault()) return false;
  }
  return done && stream_->established();
}

std::string TlsLink::arrived(std::size_t most) {
  std::string all;
  std::array<char, 4096> bytes;
  while (all.size() < most) {
    const ssize_t size =
        recv(ours_.get(), bytes.data(), std::min(bytes.size(), most - all.size()), 0);
    if (size <= 0) break;
    all.append(bytes.data(), static_cast<std::size_t>(size));
  }
  return all;
}

std::string TlsLink::stream_reads(TlsStream& stream, std::size_t most) {
  const std::string came = arrived(most);
  std::string plain;
  std::array<std::byte, 1000> bytes;
  stream.feed(as_bytes(came));
  while (const std::size_t size = stream.read(bytes)) plain += as_text({bytes.data(), size});
  return plain;
}

std::string TlsLink::client_reads(std::size_t most) {
  std::string all;
  std::array<char, 4096> bytes;
  std::size_t count = 0;
  ERR_clear_error();
  while (all.size() < most &&
         SSL_read_ex(client_, bytes.data(), std::min(bytes.size(), most - all.size()), &count) == 1)
    all.append(bytes.data(), count);
  return all;
}

void TlsLink::client_writes(const std::string& text) {
  std::size_t written = 0;
  require(SSL_write_ex(client_, text.data(), text.size(), &written) == 1);
}

void TlsLink::client_sends(const std::string& raw) {
  require(::send(theirs_.get(), raw.data(), raw.size(), MSG_NOSIGNAL) ==
          static_cast<ssize_t>(raw.size()));
}

bool TlsLink::client_was_told_the_end() const {
  return (SSL_get_shutdown(client_) & SSL_RECEIVED_SHUTDOWN) != 0;
}

}  // namespace syncrelay::testing
