#pragma once

#include <libwebsockets.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "syncrelay/base/line_budget.h"
#include "syncrelay/base/log.h"
#include "syncrelay/base/tally.h"
#include "syncrelay/protocol/client_message.h"
#include "syncrelay/protocol/frame_reader.h"
#include "syncrelay/shard/shard.h"
#include "syncrelay/tls/tls_server.h"
#include "syncrelay/ws/gatekeeper.h"
#include "syncrelay/ws/socket_transport.h"
#include "syncrelay/ws/transients.h"

namespace syncrelay {

class Connection;

// What a connection works with; its shard's, and outlives it.
struct ConnectionContext {
  Shard& shard;
  Gatekeeper& gatekeeper;
  Transients& transients;
  ShardStats& stats;
  const Clock& clock;
  const Log& log;
  std::uint64_t max_client_message;  // bytes
  Hearing hearing;
  Duration handshake_timeout;
  TlsServer* tls;        // null: the port is plain
  LineBudget end_lines;  // of clients that are gone
  LineBudget tls_lines;  // of handshakes that have failed
  // Asks for one call of Connection::finish() soon, from the loop. For where a connection cannot
  // end at once: a session's code may be on the stack.
  std::function<void(Connection&)> finish_soon;
};

// One adopted socket, from its first byte to its last: a request, perhaps a client, and the way
// out. To libwebsockets it is a raw socket: TLS, HTTP, the handshake, frames, pongs and closing are
// read and written here, so that nothing a stranger sends meets a parser that we do not own, and
// libwebsockets holds no bytes of ours. Its shard's thread only.
class Connection final : public SocketTransport, public Transient {
 public:
  // `counted` counts it among its loop's connections.
  Connection(std::string address, Tally::Unit counted, ConnectionContext& context);
  ~Connection() override;  // as if the peer had gone, where it is not over yet

  // libwebsockets has taken the socket over; the handshake's time begins.
  void opened(lws* wsi);

  // What libwebsockets tells. False: the socket is to be closed now.
  bool received(std::span<std::byte> bytes);
  bool writeable();

  // Its time as a transient is over, or its place is needed: finish() is to follow.
  void give_up(RefusalReason reason);

  // Ends it as close() or give_up() asked for. False: the socket is to be closed now.
  bool finish();

  lws* wsi() const { return wsi_; }

  // It has TLS to negotiate before its first word; each step of that takes time, up to
  // milliseconds.
  bool negotiates() const { return tls() != nullptr && !tls()->established(); }

  // Transport, for its session.
  void request_writable() override;
  std::string_view address() const override { return address_; }
  void close(CloseCause cause) override;

  // Its place in the loop's list of those that are to finish; the loop's to keep.
  std::optional<std::uint32_t> finish_slot;

 private:
  struct Asking {
    std::string head;  // what has come of its request
  };
  struct Client {
    Client(Admission::Seat taken, std::uint64_t max_message, bool deflates)
        : seat(std::move(taken)), frames(max_message, deflates) {}
    Admission::Seat seat;
    FrameReader frames;
    ClientMessageReader messages;
    Session* session = nullptr;
    std::optional<CloseCause> ended_by;        // decided by the relay
    std::optional<std::uint16_t> client_code;  // the client's close frame came, with this code
  };
  struct Leaving {};  // the answer or close frame is on its way; what comes in is dropped

  bool take(std::span<std::byte> bytes);
  bool decrypt(ByteSpan bytes);
  bool refuse_plain(std::string_view said);
  void tell_of_tls(std::string_view what, std::string_view why);
  bool read_plain();
  bool end_negotiation();
  void count_failure(TlsFailure failure);
  void count_refusal(RefusalReason reason);
  bool read_head(std::string_view bytes);
  bool act(Gatekeeper::Decision decision, std::string rest);
  void welcome(Gatekeeper::Welcome welcome);
  bool serve(std::span<std::byte> bytes);
  std::optional<CloseCause> read_frames(std::span<std::byte> bytes, std::string& pongs);
  void hear(const MessagePiece& piece);
  void add_pong(std::string_view payload, std::string& pongs);
  void send_late_pong();
  bool end(CloseCause cause);
  std::uint16_t code_of(CloseCause cause) const;
  void record_end(CloseCause cause);
  void tell_end(const Session& session, CloseCause cause, std::uint16_t code);
  bool leave(ByteSpan last_words);
  void become_transient(Duration time);
  void send(ByteSpan bytes);
  bool flush();

  ConnectionContext& context_;
  std::string address_;  // of the socket; once it is a client: that client's
  lws* wsi_ = nullptr;
  std::variant<Asking, Client, Leaving> stage_;
  std::unique_ptr<std::string> late_pong_;  // payload of the latest ping, when it had to wait
  const Tally::Unit counted_;
  bool given_up_ = false;
};

}  // namespace syncrelay
