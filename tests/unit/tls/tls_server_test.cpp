#include "syncrelay/tls/tls_server.h"

#include <doctest/doctest.h>

#include <chrono>

#include "support/fake_clock.h"
#include "support/tls_link.h"

namespace syncrelay {
namespace {

using testing::FakeClock;
using testing::make_pem_pair;
using testing::PemPair;
using testing::TlsLink;
using Of = TlsServer::Fault::Of;

const PemPair& pair() {
  static const PemPair made = make_pem_pair("relay.test");
  return made;
}

// A server with a pair, by whose clock a test moves time.
struct Served {
  Served() { use(pair()); }
  void use(const PemPair& one) { REQUIRE(server.use(one.certificate, one.key).ok()); }

  FakeClock clock;
  TlsServer server{clock};
};

// What is wrong with the pair: which of the two, and why.
std::pair<Of, std::string> fault_of(const std::string& certificate, const std::string& key) {
  const FakeClock clock;
  TlsServer server(clock);
  const auto used = server.use(certificate, key);
  REQUIRE_FALSE(used.ok());
  return {used.error().of, used.error().why};
}

TEST_CASE("A pair tells whose it is and when it ends, also when that is over") {
  const FakeClock clock;
  TlsServer server(clock);
  const PemPair expired = make_pem_pair("old.test", -2);
  const auto used = server.use(expired.certificate, expired.key);
  REQUIRE(used.ok());
  CHECK(used.value().subject == "old.test");
  CHECK(used.value().begins < used.value().expires);
  CHECK(used.value().expires <
        std::chrono::system_clock::to_time_t(std::chrono::system_clock::now()));
}

TEST_CASE("A pair that is looked at is not used") {
  Served served;
  const PemPair other = make_pem_pair("other.test");
  const auto seen = served.server.look_at(other.certificate, other.key);
  REQUIRE(seen.ok());
  CHECK(seen.value().subject == "other.test");
  CHECK_FALSE(served.server.look_at(other.certificate, pair().key).ok());
  TlsLink link(served.server);
  REQUIRE(link.shake());
  char name[32] = {};
  X509_NAME_get_text_by_NID(X509_get_subject_name(SSL_get0_peer_certificate(link.client())),
                            NID_commonName, name, sizeof name);
  CHECK(std::string(name) == "relay.test");
}

TEST_CASE("What cannot be used is told by its file and why") {
  const PemPair other = make_pem_pair("other.test");
  const PemPair secret = make_pem_pair("secret.test", 1, "passphrase");
  CHECK(fault_of("", pair().key) ==
        std::pair(Of::certificate, std::string("holds no certificate in PEM")));
  CHECK(fault_of(pair().key, pair().key) ==
        std::pair(Of::certificate, std::string("holds no certificate in PEM")));
  CHECK(fault_of(pair().certificate, "no key") ==
        std::pair(Of::key, std::string("holds no private key in PEM")));
  CHECK(fault_of(pair().certificate, other.key) ==
        std::pair(Of::pair, std::string("the key does not belong to the certificate")));
  const auto [of, why] = fault_of(other.certificate + pair().certificate, pair().key);
  CHECK(of == Of::certificate);
  CHECK(why.find("has to be the first, and is number 2") != std::string::npos);
  CHECK(fault_of(secret.certificate, secret.key).second.find("is encrypted") != std::string::npos);
}

TEST_CASE("A certificate that is cut off or damaged is told, also behind the first") {
  const std::string& whole = pair().certificate;
  for (const std::size_t size : {whole.size() / 2, whole.size() - 30}) {
    CHECK(fault_of(whole.substr(0, size), pair().key).first == Of::certificate);
    CHECK(fault_of(whole + whole.substr(0, size), pair().key).second.find("behind the first") !=
          std::string::npos);
  }
  std::string damaged = whole;
  damaged[100] = damaged[100] == 'A' ? 'B' : 'A';
  CHECK(fault_of(damaged, pair().key).first != Of::key);
}

TEST_CASE("Both versions are spoken, with forward secrecy and AEAD only") {
  Served served;
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsLink link(served.server, [version](SSL* ssl) {
      SSL_set_min_proto_version(ssl, version);
      SSL_set_max_proto_version(ssl, version);
    });
    CHECK(link.shake());
    CHECK(SSL_version(link.client()) == version);
  }
  for (const char* const weak :
       {"AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES256-SHA"}) {
    CAPTURE(weak);
    TlsLink link(served.server, [weak](SSL* ssl) {
      SSL_set_max_proto_version(ssl, TLS1_2_VERSION);
      SSL_set_cipher_list(ssl, weak);
    });
    CHECK_FALSE(link.shake());
    CHECK(link.stream().fault() == TlsFault::unmatched);
  }
}

TEST_CASE("An older version has nothing in common with it") {
  Served served;
  TlsLink link(served.server, [](SSL* ssl) {
    SSL_set_security_level(ssl, 0);
    SSL_set_min_proto_version(ssl, TLS1_VERSION);
    SSL_set_max_proto_version(ssl, TLS1_1_VERSION);
  });
  CHECK_FALSE(link.shake());
  CHECK(link.stream().fault() == TlsFault::unmatched);
}

// The protocol that comes of the client's list; "-": none at all.
std::string protocol_of(const std::string& list) {
  Served served;
  TlsLink link(served.server, [&list](SSL* ssl) {
    SSL_set_alpn_protos(ssl, reinterpret_cast<const unsigned char*>(list.data()),
                        static_cast<unsigned>(list.size()));
  });
  if (!link.shake()) return "-";
  const unsigned char* chosen = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(link.client(), &chosen, &size);
  return {reinterpret_cast<const char*>(chosen), size};
}

TEST_CASE("Of the protocols that a client offers it is HTTP/1.1, and no other") {
  CHECK(protocol_of("\x08http/1.1") == "http/1.1");
  CHECK(protocol_of("\x02h2\x08http/1.1") == "http/1.1");
  CHECK(protocol_of("\x02h2") == "-");
  CHECK(protocol_of("\x09http/1.1x") == "-");
  CHECK(protocol_of("") == "");
}

// Connects, says a word so that a ticket comes, and gives it away.
SSL_SESSION* session_of(TlsServer& server) {
  TlsLink link(server);
  REQUIRE(link.shake());
  link.stream().write(as_bytes("word"));
  CHECK(link.client_reads() == "word");
  return SSL_get1_session(link.client());
}

bool resumes(TlsServer& server, SSL_SESSION* session) {
  TlsLink link(server, [session](SSL* ssl) { SSL_set_session(ssl, session); });
  REQUIRE(link.shake());
  CHECK(link.stream().resumed() == (SSL_session_reused(link.client()) == 1));
  return link.stream().resumed();
}

TEST_CASE("A session is resumed by its ticket, also when the certificate is another one") {
  Served served;
  SSL_SESSION* const session = session_of(served.server);
  CHECK(resumes(served.server, session));
  served.use(make_pem_pair("newer.test"));
  CHECK(resumes(served.server, session));
  SSL_SESSION_free(session);
}

TEST_CASE("Nobody's ticket is good for another server") {
  Served served;
  Served other;
  SSL_SESSION* const session = session_of(served.server);
  CHECK_FALSE(resumes(other.server, session));
  SSL_SESSION_free(session);
}

TEST_CASE(
    "The keys of tickets are replaced, and the last ones open what they have sealed once more") {
  Served served;
  SSL_SESSION* const session = session_of(served.server);
  served.clock.advance(std::chrono::hours(2));
  CHECK(resumes(served.server, session));
  SSL_SESSION* const newer = session_of(served.server);
  served.clock.advance(std::chrono::hours(2));
  CHECK_FALSE(resumes(served.server, session));
  CHECK(resumes(served.server, newer));
  served.clock.advance(std::chrono::hours(5));
  CHECK_FALSE(resumes(served.server, newer));
  SSL_SESSION_free(session);
  SSL_SESSION_free(newer);
}

TEST_CASE("A connection keeps the certificate that it began with") {
  Served served;
  TlsLink link(served.server);
  served.use(make_pem_pair("newer.test"));
  REQUIRE(link.shake());
  link.stream().write(as_bytes("still here"));
  CHECK(link.client_reads() == "still here");
}

TEST_CASE("A pair that cannot be used leaves that which is in use") {
  Served served;
  CHECK_FALSE(served.server.use(make_pem_pair("other.test").certificate, pair().key).ok());
  TlsLink link(served.server);
  CHECK(link.shake());
}

}  // namespace
}  // namespace syncrelay
