#include "event_stream.h"

#include <libwebsockets.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <optional>
#include <utility>

#include "client_context.h"
#include "stop_signals.h"
#include "syncrelay/protocol/close_cause.h"

namespace syncrelay {
namespace {

constexpr std::size_t kReadBuffer = 64 * 1024;
constexpr std::size_t kMaxMessage = 1024UL * 1024 * 1024;

using Take = std::function<bool(std::string_view)>;

// One connection from its handshake to its end.
class Stream {
 public:
  Stream(const StreamTarget& target, const Take& take) : target_(target), take_(take) {}

  const std::optional<StreamEnd>& end() const { return end_; }
  bool established() const { return established_; }

  // Of the loop that waits for the end.
  void set_context(lws_context* context) { context_ = context; }

  // libwebsockets' callback: what it returns when not 0 closes the connection.
  int handle(lws* wsi, lws_callback_reasons reason, void* in, std::size_t size) {
    const auto* const bytes = static_cast<const char*>(in);
    switch (reason) {
      case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
        return add_token(static_cast<char**>(in), size);
      case LWS_CALLBACK_CLIENT_ESTABLISHED:
        established_ = true;
        wsi_ = wsi;
        lws_callback_on_writable(wsi);
        return 0;
      case LWS_CALLBACK_CLIENT_WRITEABLE:
        return say_next(wsi);
      case LWS_CALLBACK_CLIENT_RECEIVE:
        return receive(wsi, {bytes, size});
      case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        note_close({bytes, size});
        return 0;
      case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        gone_ = true;
        fail(answer_in(wsi), bytes == nullptr ? std::string_view() : std::string_view(bytes, size));
        return 0;
      case LWS_CALLBACK_CLIENT_CLOSED:
        gone_ = true;
        finish({StreamEnd::Kind::lost, "the connection broke"});
        return 0;
      default:
        return 0;
    }
  }

  // libwebsockets goes on waiting for sockets after its timers have run, and the last one may be
  // closed by then: it must be woken.
  void finish(StreamEnd end) {
    if (!end_) end_ = std::move(end);
    if (context_ != nullptr) lws_cancel_service(context_);
  }

  // What the relay answered in place of an upgrade.
  struct Answer {
    unsigned status = 0;  // 0: no HTTP answer
    std::string location;
    std::string retry_after;
  };

  // Nothing is left of the connection, or there was none.
  bool is_gone() const { return gone_ || wsi_ == nullptr; }

  // Ends the connection as one who goes does. Precondition: not is_gone().
  void leave() {
    if (!end_) end_ = StreamEnd{StreamEnd::Kind::stopped, {}};
    lws_callback_on_writable(wsi_);
  }

  // Before the connection was established.
  void fail(const Answer& answer, std::string_view why) {
    const unsigned status = answer.status;
    if (target_.tls != nullptr && !target_.tls->refusal().empty()) {
      return finish(
          {StreamEnd::Kind::refused, "its certificate is not believed: " + target_.tls->refusal() +
                                         " (--host NAME and --ca FILE say who is)"});
    }
    if (target_.tls != nullptr && target_.tls->met_plain()) {
      return finish({StreamEnd::Kind::refused, "no TLS is spoken there: leave out --tls and --ca"});
    }
    if (status == 0 || status == 101) {
      return finish(
          {StreamEnd::Kind::unreachable, why.empty() ? "no connection" : std::string(why)});
    }
    constexpr unsigned kTooMany = 429;
    const bool for_good = status >= 300 && status < 500 && status != kTooMany;
    finish({for_good ? StreamEnd::Kind::refused : StreamEnd::Kind::busy,
            "the relay answers HTTP " + std::to_string(status) + remark(answer),
            seconds_in(answer.retry_after)});
  }

 private:
  std::string remark(const Answer& answer) const {
    if (!answer.location.empty()) return " to " + answer.location + ", which is not followed";
    if (answer.status == 400 && target_.tls == nullptr)
      return " (if it speaks TLS: --tls or --ca FILE)";
    return {};
  }

  // Of a Retry-After (RFC 9110 section 10.2.3); a date counts as nothing.
  static std::chrono::seconds seconds_in(std::string_view text) {
    constexpr std::size_t kMostDigits = 6;
    unsigned seconds = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    const bool whole = error == std::errc() && end == text.data() + text.size();
    return std::chrono::seconds(whole && text.size() <= kMostDigits ? seconds : 0);
  }

  // What is to be done about the close reason.
  static std::string_view advice(std::string_view reason) {
    if (reason == "token_missing") return " (give it one: --token-file FILE, or SYNCRELAY_TOKEN)";
    if (reason == "forbidden") return " (its token allows none of these channels)";
    return {};
  }

  static Answer answer_in(lws* wsi) {
    if (wsi == nullptr) return {};
    return {lws_http_client_http_response(wsi), field_in(wsi, WSI_TOKEN_HTTP_LOCATION),
            field_in(wsi, WSI_TOKEN_HTTP_RETRY_AFTER)};
  }

  static std::string field_in(lws* wsi, lws_token_indexes field) {
    std::array<char, 512> text{};
    const int size = lws_hdr_copy(wsi, text.data(), static_cast<int>(text.size()), field);
    return size > 0 ? std::string(text.data(), static_cast<std::size_t>(size)) : std::string();
  }

  // `place`: where the request's fields end so far, with `room` bytes behind it.
  int add_token(char** place, std::size_t room) const {
    return add_token_field(target_.token, place, room);
  }

  // libwebsockets wants one message at a time, and room in front of it.
  int say_next(lws* wsi) {
    if (end_) return close(wsi);
    if (said_ == target_.words.size()) return 0;
    const std::string& word = target_.words[said_++];
    std::vector<unsigned char> buffer(LWS_PRE + word.size());
    std::copy(word.begin(), word.end(), buffer.begin() + LWS_PRE);
    if (lws_write(wsi, buffer.data() + LWS_PRE, word.size(), LWS_WRITE_TEXT) < 0) return -1;
    lws_callback_on_writable(wsi);
    return 0;
  }

  int receive(lws* wsi, std::string_view bytes) {
    if (end_) return 0;
    if (message_.size() + bytes.size() > kMaxMessage) {
      finish({StreamEnd::Kind::refused, "the relay sent a message of more than 1 GiB"});
      return -1;
    }
    message_ += bytes;
    if (lws_is_final_fragment(wsi) == 0 || lws_remaining_packet_payload(wsi) > 0) return 0;
    served_ = true;
    const bool go_on = take_(message_);
    message_.clear();
    if (go_on) return 0;
    finish({StreamEnd::Kind::stopped, {}});
    return close(wsi);
  }

  static int close(lws* wsi) {
    lws_close_reason(wsi, LWS_CLOSE_STATUS_NORMAL, nullptr, 0);
    return -1;
  }

  // libwebsockets does not know 1012 and 1013: it overwrites them with its answer, 1002, and leaves
  // the reason as it was.
  static unsigned sent_code(unsigned code, std::string_view reason) {
    if (code != static_cast<unsigned>(CloseCode::protocol_error)) return code;
    for (const CloseCauseInfo& known : kCloseCauses)
      if (known.name == reason) return static_cast<unsigned>(known.code);
    return code;
  }

  // `payload` is the close frame's: a code of two bytes and a reason, or nothing.
  void note_close(std::string_view payload) {
    constexpr unsigned kPolicyViolation = 1008;
    constexpr unsigned kUnauthorized = 4401;
    constexpr unsigned kForbidden = 4403;
    if (payload.size() < 2) return;
    const unsigned code =
        static_cast<unsigned char>(payload[0]) * 256U + static_cast<unsigned char>(payload[1]);
    const std::string_view reason = payload.substr(2);
    std::string why = "the relay closed with " + std::to_string(sent_code(code, reason));
    if (!reason.empty()) why.append(" ").append(reason);
    why += advice(reason);
    const bool token_ended = code == kUnauthorized && served_;  // there may be a newer one by now
    const bool for_good =
        code == kPolicyViolation || code == kForbidden || (code == kUnauthorized && !token_ended);
    finish({for_good ? StreamEnd::Kind::refused : StreamEnd::Kind::lost, why});
  }

  const StreamTarget& target_;
  std::size_t said_ = 0;  // of the words
  const Take& take_;
  lws_context* context_ = nullptr;
  lws* wsi_ = nullptr;  // once it is established
  bool gone_ = false;
  bool established_ = false;
  bool served_ = false;  // a message has come
  std::string message_;  // what has come of the one under way
  std::optional<StreamEnd> end_;
};

int on_lws(lws* wsi, lws_callback_reasons reason, void*, void* in, std::size_t size) {
  auto* stream = static_cast<Stream*>(lws_context_user(lws_get_context(wsi)));
  return stream == nullptr ? 0 : stream->handle(wsi, reason, in, size);
}

// Ends a stream that is not established in time.
struct Alarm {
  lws_sorted_usec_list_t timer;
  Stream* stream;
  std::chrono::milliseconds patience;
};

void on_alarm(lws_sorted_usec_list_t* timer) {
  const Alarm& alarm = *lws_container_of(timer, Alarm, timer);
  if (alarm.stream->established()) return;
  alarm.stream->finish(
      {StreamEnd::Kind::silent,
       "no answer to the handshake within " + std::to_string(alarm.patience.count()) + " ms"});
}

void on_end_of_leave(lws_sorted_usec_list_t*) {}

// Closes what is open, and waits a moment for the relay to take it.
void take_leave(lws_context* context, Stream& stream) {
  constexpr auto kMoment = std::chrono::seconds(1);
  if (stream.is_gone()) return;
  stream.leave();
  const auto deadline = std::chrono::steady_clock::now() + kMoment;
  lws_sorted_usec_list_t timer{};
  lws_sul_schedule(context, 0, &timer, on_end_of_leave, std::chrono::microseconds(kMoment).count());
  while (!stream.is_gone() && std::chrono::steady_clock::now() < deadline) lws_service(context, 0);
  lws_sul_schedule(context, 0, &timer, nullptr, LWS_SET_TIMER_USEC_CANCEL);
}

}  // namespace

StreamEnd read_stream(const StreamTarget& target, std::chrono::milliseconds patience,
                      const Take& take) {
  Stream stream(target, take);
  const std::array<lws_protocols, 2> protocols = {
      {{"syncrelay-watch", on_lws, 0, kReadBuffer, 0, nullptr, 0}, {}}};
  const ClientContext context = make_client_context(&stream, target.tls, protocols.data());
  if (!context) return {StreamEnd::Kind::unreachable, "libwebsockets cannot start"};
  stream.set_context(context.get());
  Alarm alarm = {{}, &stream, patience};
  lws_sul_schedule(context.get(), 0, &alarm.timer, on_alarm,
                   std::chrono::microseconds(patience).count());
  {
    const StopSignals signals(context.get());
    if (!connect_client(context.get(), target, protocols.front(), nullptr)) stream.fail({}, {});
    while (!stream.end() && StopSignals::came() == 0) lws_service(context.get(), 0);
    lws_sul_schedule(context.get(), 0, &alarm.timer, nullptr, LWS_SET_TIMER_USEC_CANCEL);
    take_leave(context.get(), stream);
  }
  return stream.end() ? *stream.end() : StreamEnd{StreamEnd::Kind::stopped, {}};
}

}  // namespace syncrelay
