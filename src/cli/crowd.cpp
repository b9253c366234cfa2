#include "crowd.h"

#include <libwebsockets.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <list>
#include <utility>

#include "client_context.h"
#include "stop_signals.h"

namespace syncrelay {
namespace {

constexpr std::size_t kGuestBuffer = 4096;  // of each client
constexpr int kMostTries = 20;              // to follow a channel that the relay has just made

// Of a message: the digits behind `name`, 0 where there is none.
std::uint64_t number_behind(std::string_view message, std::string_view name) {
  const std::size_t at = message.find(name);
  std::uint64_t value = 0;
  if (at == std::string_view::npos) return value;
  const char* const begin = message.data() + at + name.size();
  std::from_chars(begin, message.data() + message.size(), value);
  return value;
}

}  // namespace

struct Crowd::Impl {
  struct Guest {
    Impl* crowd;
    bool here = false;
    int tries = 0;
    std::string beginning{};  // of the message under way
    std::list<Guest>::iterator place{};
  };

  Impl(StreamTarget its_target, std::string its_channel, const Hears& its_hears)
      : target(std::move(its_target)), channel(std::move(its_channel)), hears(its_hears) {}

  static int on_lws(lws* wsi, lws_callback_reasons reason, void*, void* in, std::size_t size);
  int handle(Guest& guest, lws* wsi, lws_callback_reasons reason, void* in, std::size_t size);
  int receive(Guest& guest, lws* wsi, std::string_view bytes);
  void hear(Guest& guest, lws* wsi);
  int ask_again(lws* wsi) const;
  void leave(Guest& guest, std::string_view reason);

  const StreamTarget target;
  const std::string channel;
  const Hears& hears;
  std::array<lws_protocols, 2> protocols{};
  Counts counts;
  std::string why;
  std::list<Guest> guests;
  ClientContext context;
  std::optional<StopSignals> signals;
  lws_sorted_usec_list_t timer{};
  bool leaving = false;
};

int Crowd::Impl::on_lws(lws* wsi, lws_callback_reasons reason, void*, void* in, std::size_t size) {
  auto* const guest = static_cast<Guest*>(lws_get_opaque_user_data(wsi));
  return guest == nullptr ? 0 : guest->crowd->handle(*guest, wsi, reason, in, size);
}

int Crowd::Impl::handle(Guest& guest, lws* wsi, lws_callback_reasons reason, void* in,
                        std::size_t size) {
  const auto* const bytes = static_cast<const char*>(in);
  switch (reason) {
    case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
      return add_token_field(target.token, static_cast<char**>(in), size);
    case LWS_CALLBACK_CLIENT_WRITEABLE:
      if (leaving) {
        lws_close_reason(wsi, LWS_CLOSE_STATUS_NORMAL, nullptr, 0);
        return -1;
      }
      return guest.here ? 0 : ask_again(wsi);
    case LWS_CALLBACK_CLIENT_RECEIVE:
      return receive(guest, wsi, {bytes, size});
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
      if (size >= 2) {
        why = "the relay closed with " + std::to_string(static_cast<unsigned char>(bytes[0]) * 256 +
                                                        static_cast<unsigned char>(bytes[1]));
        if (size > 2) why.append(" ").append(bytes + 2, size - 2);
      }
      return 0;
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
      if (const unsigned status = lws_http_client_http_response(wsi); status > 101)
        leave(guest, "the relay answers HTTP " + std::to_string(status));
      else
        leave(guest, bytes == nullptr ? "no connection" : std::string_view(bytes, size));
      lws_set_opaque_user_data(wsi, nullptr);
      return 0;
    case LWS_CALLBACK_CLIENT_CLOSED:
      leave(guest, "the connection broke");
      lws_set_opaque_user_data(wsi, nullptr);
      return 0;
    default:
      return 0;
  }
}

void Crowd::Impl::leave(Guest& guest, std::string_view reason) {
  if (why.empty()) why = reason;
  --(guest.here ? counts.here : counts.connecting);
  ++(guest.here ? counts.lost : counts.failed);
  guests.erase(guest.place);
}

int Crowd::Impl::receive(Guest& guest, lws* wsi, std::string_view bytes) {
  const bool whole = lws_is_final_fragment(wsi) != 0 && lws_remaining_packet_payload(wsi) == 0;
  if (whole && guest.beginning.empty() && guest.here) {
    if (bytes.substr(0, kBeginning).find("sync:") == std::string_view::npos) {
      hears.event(bytes.substr(0, kBeginning));
      return 0;
    }
  }
  // The end of a snapshot, too, says how much was skipped.
  if (guest.beginning.size() + bytes.size() <= kGuestBuffer) guest.beginning += bytes;
  if (!whole) return 0;
  hear(guest, wsi);
  guest.beginning.clear();
  return 0;
}

void Crowd::Impl::hear(Guest& guest, lws* wsi) {
  const std::string_view message = guest.beginning;
  const std::string_view head = message.substr(0, kBeginning);
  if (head.find(R"("type":"sync:full")") != std::string_view::npos) {
    counts.skipped += number_behind(message, R"("skipped":)");
    if (!std::exchange(guest.here, true)) {
      --counts.connecting;
      ++counts.here;
    }
  } else if (head.find(R"("type":"sync:refused")") != std::string_view::npos) {
    why = "the relay does not let it follow " + channel + ": " + std::string(message);
    if (++guest.tries < kMostTries) {
      lws_callback_on_writable(wsi);
    } else {
      lws_set_timeout(wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
    }
  } else if (head.find(R"("type":"sync:unsubscribed")") != std::string_view::npos) {
    why = "somebody has dropped " + channel;
    lws_set_timeout(wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
  } else if (guest.here) {
    hears.event(head);
  }
}

int Crowd::Impl::ask_again(lws* wsi) const {
  const std::string text = R"({"type":"sync:subscribe","channel":")" + channel + R"("})";
  std::string buffer(LWS_PRE, '\0');
  buffer += text;
  auto* const begin = reinterpret_cast<unsigned char*>(buffer.data()) + LWS_PRE;
  return lws_write(wsi, begin, text.size(), LWS_WRITE_TEXT) < 0 ? -1 : 0;
}

Crowd::Crowd(const StreamTarget& target, std::string channel, const Hears& hears)
    : impl_(std::make_unique<Impl>(target, std::move(channel), hears)) {}

Crowd::~Crowd() {
  if (impl_->signals) StopSignals::forget();
  impl_->signals.reset();
}

bool Crowd::begin() {
  impl_->protocols[0] = {"syncrelay-bench", Impl::on_lws, 0, kGuestBuffer, 0, nullptr, 0};
  impl_->context = make_client_context(nullptr, impl_->target.tls, impl_->protocols.data());
  if (impl_->context) impl_->signals.emplace(impl_->context.get());
  return impl_->context != nullptr;
}

void Crowd::connect() {
  Impl::Guest& guest = impl_->guests.emplace_back(Impl::Guest{impl_.get()});
  guest.place = std::prev(impl_->guests.end());
  ++impl_->counts.connecting;
  // Where it fails at once, libwebsockets may have told of that already.
  const std::size_t failed = impl_->counts.failed;
  const bool begun =
      connect_client(impl_->context.get(), impl_->target, impl_->protocols[0], &guest);
  if (!begun && impl_->counts.failed == failed) impl_->leave(guest, "no connection");
}

const Crowd::Counts& Crowd::counts() const {
  return impl_->counts;
}

const std::string& Crowd::why() const {
  return impl_->why;
}

// lws_service() waits for as long as its timers let it.
void Crowd::serve(std::chrono::milliseconds longest) {
  lws_sul_schedule(
      impl_->context.get(), 0, &impl_->timer, [](lws_sorted_usec_list_t*) {},
      std::chrono::microseconds(longest).count());
  lws_service(impl_->context.get(), 0);
}

void Crowd::leave() {
  constexpr auto kMoment = std::chrono::seconds(1);
  if (!impl_->context) return;
  impl_->leaving = true;
  lws_callback_on_writable_all_protocol(impl_->context.get(), impl_->protocols.data());
  const auto deadline = std::chrono::steady_clock::now() + kMoment;
  while (!impl_->guests.empty() && std::chrono::steady_clock::now() < deadline)
    serve(std::chrono::milliseconds(10));
}

void Crowd::wake() {
  lws_cancel_service(impl_->context.get());
}

bool Crowd::stopped() {
  return StopSignals::came() != 0;
}

}  // namespace syncrelay
