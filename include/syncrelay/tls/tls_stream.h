#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "syncrelay/base/bytes.h"

namespace syncrelay {

// Why a connection over TLS cannot go on.
enum class TlsFault : std::uint8_t {
  unmatched,  // no version, cipher, group or protocol that both know
  refused,    // the peer says so, by an alert: it does not trust the certificate, or its kin
  malformed,  // what came is no TLS, was changed on its way, or breaks the protocol
};

// The relay's end of one connection over TLS. It sends by itself, straight to the socket; what
// comes is handed to it, because its socket is read elsewhere. One thread at a time.
//
// A record that the socket takes in part only is kept encrypted, and nothing else begins before it
// has left. Rejected: to have OpenSSL keep it, which wants the same plain bytes once more with each
// new attempt.
class TlsStream {
 public:
  struct Parts;  // OpenSSL's, see TlsServer
  explicit TlsStream(std::unique_ptr<Parts> parts);
  ~TlsStream();
  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;

  // The plain bytes of the largest record.
  static constexpr std::size_t kRecordBytes = 16 * 1024;

  // What every connection over TLS begins with: the first byte of a handshake's record.
  static constexpr std::byte kFirstByte{22};

  // Takes in what has come, which has to stay until negotiate() says false or read() nothing.
  void feed(ByteSpan bytes);
  // Goes on with the handshake, which may have 32 KiB. True: it is done. Else it wants more, or see
  // fault().
  bool negotiate();
  // The next plain bytes. 0: it wants more, or there is no more, see ended() and fault().
  // Precondition: established().
  std::size_t read(std::span<std::byte> into);

  bool begun() const;        // something has come
  bool established() const;  // the handshake is done
  bool resumed() const;      // by a ticket of an earlier one. Precondition: established()
  bool ended() const;        // the peer has said that nothing more comes
  std::optional<TlsFault> fault() const;
  std::string_view fault_text() const;  // for people; with a fault

  // Encrypts and sends as much as the socket takes without waiting, record by record; returns how
  // many bytes it has taken. Precondition: established().
  std::size_t write(ByteSpan plain);
  // All that was taken has gone to the socket.
  bool all_sent() const;
  // Sends what it takes of the rest. False: the connection is lost.
  bool flush();
  // Tells the peer that nothing more comes; the first time only. Nothing may be written then.
  void say_end();

 private:
  bool encrypt(ByteSpan record);
  void renew_key_if_due();
  void note_failure(int result);
  bool fail_long();

  const std::unique_ptr<Parts> parts_;
};

}  // namespace syncrelay
