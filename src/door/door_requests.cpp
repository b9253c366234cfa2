// What a connection of the door makes of a request: who may, and what it is about.

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "door_connection.h"
#include "syncrelay/door/http_status.h"
#include "syncrelay/door/visitor_rule.h"
#include "syncrelay/protocol/traceparent.h"
#include "syncrelay/ws/pages.h"

namespace syncrelay {
namespace {

using std::chrono::milliseconds;

constexpr Duration kHoldTime = milliseconds(500);  // of who shows a wrong token

// By any of its fields: who looks at one of several may be told another thing than who looks at
// the next.
bool is_encoded(const HttpRequest& request) {
  const std::vector<std::string_view> codings = request.elements("content-encoding");
  return std::any_of(codings.begin(), codings.end(), [](std::string_view coding) {
    return !equal_ignoring_case(coding, "identity");
  });
}

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

}  // namespace

// All that may keep a request out is looked at before its body is read.
bool DoorConnection::begin_request(std::size_t head_bytes) {
  head_ = input_.substr(0, head_bytes);
  input_.erase(0, head_bytes);
  const auto parsed = HttpRequest::parse(head_);
  if (!parsed) return fail(parsed.error());
  request_ = parsed.value();
  routed_ = route(*request_);
  const bool of_page = routed_.path == DoorPath::other;
  const bool asks = context_.parts.secret != nullptr;
  if (const auto fault = visitor_fault(*request_, context_.parts.hosts, asks, of_page))
    return fail(*fault);
  const bool posts = routed_.path == DoorPath::commands;
  const bool may_post = posts && request_->method() == "POST";
  auto body = BodyReader::of(*request_, context_.settings.max_body);
  if (!body && body.error().status != kContentTooLarge) return fail(body.error());
  if (asks && !is_for_everybody() && !has_secret(*request_)) return refuse_secret();
  if (!may_post && !body) return fail({413, "nothing but commands has a body here"});
  if (!may_post && !body.value().over()) return fail({400, "nothing but commands has a body here"});
  if (!body) return ask_too_large(body.error());
  if (is_encoded(*request_))
    return fail({415, "a body comes as it is, without a Content-Encoding"});
  keeps_ = !request_->http_1_0() && !request_->lists("connection", "close") && !ends_;
  body_ = std::move(body).value();
  if (body_.over()) return serve();
  body_began_ = context_.parts.clock.now();
  enter(Stage::body, context_.settings.handshake_timeout);
  if (input_.empty() && request_->lists("expect", "100-continue")) write(as_bytes(kContinue));
  return true;
}

// The page itself asks for the token.
bool DoorConnection::is_for_everybody() const {
  if (routed_.path == DoorPath::health) return true;
  const bool reads = request_->method() == "GET" || request_->method() == "HEAD";
  const bool of_page = routed_.path == DoorPath::other && context_.parts.files;
  return reads && of_page && context_.parts.files(*request_).has_value();
}

bool DoorConnection::has_secret(const HttpRequest& request) const {
  constexpr std::string_view kScheme = "bearer ";
  if (request.count("authorization") != 1) return false;
  const std::string_view shown = request.field("authorization");
  return shown.size() > kScheme.size() &&
         equal_ignoring_case(shown.substr(0, kScheme.size()), kScheme) &&
         context_.parts.secret->is(trim(shown.substr(kScheme.size())));
}

// Who guesses is told so late, and on a connection each time.
bool DoorConnection::refuse_secret() {
  std::uint64_t untold = 0;
  if (request_->count("authorization") > 0 &&
      context_.lines.allows(context_.parts.clock.now(), untold)) {
    context_.parts.log.warning("request to the admin listener refused: its token is not the one",
                               {{"address", address_}, {"untold_before", untold}});
  }
  const bool shown = request_->count("authorization") > 0;
  HttpResponse response =
      fault_response({401, "a bearer token is asked for here: see --admin-token"});
  if (!shown) {
    keeps_ = false;
    return respond(std::move(response));
  }
  output_ = {serialize(response, context_.parts.clock.wall(), false), std::move(response.body)};
  keeps_ = false;
  count(response.status);
  enter(Stage::held, kHoldTime);
  return true;
}

bool DoorConnection::serve() {
  const std::string_view method = request_->method();
  const bool reads = method == "GET" || method == "HEAD";
  if (routed_.path == DoorPath::commands && method == "POST") return post();
  if (routed_.path == DoorPath::commands || (routed_.path != DoorPath::other && !reads))
    return refuse_method();
  return routed_.query.empty() ? serve_page() : ask(std::move(routed_.query));
}

bool DoorConnection::serve_page() {
  switch (routed_.path) {
    case DoorPath::metrics:
      return respond(metrics_page(context_.parts.status));
    case DoorPath::health:
      return respond(health_page(context_.parts.status));
    case DoorPath::openapi:
      return respond({200, "application/json", std::string(context_.parts.openapi)});
    default:
      break;
  }
  const bool reads = request_->method() == "GET" || request_->method() == "HEAD";
  auto file = context_.parts.files ? context_.parts.files(*request_) : std::nullopt;
  if (!file) return respond(fault_response({404, "there is nothing of this path here"}));
  routed_.path = DoorPath::page;
  return reads ? respond(*std::move(file)) : refuse_method();
}

bool DoorConnection::refuse_method() {
  HttpResponse response = fault_response({405, "this path has another method"});
  response.extra_name = "allow";
  response.extra_value = routed_.allow;
  return respond(std::move(response));
}

// That of the request, for the command in it; one that is none says nothing (W3C Trace Context).
std::string DoorConnection::traceparent() const {
  constexpr std::string_view kName = "traceparent";
  const std::string_view text = request_->field(kName);
  return std::string(request_->count(kName) == 1 && is_traceparent(text) ? text : "");
}

bool DoorConnection::post() {
  constexpr std::string_view kNdjson = "application/x-ndjson";
  const std::string_view type = request_->field("content-type");
  const bool as_lines = equal_ignoring_case(trim(type.substr(0, type.find(';'))), kNdjson);
  CommandsArguments arguments = arguments_of_commands(*request_);
  if (arguments.fault) return ask({}, std::move(arguments.fault));
  posted_ = Posted::read(body_.take_body(), as_lines, arguments.id);
  return ask(posted_.take_text());
}

}  // namespace syncrelay
