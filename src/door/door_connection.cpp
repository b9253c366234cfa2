#include "door_connection.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

#include "syncrelay/door/http_status.h"
#include "syncrelay/json/json_parts.h"
#include "syncrelay/ws/network.h"
#include "syncrelay/ws/pages.h"

namespace syncrelay {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::size_t kReadBytes = 64 * 1024;             // at once
constexpr std::size_t kReadsPerTurn = 16;                 // then others have their turn
constexpr std::uint64_t kBodyBytesPerSecond = 64 * 1024;  // at least, of a body in the long run
constexpr std::size_t kBodiesAtOnce = 4;                  // of the largest
constexpr Duration kIdleTime = seconds(60);               // between two requests
constexpr Duration kWriteTime = seconds(10);              // for some of an answer to be taken
constexpr Duration kReadTime = seconds(10);               // for some more of a body to come
constexpr Duration kLeavingTime = seconds(5);             // for the peer to hang up
constexpr Duration kGoneTime = seconds(5);  // after which nobody waits who has hung up
constexpr Duration kWaitTime = std::chrono::minutes(10);  // the relay answers long before

std::size_t index_of(int status) {
  std::size_t index = 0;
  while (index + 1 < kDoorStatuses.size() && kDoorStatuses[index] != status) ++index;
  return index;
}

// `receive` and `events` have such a member, and are short.
bool is_poll(std::string_view text) {
  constexpr std::size_t kLongest = 4096;
  return text.size() <= kLongest && !json_member(text, "wait").empty();
}

}  // namespace

DoorConnection::DoorConnection(Descriptor fd, std::string address, DoorContext& context)
    : fd_(std::move(fd)), address_(std::move(address)), context_(context) {
  TlsServer* const tls = context_.settings.tls;
  send_to(fd_.get(), tls == nullptr ? nullptr : tls->accept(fd_.get()));
  context_.parts.stats.connections.add();
  enter(Stage::head, context_.settings.handshake_timeout);
}

DoorConnection::~DoorConnection() {
  if (tls() != nullptr && !tls()->established() && !tls()->fault())
    counter(context_.parts.stats.tls.failures, TlsFailure::gone).add();
  context_.parts.errands.withdraw(errand_);
  context_.parts.errands.let_go(counted_);
  count_body(0);
  context_.transients.leave(*this);
  if (busy_) --context_.busy;
  count_poll(false);
  context_.parts.stats.connections.subtract();
}

// Who waits for an answer is not read from, so that what comes meanwhile stays in the kernel; only
// its end is looked for.
short DoorConnection::events() const {
  const bool reads = stage_ == Stage::head || stage_ == Stage::body || stage_ == Stage::leaving;
  const bool writes = stage_ == Stage::writing || !all_sent();
  const bool looks = stage_ == Stage::waiting && !hung_up_;
  return static_cast<short>((reads ? POLLIN : 0) | (writes ? POLLOUT : 0) |
                            (looks ? POLLRDHUP : 0));
}

void DoorConnection::enter(Stage stage, Duration time) {
  const TimePoint now = context_.parts.clock.now();
  const bool busy = stage == Stage::waiting || stage == Stage::writing;
  if (busy != busy_) context_.busy += busy ? 1 : -1;
  busy_ = busy;
  if (stage != Stage::waiting) count_poll(false);
  stage_ = stage;
  deadline_ = now + time;
  context_.transients.leave(*this);
  if (busy) return;
  context_.transients.enter(*this, network_of(address_), now, deadline_);
  if (Transient* const surplus = context_.transients.surplus(*this)) {
    context_.parts.stats.crowded.add();
    context_.transients.leave(*surplus);
    static_cast<DoorConnection&>(*surplus).displace();
  }
}

bool DoorConnection::handle(short found) {
  if ((found & (POLLERR | POLLNVAL)) != 0) return false;
  if ((found & POLLHUP) != 0 && (found & POLLIN) == 0) return false;
  if ((found & POLLOUT) != 0) {
    if (!send_waiting()) return false;
    if (stage_ == Stage::writing && !(pump() && advance())) return false;
  }
  if ((found & POLLIN) != 0 && !read_all()) return false;
  if ((found & POLLRDHUP) != 0 && stage_ == Stage::waiting) note_hang_up();
  return true;
}

// It may have said its all, and wait for the answer. Of a worker the relay sees it by itself.
void DoorConnection::note_hang_up() {
  hung_up_ = true;
  deadline_ = std::min(deadline_, context_.parts.clock.now() + kGoneTime);
}

bool DoorConnection::read_all() {
  std::array<char, kReadBytes> bytes;
  for (std::size_t turn = 0; turn < kReadsPerTurn; ++turn) {
    if ((events() & POLLIN) == 0) return true;
    const ssize_t size = recv(fd_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (size < 0) return errno == EAGAIN || errno == EINTR;
    if (size == 0) return false;
    const std::string_view read(bytes.data(), static_cast<std::size_t>(size));
    if (!(tls() == nullptr ? take(read) : decrypt(as_bytes(read)))) return false;
  }
  return true;
}

bool DoorConnection::decrypt(ByteSpan bytes) {
  if (stage_ == Stage::leaving) return true;
  if (!tls()->begun() && bytes.front() != TlsStream::kFirstByte) {
    drop_tls();
    counter(context_.parts.stats.tls.failures, TlsFailure::plain).add();
    return fail({400, kTlsAdvice});
  }
  tls()->feed(bytes);
  if (!tls()->established()) {
    const bool done = tls()->negotiate();
    if (tls()->fault()) return negotiate_failed();
    if (!done) return true;
    counter(context_.parts.stats.tls.handshakes, tls()->resumed()).add();
  }
  std::array<std::byte, TlsStream::kRecordBytes> plain;
  std::string text;
  while (const std::size_t size = tls()->read(plain)) text += as_text(ByteSpan(plain).first(size));
  if (tls()->fault() || (!text.empty() && !take(text))) return false;
  return !tls()->ended() || stage_ == Stage::waiting || stage_ == Stage::writing;
}

// The alert that says why is on its way already.
bool DoorConnection::negotiate_failed() {
  const TlsFault fault = *tls()->fault();
  const TlsFailure failure = fault == TlsFault::unmatched ? TlsFailure::unmatched
                             : fault == TlsFault::refused ? TlsFailure::refused
                                                          : TlsFailure::malformed;
  counter(context_.parts.stats.tls.failures, failure).add();
  return leave();
}

bool DoorConnection::take(std::string_view bytes) {
  if (stage_ == Stage::leaving) return true;
  input_ += bytes;
  return advance();
}

// Goes on with what has come, request by request.
bool DoorConnection::advance() {
  while (stage_ == Stage::head || stage_ == Stage::body) {
    const Stage before = stage_;
    const std::size_t size = input_.size();
    if (!(before == Stage::head ? read_head() : read_body())) return false;
    if (stage_ == before && (input_.size() == size || before == Stage::body)) return true;
  }
  return true;
}

bool DoorConnection::read_body() {
  if (const auto fault = body_.take(input_)) {
    if (fault->status != kContentTooLarge) return fail(*fault);
    keeps_ = false;
    return ask_too_large(*fault);
  }
  if (!count_body(body_.received())) return fail({429, "as much as may is being read from others"});
  if (body_.over()) return serve();
  const Duration earned = milliseconds(body_.received() * 1000 / kBodyBytesPerSecond);
  deadline_ = std::min(body_began_ + context_.settings.handshake_timeout + earned,
                       context_.parts.clock.now() + kReadTime);
  return true;
}

// RFC 9112 section 2.2: empty lines before a request are skipped.
bool DoorConnection::read_head() {
  input_.erase(0, std::min(input_.find_first_not_of("\r\n"), input_.size()));
  if (input_.empty()) return true;
  if (request_) enter(Stage::head, context_.settings.handshake_timeout);  // the idle time is over
  request_.reset();
  routed_ = {};
  keeps_ = false;
  if (input_.front() == static_cast<char>(TlsStream::kFirstByte))
    return fail({400, "this is TLS, and the port has none"});
  if (!may_be_request(input_)) return fail({400, "this is no HTTP"});
  const std::size_t end = head_end(input_, searched_);
  searched_ = end == 0 ? input_.size() : 0;
  if (end > kMaxHeadBytes || (end == 0 && input_.size() > kMaxHeadBytes))
    return fail({431, "the request's head is too large"});
  return end == 0 || begin_request(end);
}

bool DoorConnection::ask(std::string text, std::optional<Rejection> fault) {
  if (context_.parts.status.stopping.load(std::memory_order_relaxed)) {
    keeps_ = false;
    return respond(fault_response({503, "the relay is stopping"}));
  }
  if (context_.parts.status.catching_up.load(std::memory_order_relaxed))
    return respond(fault_response({503, "the relay is catching up with its cluster"}));
  const bool polls = is_poll(text);
  if (!has_place(polls))
    return respond(fault_response({429, "as many requests as may wait for their answers"}));
  errand_ = context_.next_errand++;
  count_poll(polls);
  enter(Stage::waiting, kWaitTime);
  if (context_.parts.errands.send({errand_, std::move(text), std::move(fault), fd_.get(),
                                   routed_.path == DoorPath::commands ? traceparent() : ""}))
    return true;
  return give_up_errand();
}

// Who waits for something to happen does so for up to a minute: others, who wait for moments, have
// a place at least that is not taken by those, also where files are few.
bool DoorConnection::has_place(bool polls) const {
  const std::size_t places = std::max<std::size_t>(context_.settings.connections / 2, 2);
  return context_.busy < places && (!polls || context_.polls < places * 3 / 4);
}

void DoorConnection::count_poll(bool polls) {
  if (polls != polls_) context_.polls += polls ? 1 : -1;
  polls_ = polls;
}

// False: there is no room for so many bytes of it.
bool DoorConnection::count_body(std::size_t bytes) {
  const std::size_t bound = kBodiesAtOnce * context_.settings.max_body;
  context_.body_bytes += bytes - body_bytes_;
  body_bytes_ = bytes;
  return context_.body_bytes <= bound;
}

// The relay says so, as it does elsewhere, and has it among what it refused.
bool DoorConnection::ask_too_large(const HttpFault& fault) {
  return ask({}, Rejection{RejectReason::too_large, context_.settings.max_body,
                           std::string(fault.detail)});
}

bool DoorConnection::answered(ErrandAnswer answer) {
  errand_ = 0;
  counted_ = answer.text.size();
  const RejectReason* const refused = answer.refused ? &*answer.refused : nullptr;
  return respond(
             relay_response(std::exchange(posted_, {}).told(std::move(answer.text)), refused)) &&
         advance();
}

bool DoorConnection::give_up_errand() {
  errand_ = 0;
  keeps_ = false;
  const bool catching_up = context_.parts.status.catching_up.load(std::memory_order_relaxed);
  return respond(fault_response(
      {503, catching_up ? "the relay begins anew with its cluster: nobody knows what became of it"
                        : "the relay is stopping"}));
}

// The connection cannot be read any further.
bool DoorConnection::fail(const HttpFault& fault) {
  keeps_ = false;
  return respond(fault_response(fault));
}

bool DoorConnection::respond(HttpResponse response) {
  body_ = {};
  count_body(0);
  response.keeps = keeps_;
  count(response.status);
  const bool head_only = request_ && request_->method() == "HEAD";
  output_ = {serialize(response, context_.parts.clock.wall(), false), {}};
  if (!head_only) output_[1] = std::move(response.body);
  enter(Stage::writing, kWriteTime);
  return pump();
}

void DoorConnection::count(int status) {
  context_.parts.stats.requests[static_cast<std::size_t>(routed_.path)][index_of(status)].add();
}

// Sends what the socket takes.
bool DoorConnection::pump() {
  const std::size_t head = output_[0].size();
  const std::size_t all = head + output_[1].size();
  while (sent_ < all) {
    const bool in_head = sent_ < head;
    const std::string_view part = in_head ? std::string_view(output_[0]).substr(sent_)
                                          : std::string_view(output_[1]).substr(sent_ - head);
    const std::size_t taken = write(as_bytes(part));
    if (taken == 0) return true;
    sent_ += taken;
    deadline_ = context_.parts.clock.now() + kWriteTime;
  }
  return !all_sent() || finish_answer();
}

bool DoorConnection::finish_answer() {
  context_.parts.errands.let_go(std::exchange(counted_, 0));
  output_ = {};
  sent_ = 0;
  if (!keeps_ || ends_) return leave();
  if (tls() != nullptr && tls()->ended()) return leave();
  enter(Stage::head, kIdleTime);
  return true;
}

// So that no reset overtakes the answer (RFC 9112 section 9.6).
bool DoorConnection::leave() {
  input_.clear();
  if (tls() != nullptr && tls()->established()) tls()->say_end();
  shutdown(fd_.get(), SHUT_WR);
  enter(Stage::leaving, kLeavingTime);
  return true;
}

bool DoorConnection::tick(TimePoint now) {
  if (displaced_) return false;
  if (now < deadline_) return true;
  if (stage_ == Stage::held) {
    enter(Stage::writing, kWriteTime);
    return pump();
  }
  const bool late = stage_ == Stage::body || (stage_ == Stage::head && !input_.empty());
  return late && fail({408, "the request did not come in time"});
}

bool DoorConnection::end_soon() {
  ends_ = true;
  return stage_ == Stage::waiting || stage_ == Stage::writing || stage_ == Stage::held;
}

}  // namespace syncrelay
