#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "syncrelay/base/descriptor.h"
#include "syncrelay/base/line_budget.h"
#include "syncrelay/door/body_reader.h"
#include "syncrelay/door/door.h"
#include "syncrelay/door/posted.h"
#include "syncrelay/door/routes.h"
#include "syncrelay/ws/socket_transport.h"
#include "syncrelay/ws/transients.h"

namespace syncrelay {

inline constexpr int kContentTooLarge = 413;  // the status that the relay is asked for

// What all connections of the door work with; the door's, and outlives them.
struct DoorContext {
  Door::Settings settings;
  Door::Parts parts;
  Transients transients;
  std::size_t busy = 0;        // connections that wait for an answer, or for it to be read
  std::size_t polls = 0;       // of them, that wait for something to happen, for a minute maybe
  std::size_t body_bytes = 0;  // of all bodies that are being read or are with the relay
  std::uint64_t next_errand = 1;
  LineBudget lines;  // on who is not let in
};

// One connection to the HTTP door: request after request, each answered before the next is looked
// at. Those that wait for a request are transients, which displace each other; the others are
// bounded by their number. The door's thread only.
class DoorConnection final : public SocketTransport, public Transient {
 public:
  DoorConnection(Descriptor fd, std::string address, DoorContext& context);
  ~DoorConnection() override;

  int fd() const { return fd_.get(); }
  // For poll().
  short events() const;

  // What poll() has found. False: it is to be closed now.
  bool handle(short found);
  // The relay has answered.
  bool answered(ErrandAnswer answer);
  std::uint64_t errand() const { return errand_; }  // 0: it waits for none
  // Time passes.
  bool tick(TimePoint now);
  // When tick() has something to do.
  TimePoint deadline() const { return deadline_; }
  // The relay answers no more.
  bool give_up_errand();
  // It is to end as soon as what it has to say is said.
  bool end_soon();

  // Its place is needed, or its time is over; false is as above.
  void displace() { displaced_ = true; }
  bool displaced() const { return displaced_; }

  // Transport; nobody asks for these.
  void request_writable() override {}
  std::string_view address() const override { return address_; }
  void close(CloseCause) override {}

 private:
  enum class Stage : std::uint8_t { head, body, held, waiting, writing, leaving };

  bool read_all();
  bool take(std::string_view bytes);
  bool decrypt(ByteSpan bytes);
  bool advance();
  bool read_head();
  bool read_body();
  void note_hang_up();
  bool count_body(std::size_t bytes);
  bool has_place(bool polls) const;
  void count_poll(bool polls);
  bool ask_too_large(const HttpFault& fault);
  std::string traceparent() const;
  bool begin_request(std::size_t head_bytes);
  bool serve();
  bool serve_page();
  bool post();
  bool ask(std::string text, std::optional<Rejection> fault = std::nullopt);
  bool fail(const HttpFault& fault);
  bool refuse_secret();
  bool refuse_method();
  bool is_for_everybody() const;
  bool has_secret(const HttpRequest& request) const;
  bool respond(HttpResponse response);
  bool pump();
  bool finish_answer();
  bool leave();
  void enter(Stage stage, Duration time);
  void count(int status);
  bool negotiate_failed();

  const Descriptor fd_;
  const std::string address_;
  DoorContext& context_;
  Stage stage_ = Stage::head;
  TimePoint deadline_{};
  std::string input_;                   // read and not looked at yet
  std::size_t searched_ = 0;            // of it, for the end of a head
  std::string head_;                    // of the request
  std::optional<HttpRequest> request_;  // views into it
  Routed routed_;
  BodyReader body_;
  TimePoint body_began_{};
  std::size_t body_bytes_ = 0;  // its part of the context's
  Posted posted_;
  std::uint64_t errand_ = 0;
  std::array<std::string, 2> output_;  // what is on its way: head and body of the answer
  std::size_t sent_ = 0;               // of both together
  std::size_t counted_ = 0;            // bytes of the body that count as unread
  bool keeps_ = false;                 // another request may follow
  bool busy_ = false;
  bool polls_ = false;  // it is one of the context's
  bool displaced_ = false;
  bool hung_up_ = false;  // while it waited
  bool ends_ = false;     // no other request is taken
};

}  // namespace syncrelay
