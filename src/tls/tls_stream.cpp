#include "syncrelay/tls/tls_stream.h"

#include <openssl/bio.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <new>
#include <utility>

#include "tls_parts.h"

namespace syncrelay {
namespace {

using Parts = TlsStream::Parts;

// No record begins before the one before has left, and no handshake is so long: a peer that has
// more said to it asks for that (alerts, new keys) and does not read.
constexpr std::size_t kMaxUnsent = 128 * 1024;

// What a client may say before the handshake is done. A hello with a ticket and a key that no
// quantum computer breaks has 2 KiB; OpenSSL takes one of 128 KiB, and takes the room for it as
// soon as its length is told.
constexpr std::size_t kMaxHandshake = 32 * 1024;

// Of a record, and of the message of a handshake in it (RFC 8446 sections 5.1 and 4).
constexpr std::size_t kRecordHead = 5;
constexpr std::size_t kMessageHead = 4;

// A peer has a reason for another key after millions of records, and each costs the relay more than
// any record: who changes it over and over wants just that.
constexpr unsigned kMaxPeersKeys = 100;

bool is_full(int error) {
  return error == EAGAIN || error == EINTR;
}

// False: the connection is lost.
bool send_unsent(Parts& parts) {
  if (parts.unsent.empty() || parts.lost) return !parts.lost;
  const ssize_t sent =
      ::send(parts.socket, parts.unsent.data(), parts.unsent.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent < 0 && !is_full(errno)) parts.lost = true;
  parts.unsent.erase(0, static_cast<std::size_t>(std::max<ssize_t>(sent, 0)));
  if (parts.unsent.empty()) std::string().swap(parts.unsent);  // with its memory
  return !parts.lost;
}

// OpenSSL's way to the socket. It takes all, so that OpenSSL never has to ask once more.
int take_encrypted(BIO* bio, const char* bytes, int size) {
  auto& parts = *static_cast<Parts*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  const auto length = static_cast<std::size_t>(size);
  std::size_t sent = 0;
  if (parts.unsent.empty() && !parts.lost) {
    const ssize_t result = ::send(parts.socket, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (result < 0 && !is_full(errno)) parts.lost = true;
    sent = static_cast<std::size_t>(std::max<ssize_t>(result, 0));
  }
  if (parts.unsent.size() + length - sent > kMaxUnsent) parts.lost = true;
  if (parts.lost) return -1;
  parts.unsent.append(bytes + sent, length - sent);
  return size;
}

int give_encrypted(BIO* bio, char* into, int size) {
  auto& parts = *static_cast<Parts*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  if (parts.incoming.empty()) {
    BIO_set_retry_read(bio);
    return -1;
  }
  const auto count = std::min(parts.incoming.size(), static_cast<std::size_t>(size));
  as_text(parts.incoming).copy(into, count);
  parts.incoming = parts.incoming.subspan(count);
  return static_cast<int>(count);
}

// Sees what OpenSSL sends and gets. What is left of what came is not looked at any more.
void note_key_update(int sent, int, int kind, const void* bytes, std::size_t size, SSL*, void* of) {
  auto& parts = *static_cast<Parts*>(of);
  if (sent != 0 || kind != SSL3_RT_HANDSHAKE || size == 0 || !parts.established) return;
  if (*static_cast<const unsigned char*>(bytes) != SSL3_MT_KEY_UPDATE) return;
  if (++parts.peers_keys <= kMaxPeersKeys) return;
  parts.incoming = {};
  parts.fault = TlsFault::malformed;
  parts.fault_text = "too many new keys";
}

long control(BIO*, int command, long, void*) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

// Lives as long as the process.
const BIO_METHOD* method() {
  static BIO_METHOD* const kMade = [] {
    BIO_METHOD* const fresh = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "syncrelay");
    BIO_meth_set_write(fresh, take_encrypted);
    BIO_meth_set_read(fresh, give_encrypted);
    BIO_meth_set_ctrl(fresh, control);
    return fresh;
  }();
  return kMade;
}

// Whether the message that begins a connection is longer than a handshake may be; as long as its
// length has not come it is not.
bool opens_too_large(std::string_view opening) {
  if (opening.size() < kRecordHead + kMessageHead) return false;
  const auto byte = [opening](std::size_t at) { return static_cast<unsigned char>(opening[at]); };
  return (byte(6) << 16 | byte(7) << 8 | byte(8)) > static_cast<int>(kMaxHandshake);
}

// A message that is cut within its own head is of nobody who means well.
bool opens_in_splinters(std::string_view opening) {
  return opening.size() >= kRecordHead && opening[3] == 0 &&
         static_cast<unsigned char>(opening[4]) < kMessageHead;
}

TlsFault fault_of(unsigned long error) {
  const int reason = ERR_GET_REASON(error);
  if (ERR_GET_LIB(error) == ERR_LIB_SSL && reason >= SSL_AD_REASON_OFFSET) return TlsFault::refused;
  switch (reason) {
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_NO_PROTOCOLS_AVAILABLE:
    case SSL_R_VERSION_TOO_LOW:
    case SSL_R_INAPPROPRIATE_FALLBACK:
    case SSL_R_NO_SHARED_CIPHER:
    case SSL_R_NO_SHARED_GROUPS:
    case SSL_R_NO_SUITABLE_GROUPS:
    case SSL_R_NO_SUITABLE_KEY_SHARE:
    case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
    case SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS:
    case SSL_R_NO_APPLICATION_PROTOCOL:
      return TlsFault::unmatched;
    default:
      return TlsFault::malformed;
  }
}

}  // namespace

std::unique_ptr<TlsStream> make_tls_stream(Ssl ssl, int socket, std::uint64_t records_per_key) {
  BIO* const bio = BIO_new(method());
  if (!ssl || bio == nullptr) throw std::bad_alloc();
  auto parts = std::make_unique<TlsStream::Parts>();
  parts->ssl = std::move(ssl);
  parts->socket = socket;
  parts->records_per_key = records_per_key;
  SSL_set_msg_callback(parts->ssl.get(), note_key_update);
  SSL_set_msg_callback_arg(parts->ssl.get(), parts.get());
  BIO_set_data(bio, parts.get());
  BIO_set_init(bio, 1);
  SSL_set_bio(parts->ssl.get(), bio, bio);  // which owns it now
  return std::make_unique<TlsStream>(std::move(parts));
}

TlsStream::TlsStream(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

TlsStream::~TlsStream() = default;

void TlsStream::feed(ByteSpan bytes) {
  parts_->incoming = bytes;
  parts_->begun = true;
  if (parts_->established) return;
  parts_->negotiated += bytes.size();
  const std::size_t missing = kRecordHead + kMessageHead - parts_->opening.size();
  parts_->opening += as_text(bytes.first(std::min(bytes.size(), missing)));
}

// What came with the end of the handshake is no part of it.
bool TlsStream::negotiate() {
  if (opens_too_large(parts_->opening) || opens_in_splinters(parts_->opening)) return fail_long();
  ERR_clear_error();
  const int result = SSL_accept(parts_->ssl.get());
  if (result != 1) note_failure(result);
  parts_->established = result == 1;
  if (!parts_->established && !parts_->fault && parts_->negotiated > kMaxHandshake)
    return fail_long();
  return parts_->established;
}

bool TlsStream::fail_long() {
  parts_->fault = TlsFault::malformed;
  parts_->fault_text = "the handshake is longer than 32 KiB, or in splinters";
  return false;
}

std::size_t TlsStream::read(std::span<std::byte> into) {
  if (parts_->ended || parts_->fault) return 0;
  ERR_clear_error();
  std::size_t count = 0;
  if (SSL_read_ex(parts_->ssl.get(), into.data(), into.size(), &count) == 1) return count;
  note_failure(0);
  return 0;
}

// Why a call of OpenSSL's has not had `result`: it may have been no failure.
void TlsStream::note_failure(int result) {
  const int why = SSL_get_error(parts_->ssl.get(), result);
  parts_->ended = why == SSL_ERROR_ZERO_RETURN;
  if (parts_->ended || why == SSL_ERROR_WANT_READ) return;
  parts_->fault = fault_of(ERR_peek_error());
  parts_->fault_text = take_openssl_error();
}

bool TlsStream::begun() const {
  return parts_->begun;
}

bool TlsStream::established() const {
  return parts_->established;
}

bool TlsStream::resumed() const {
  return SSL_session_reused(parts_->ssl.get()) == 1;
}

bool TlsStream::ended() const {
  return parts_->ended;
}

std::optional<TlsFault> TlsStream::fault() const {
  return parts_->fault;
}

std::string_view TlsStream::fault_text() const {
  return parts_->fault_text;
}

std::size_t TlsStream::write(ByteSpan plain) {
  std::size_t taken = 0;
  flush();
  while (taken < plain.size() && all_sent()) {
    const ByteSpan record = plain.subspan(taken, std::min(plain.size() - taken, kRecordBytes));
    if (!encrypt(record)) break;
    taken += record.size();
  }
  return taken;
}

// Where it fails the socket is shut, which shows as an event on it.
bool TlsStream::encrypt(ByteSpan record) {
  if (parts_->fault || parts_->lost || parts_->end_said) return false;
  ERR_clear_error();
  renew_key_if_due();
  std::size_t written = 0;
  if (SSL_write_ex(parts_->ssl.get(), record.data(), record.size(), &written) == 1) return true;
  note_failure(0);
  ::shutdown(parts_->socket, SHUT_RDWR);
  return false;
}

// The word of it goes with the record that follows. TLS 1.2 has no such thing.
void TlsStream::renew_key_if_due() {
  if (parts_->records++ < parts_->records_per_key) return;
  parts_->records = 1;
  if (SSL_version(parts_->ssl.get()) == TLS1_3_VERSION)
    SSL_key_update(parts_->ssl.get(), SSL_KEY_UPDATE_NOT_REQUESTED);
}

bool TlsStream::all_sent() const {
  return parts_->unsent.empty();
}

bool TlsStream::flush() {
  return send_unsent(*parts_);
}

void TlsStream::say_end() {
  if (!parts_->established || parts_->fault || parts_->lost || parts_->end_said) return;
  parts_->end_said = true;
  ERR_clear_error();
  SSL_shutdown(parts_->ssl.get());
}

}  // namespace syncrelay
