#include "syncrelay/cli/run_request.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ask_relay.h"
#include "bench.h"
#include "dial_address.h"
#include "request_text.h"
#include "run.h"
#include "syncrelay/cli/json_printer.h"
#include "syncrelay/cli/report.h"
#include "syncrelay/json/json_parts.h"
#include "syncrelay/json/json_text.h"
#include "syncrelay/protocol/limits.h"
#include "syncrelay/tls/tls_trust.h"
#include "watch.h"

namespace syncrelay {

// The JSON text that an argument is or stands for; nothing when it is none, which is told with
// `name`.
std::optional<std::string> Run::json_of(const std::string& argument, const std::string& name) {
  const bool from_input = argument == "-";
  std::optional<std::string> text = from_input ? read_input() : argument;
  if (!text) return std::nullopt;
  const std::optional<JsonFault> fault = json_fault(*text);
  if (!fault) return text;
  std::string why = from_input ? "standard input" : name + ' ' + json_string(printable(argument));
  why += " is not JSON: at byte " + std::to_string(fault->offset) + ": " + fault->reason;
  if (!from_input) why += " (text needs quotes of its own: '\"text\"')";
  fail(kBadInput, why);
  return std::nullopt;
}

std::optional<std::string> Run::read_input() {
  std::string text;
  std::array<char, 65536> bytes;
  while (const ssize_t size = read(console_.in, bytes.data(), bytes.size())) {
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) {
      fail(kBadInput, std::string("cannot read standard input: ") + std::strerror(errno));
      return std::nullopt;
    }
    text.append(bytes.data(), static_cast<std::size_t>(size));
    if (text.size() <= config_.max_command) continue;
    fail(kBadInput, "standard input holds more than --max-command allows (" +
                        std::to_string(config_.max_command) + " bytes)");
    return std::nullopt;
  }
  return text;
}

// The relay's positive answer; nothing when there is none, which is told.
std::optional<std::string> Run::ask(const std::string& request) {
  auto answer = ask_relay(place_, request, request_.timeout + request_.wait);
  if (!answer) {
    fail(kFailed, answer.error().why);
  } else if (const auto fault = fault_of(answer.value(), config_.control)) {
    fail(kFailed, *fault);
  } else {
    return std::move(answer).value();
  }
  return std::nullopt;
}

// A command but for its members and its end.
std::string Run::begin_command(const std::string& op) const {
  return R"({"op":")" + op + R"(","id":")" + random_id() + '"' +
         channel_members(request_.channels) + (request_.silent ? R"(,"notify":false)" : "") +
         (request_.ttl ? R"(,"ttl":)" + seconds(*request_.ttl) : "");
}

std::string Run::condition_on(const std::string& key) const {
  if (!request_.if_version) return {};
  return R"(,"if":{)" + json_string(key) + ':' + std::to_string(*request_.if_version) + '}';
}

int Run::confirm(const std::string& command, const std::string& done) {
  const auto answer = ask(command + '}');
  if (!answer) return kFailed;
  if (!console_.pretty) return print(*answer);
  return write(done + ' ' + position_report(*answer, channel()) + '\n');
}

// The one that is meant; empty for the default one.
std::string Run::channel() const {
  return request_.channels.empty() ? std::string() : request_.channels.front();
}

int Run::state() {
  const bool one = !request_.words.empty();
  const std::string key = one ? R"(,"key":)" + json_string(request_.words[0]) : "";
  const auto answer = ask(R"({"op":"state")" + channel_members(request_.channels) + key + '}');
  if (!answer) return kFailed;
  const std::string state =
      request_.versions ? versioned_state(*answer) : std::string(json_member(*answer, "state"));
  if (!one) return print(state);
  const std::vector<JsonPart> values = json_parts(state);
  if (!values.empty()) return print(values.front().value);
  const std::string where = channel().empty() ? "" : " of " + channel();
  return fail(kFailed,
              "the state" + where + " has no key " + json_string(printable(request_.words[0])));
}

int Run::change(const std::string& op, const std::string& done) {
  const std::string& key = request_.words[0];
  const auto value = json_of(request_.words[1], "argument");
  if (!value) return kBadInput;
  return confirm(begin_command(op) + condition_on(key) + R"(,"key":)" + json_string(key) +
                     R"(,"value":)" + *value,
                 done + ' ' + printable(key));
}

int Run::remove() {
  for (const std::string& key : request_.words) {
    const int code =
        confirm(begin_command("delete") + condition_on(key) + R"(,"key":)" + json_string(key),
                "deleted " + printable(key));
    if (code != kDone) return code;
  }
  return kDone;
}

int Run::publish() {
  const std::string& type = request_.words[0];
  std::string command = begin_command("broadcast") + R"(,"type":)" + json_string(type);
  if (request_.words.size() > 1) {
    const auto data = json_of(request_.words[1], "argument");
    if (!data) return kBadInput;
    command += R"(,"data":)" + *data;
  }
  std::string set;
  for (const KeyArgument& argument : request_.set) {
    const std::string key = json_string(argument.key);
    const auto value = json_of(argument.json, "--set " + printable(argument.key) + ": argument");
    if (!value) return kBadInput;
    set += (set.empty() ? "" : ",") + key + ':' + *value;
  }
  if (!set.empty()) command += R"(,"set":{)" + set + '}';
  return confirm(command, "published " + printable(type));
}

// Whom it trusts where it speaks TLS; what is wrong with that is told.
std::optional<std::optional<TlsTrust>> Run::trust() {
  if (!request_.tls && request_.ca.empty() && config_.tls_cert.empty())
    return std::optional<TlsTrust>();
  auto found = TlsTrust::in(request_.ca);
  if (found) return std::optional(std::move(found).value());
  fail(kBadInput, "ca: " + printable(request_.ca) + ": " + found.error().why);
  return std::nullopt;
}

int Run::watch() {
  const auto trust = this->trust();
  if (!trust) return kBadInput;
  Watch watch({config_.host, config_.port, *trust ? &**trust : nullptr, request_.channels,
               request_.count, request_.timeout, request_.token, request_.token_file},
              console_);
  if (!watch.run()) return fail(kFailed, watch.why());
  return write({});
}

int Run::drop() {
  const std::string& name = request_.words[0];
  const auto answer = ask(begin_command("drop") + R"(,"channel":)" + json_string(name) + '}');
  if (!answer) return kFailed;
  return console_.pretty ? write("dropped " + name + '\n') : print(*answer);
}

int Run::disconnect() {
  std::string query = R"({"op":"disconnect",)";
  query += request_.connection ? R"("connection":)" + std::to_string(*request_.connection)
                               : R"("id":)" + json_string(request_.words[0]);
  if (request_.code) query += R"(,"code":)" + std::to_string(*request_.code);
  if (request_.reason) query += R"(,"reason":)" + json_string(*request_.reason);
  const auto answer = ask(query + '}');
  if (!answer) return kFailed;
  const std::string closed(json_member(*answer, "closed"));
  if (closed == "0") return fail(kFailed, nobody_there(request_));
  if (!console_.pretty) return print(*answer);
  return write("closed " + closed + (closed == "1" ? " connection\n" : " connections\n"));
}

int Run::bench() {
  if (is_elsewhere(config_) && !request_.bench.yes) {
    return fail(kBadInput,
                "this relay is on another machine, whose users would notice a bench: say --yes if "
                "you mean it");
  }
  const auto trust = this->trust();
  if (!trust) return kBadInput;
  const auto token = token_of(request_);
  if (!token) return fail(kBadInput, printable(token.error().reason));
  const StreamTarget target{
      dial_host(config_.host), config_.port, *trust ? &**trust : nullptr, {}, {}, token.value()};
  Bench bench({target, place_, request_.bench, request_.timeout});
  if (!bench.run()) return fail(kFailed, "cannot measure: " + bench.why());
  for (const std::string& warning : bench.result().warnings) tell("warning: " + warning);
  const int written = write(console_.pretty ? bench_table(bench.result(), console_.color)
                                            : bench_json(bench.result()) + '\n');
  if (written != kDone || !bench.result().broken) return written;
  return fail(kFailed, "this measures nothing whole: the relay went away, or nothing came");
}

int Run::print(std::string_view json) {
  return write(
      (console_.pretty ? print_json(json, {true, console_.color}) : on_a_single_line(json)) + '\n');
}

int Run::write(std::string_view text) {
  console_.out << text << std::flush;
  return console_.out.good() ? kDone : fail(kFailed, "cannot write to standard output");
}

int Run::fail(ExitCode code, const std::string& why) {
  tell(why);
  return code;
}

void Run::tell(const std::string& what) {
  console_.err << "syncrelay: " << what << std::endl;
}

int run_request(const Invocation& invocation, const Console& console) {
  Run run(invocation, console);
  switch (invocation.action) {
    case Action::state:
      return run.state();
    case Action::set:
      return run.change("set", "set");
    case Action::merge:
      return run.change("merge", "merged into");
    case Action::remove:
      return run.remove();
    case Action::publish:
      return run.publish();
    case Action::watch:
      return run.watch();
    case Action::clients:
      return run.clients();
    case Action::members:
      return run.members();
    case Action::channels:
      return run.channels();
    case Action::drop:
      return run.drop();
    case Action::disconnect:
      return run.disconnect();
    case Action::explain:
      return run.explain();
    case Action::refused:
      return run.refused();
    case Action::events:
      return run.events();
    case Action::bench:
      return run.bench();
    default:
      return run.stats();
  }
}

Result<RelayBackup, NoBackup> request_backup(const Invocation& invocation) {
  const Config& config = invocation.config;
  const RelayPlace place = relay_place(invocation);
  const auto answer = ask_relay(place, R"({"op":"backup"})", invocation.request.timeout);
  const char* without_relay =
      config.data.empty() ? "; without a running relay give --data DIR" : "";
  if (!answer) return NoBackup{answer.error().why + without_relay};
  if (const auto fault = fault_of(answer.value(), config.control)) return NoBackup{*fault};
  return RelayBackup{decoded_json_string(json_member(answer.value(), "backup")),
                     owner_of_socket(place)};
}

}  // namespace syncrelay
