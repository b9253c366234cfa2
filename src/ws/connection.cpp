#include "connection.h"

#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "syncrelay/protocol/control_frame.h"
#include "syncrelay/ws/pages.h"

namespace syncrelay {
namespace {

// For the answer or close frame to leave, and for the peer to see it and hang up: what it still
// sends is read and dropped meanwhile, because a socket that is closed with bytes unread resets the
// connection, and the peer may never see what was sent last (RFC 6455 section 7.1.1, RFC 9112
// section 9.6).
constexpr Duration kLeavingTime = std::chrono::seconds(5);

// Of one who finds out by himself whether there is TLS.
constexpr std::string_view kHealthQuestion = "GET /health ";

constexpr std::uint16_t kNormalClosure = 1000;  // RFC 6455 section 7.4.1

constexpr std::size_t kMaxPongBytes = 4096;  // answered at once of what was read at once

// A peer that is gone or does not read gets no close frame.
bool ends_without_frame(CloseCause cause) {
  return info(cause).code == CloseCode::abnormal;
}

// A script's close() has no code.
Farewell farewell_of(CloseCause cause, std::uint16_t code) {
  const bool leaves = cause == CloseCause::client_closed &&
                      (code == kNormalClosure || code == static_cast<int>(CloseCode::going_away) ||
                       code == static_cast<int>(CloseCode::none));
  return leaves ? Farewell::leave : Farewell::lost;
}

TlsFailure failure_of(TlsFault fault) {
  switch (fault) {
    case TlsFault::unmatched:
      return TlsFailure::unmatched;
    case TlsFault::refused:
      return TlsFailure::refused;
    default:
      return TlsFailure::malformed;
  }
}

std::span<std::byte> writable_bytes(std::string& text) {
  return {reinterpret_cast<std::byte*>(text.data()), text.size()};
}

}  // namespace

Connection::Connection(std::string address, Tally::Unit counted, ConnectionContext& context)
    : context_(context), address_(std::move(address)), counted_(std::move(counted)) {}

Connection::~Connection() {
  context_.transients.leave(*this);
  if (const auto* client = std::get_if<Client>(&stage_))
    record_end(client->ended_by.value_or(CloseCause::connection_lost));
  if (std::holds_alternative<Asking>(stage_)) give_up(RefusalReason::handshake);
}

void Connection::opened(lws* wsi) {
  wsi_ = wsi;
  const int socket = lws_get_socket_fd(wsi);
  TlsServer* const server = context_.tls;
  send_to(socket, server == nullptr ? nullptr : server->accept(socket));
  become_transient(context_.handshake_timeout);
}

void Connection::give_up(RefusalReason reason) {
  given_up_ = true;
  context_.transients.leave(*this);
  if (!std::holds_alternative<Asking>(stage_)) return;
  if (negotiates()) count_failure(TlsFailure::gone);
  count_refusal(reason);
  stage_ = Leaving{};
}

bool Connection::received(std::span<std::byte> bytes) {
  return tls() == nullptr ? take(bytes) : decrypt(bytes);
}

// What comes while it leaves is not even read.
bool Connection::decrypt(ByteSpan bytes) {
  if (std::holds_alternative<Leaving>(stage_)) return true;
  if (!tls()->begun() && bytes.front() != TlsStream::kFirstByte)
    return refuse_plain(as_text(bytes));
  tls()->feed(bytes);
  if (negotiates()) {
    const bool done = tls()->negotiate();
    if (tls()->fault()) return end_negotiation();
    if (!all_sent()) request_writable();
    if (!done) return true;
    counter(context_.stats.tls.handshakes, tls()->resumed()).add();
  }
  return read_plain();
}

bool Connection::read_plain() {
  std::array<std::byte, TlsStream::kRecordBytes> plain;
  while (const std::size_t size = tls()->read(plain)) {
    if (!take(std::span(plain).first(size))) return false;
  }
  if (!all_sent()) request_writable();
  return !tls()->ended() && !tls()->fault();
}

// A browser that was given http:// learns what to do.
bool Connection::refuse_plain(std::string_view said) {
  drop_tls();
  count_failure(TlsFailure::plain);
  if (!said.starts_with(kHealthQuestion)) {
    tell_of_tls(
        "a connection speaks no TLS to a listener that does: have it use https:// or wss://, also "
        "where it is a proxy's",
        {});
  }
  return act(context_.gatekeeper.refuse_head({400, kTlsAdvice}, address()), {});
}

// The alert that says why is on its way already.
bool Connection::end_negotiation() {
  count_failure(failure_of(*tls()->fault()));
  count_refusal(RefusalReason::handshake);
  tell_of_tls(*tls()->fault() == TlsFault::refused
                  ? "a client ends the TLS handshake; often it does not believe the certificate "
                    "(its issuer, its name, its time, or no intermediate one in the file)"
                  : "a TLS handshake failed",
              tls()->fault_text());
  return leave({});
}

// Strangers can have it written.
void Connection::tell_of_tls(std::string_view what, std::string_view why) {
  std::uint64_t untold = 0;
  if (!context_.tls_lines.allows(context_.clock.now(), untold)) return;
  context_.log.warning(
      what,
      {{"listener", "clients"}, {"address", address()}, {"why", why}, {"untold_before", untold}});
}

void Connection::count_failure(TlsFailure failure) {
  counter(context_.stats.tls.failures, failure).add();
}

void Connection::count_refusal(RefusalReason reason) {
  counter(context_.stats.refused, reason).add();
}

bool Connection::take(std::span<std::byte> bytes) {
  if (std::holds_alternative<Asking>(stage_)) return read_head(as_text(bytes));
  return std::holds_alternative<Client>(stage_) ? serve(bytes) : true;
}

// RFC 9112 section 2.2: empty lines before a request are skipped.
bool Connection::read_head(std::string_view bytes) {
  std::string& head = std::get<Asking>(stage_).head;
  const std::size_t searched = head.size();
  if (head.empty()) bytes.remove_prefix(std::min(bytes.find_first_not_of("\r\n"), bytes.size()));
  head.append(bytes);
  if (head.starts_with(static_cast<char>(TlsStream::kFirstByte)))
    return act(context_.gatekeeper.refuse_tls(address()), {});
  if (!may_be_request(head))
    return act(context_.gatekeeper.refuse_head({400, "this is no HTTP"}, address()), {});
  const std::size_t end = head_end(head, searched);
  if (end > kMaxHeadBytes || (end == 0 && head.size() > kMaxHeadBytes)) {
    return act(context_.gatekeeper.refuse_head({431, "the request's head is too large"}, address()),
               {});
  }
  if (end == 0) return true;
  return act(context_.gatekeeper.decide(std::string_view(head).substr(0, end), address()),
             head.substr(end));
}

bool Connection::act(Gatekeeper::Decision decision, std::string rest) {
  if (const auto* reply = std::get_if<Gatekeeper::Reply>(&decision))
    return leave(as_bytes(reply->answer));
  welcome(std::get<Gatekeeper::Welcome>(std::move(decision)));
  return rest.empty() || take(writable_bytes(rest));
}

void Connection::welcome(Gatekeeper::Welcome welcome) {
  context_.transients.leave(*this);
  welcome.request.tls = tls() != nullptr;
  if (address_ != welcome.address) welcome.request.proxy = std::move(address_);
  address_ = std::move(welcome.address);
  auto& client = stage_.emplace<Client>(std::move(welcome.seat), context_.max_client_message,
                                        welcome.request.deflates);
  finish_frame(as_bytes(welcome.answer));  // leaves with the first message, when all count it
  client.session = &context_.shard.add(client.seat.id(), *this, welcome.request);
  if (!all_sent()) request_writable();
  context_.log.debug("client connected",
                     {{"client", client.seat.id().value}, {"address", address()}});
}

bool Connection::serve(std::span<std::byte> bytes) {
  std::get<Client>(stage_).session->received();
  context_.hearing.begin_read();
  std::string pongs;
  const std::optional<CloseCause> cause = read_frames(bytes, pongs);
  if (!pongs.empty()) send(as_bytes(pongs));
  send_late_pong();
  if (cause) return end(*cause);
  std::get<Client>(stage_).session->answer();
  return true;
}

// Why the connection is to end, if it is.
std::optional<CloseCause> Connection::read_frames(std::span<std::byte> bytes, std::string& pongs) {
  auto& client = std::get<Client>(stage_);
  while (!client.session->closing()) {
    const auto incoming = client.frames.next(bytes);
    if (!incoming) break;
    if (const auto* fault = std::get_if<FrameFault>(&*incoming)) return fault->cause;
    if (const auto* close = std::get_if<CloseFrame>(&*incoming)) {
      client.client_code = close->code.value_or(static_cast<std::uint16_t>(CloseCode::none));
      if (!close->reason.empty())
        client.session->record(StoryKind::goodbye, *client.client_code, 0, close->reason);
      return CloseCause::client_closed;
    }
    if (const auto* ping = std::get_if<PingFrame>(&*incoming)) add_pong(ping->payload, pongs);
    if (const auto* piece = std::get_if<MessagePiece>(&*incoming)) hear(*piece);
  }
  return std::nullopt;
}

void Connection::hear(const MessagePiece& piece) {
  auto& client = std::get<Client>(stage_);
  if (auto message = client.messages.take(piece, context_.hearing)) {
    if (const auto* renewal = std::get_if<TokenMessage>(&*message)) {
      if (context_.shard.may_renew(*client.session, *renewal)) {
        context_.shard.hear(*client.session, *renewal,
                            context_.gatekeeper.renew(renewal->token, address()));
      }
      return;
    }
    context_.shard.hear(*client.session, std::move(*message));
  } else if (piece.ends) {
    counter(context_.stats.client_messages, ClientMessageKind::ignored).add();
  }
}

// Where pongs cannot go out as fast as pings come in, only the latest is answered (RFC 6455 section
// 5.5.3).
void Connection::add_pong(std::string_view payload, std::string& pongs) {
  if (all_sent() && pongs.size() < kMaxPongBytes) {
    pongs += as_text(pong_frame(payload).bytes());
  } else {
    if (!late_pong_) late_pong_ = std::make_unique<std::string>();
    late_pong_->assign(payload);
  }
}

void Connection::send_late_pong() {
  if (!late_pong_ || !all_sent()) return;
  const std::unique_ptr<std::string> payload = std::move(late_pong_);
  send(pong_frame(*payload).bytes());
}

void Connection::close(CloseCause cause) {
  auto* client = std::get_if<Client>(&stage_);
  if (client == nullptr || client->ended_by) return;
  client->ended_by = cause;
  context_.finish_soon(*this);
}

bool Connection::finish() {
  const auto* client = std::get_if<Client>(&stage_);
  if (client != nullptr && client->ended_by) return end(*client->ended_by);
  return !given_up_;
}

bool Connection::end(CloseCause cause) {
  const std::uint16_t code = code_of(cause);
  std::string reason(cause == CloseCause::client_closed ? std::string_view() : info(cause).name);
  if (cause == CloseCause::dismissed)
    reason = std::get<Client>(stage_).session->known_speaker()->parting->reason;
  record_end(cause);
  if (ends_without_frame(cause)) {
    stage_ = Leaving{};
    return false;
  }
  const bool has_code = code != static_cast<std::uint16_t>(CloseCode::none);
  return leave(close_frame(has_code ? std::optional(code) : std::nullopt, reason).bytes());
}

// Precondition: it is a client, and not taken from its shard yet.
std::uint16_t Connection::code_of(CloseCause cause) const {
  const auto& client = std::get<Client>(stage_);
  if (cause == CloseCause::client_closed) return *client.client_code;
  if (cause == CloseCause::dismissed) return client.session->known_speaker()->parting->code;
  return static_cast<std::uint16_t>(info(cause).code);
}

// Takes the session from its shard.
void Connection::record_end(CloseCause cause) {
  auto& client = std::get<Client>(stage_);
  if (client.session == nullptr) return;
  const std::uint16_t code = code_of(cause);
  Session* const session = std::exchange(client.session, nullptr);
  context_.stats.closed[static_cast<std::size_t>(cause)][code_index(code)].add();
  constexpr std::uint64_t kCodes = 256;  // see StoryKind::ended
  session->record(
      StoryKind::ended, code * kCodes + static_cast<std::uint64_t>(cause), session->lag(),
      cause == CloseCause::dismissed ? session->known_speaker()->parting->reason : std::string());
  tell_end(*session, cause, code);
  context_.shard.remove(*session, farewell_of(cause, code), code);
}

void Connection::tell_end(const Session& session, CloseCause cause, std::uint16_t code) {
  std::uint64_t untold = 0;
  const TimePoint now = context_.clock.now();
  if (!context_.end_lines.allows(now, untold)) return;
  if (untold > 0)
    context_.log.info("more clients are gone than lines are written for", {{"untold", untold}});
  const std::chrono::duration<double> connected = now - session.since();
  context_.log.info("client gone", {{"client", session.id().value},
                                    {"address", address()},
                                    {"reason", info(cause).name},
                                    {"code", static_cast<int>(code)},
                                    {"seconds", connected.count()},
                                    {"bytes", session.bytes_sent()},
                                    {"lag", session.lag()}});
}

// The socket's sending side is shut once all is sent; its peer hangs up then, or its time is over.
bool Connection::leave(ByteSpan last_words) {
  stage_ = Leaving{};
  late_pong_.reset();
  become_transient(kLeavingTime);
  send(last_words);
  return flush();
}

void Connection::become_transient(Duration time) {
  context_.transients.leave(*this);
  const TimePoint now = context_.clock.now();
  context_.transients.enter(*this, context_.gatekeeper.crowd_of(address()), now, now + time);
  if (Transient* surplus = context_.transients.surplus(*this)) {
    auto& displaced = static_cast<Connection&>(*surplus);
    displaced.give_up(RefusalReason::crowded);
    context_.finish_soon(displaced);
  }
}

void Connection::send(ByteSpan bytes) {
  finish_frame(bytes.subspan(write(bytes)));
  if (!all_sent()) request_writable();
}

void Connection::request_writable() {
  lws_callback_on_writable(wsi_);
}

bool Connection::writeable() {
  if (!flush()) return false;
  if (!all_sent()) return true;
  send_late_pong();
  const auto* client = std::get_if<Client>(&stage_);
  if (client != nullptr && all_sent()) client->session->writable();
  return true;
}

// False when the connection is lost.
bool Connection::flush() {
  if (!send_waiting()) return false;
  const bool leaving = std::holds_alternative<Leaving>(stage_);
  if (leaving && all_sent() && tls() != nullptr) tls()->say_end();
  if (!all_sent()) {
    request_writable();
  } else if (leaving) {
    shutdown(socket(), SHUT_WR);
  }
  return true;
}

}  // namespace syncrelay
