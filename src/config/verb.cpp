#include "syncrelay/config/verb.h"

#include <algorithm>
#include <array>
#include <chrono>

#include "syncrelay/config/quantity.h"
#include "syncrelay/config/text.h"

namespace syncrelay::config {
namespace {

using namespace std::chrono_literals;
using Reason = std::optional<std::string>;

constexpr std::array<Verb, 9> kVerbs = {{
    {"serve", "", "Run the relay (the default)", Action::serve},
    {"healthcheck", "", "Exit with 0 if the relay on this host answers 200 on /health",
     Action::healthcheck},
    {"state", "[KEY]", "Print the state, or the value of one key", Action::state, 0, 1},
    {"set", "KEY JSON", "Set a key; - reads the JSON from standard input", Action::set, 2, 2},
    {"publish", "TYPE [JSON]", "Send an event to every client; - reads its data", Action::publish,
     1, 2},
    {"watch", "", "Print what a client receives, going on after a lost connection", Action::watch},
    {"clients", "", "List the clients", Action::clients},
    {"stats", "", "Print the relay's counters", Action::stats},
    {"backup", "FILE", "Write all that --data holds to a new file, also while the relay runs",
     Action::backup, 1, 1},
}};

Reason set_timeout(std::string_view value, Request& request) {
  const auto timeout = parse_duration(value);
  if (!timeout || *timeout < 1ms || *timeout > 24h) {
    return "is not a duration (seconds, or with ms, s, m, h) from 1ms to 24h";
  }
  request.timeout = *timeout;
  return std::nullopt;
}

Reason set_count(std::string_view value, Request& request) {
  const auto count = parse_number(value);
  if (!count || *count == 0) return "is not a whole number from 1 up";
  request.count = *count;
  return std::nullopt;
}

Reason set_flag(std::string_view value, bool& flag) {
  if (value != "true" && value != "false") return "is neither true nor false";
  flag = value == "true";
  return std::nullopt;
}

Reason set_json(std::string_view value, Request& request) {
  return set_flag(value, request.json);
}

Reason set_silent(std::string_view value, Request& request) {
  return set_flag(value, request.silent);
}

constexpr std::array<RequestOption, 4> kRequestOptions = {{
    {"timeout", "TIME", "How long to try to reach the relay (1ms to 24h; default 5s)", Action::help,
     set_timeout},
    {"json", "", "Print JSON also on a terminal", Action::help, set_json},
    {"silent", "", "set: do not tell the clients that are connected", Action::set, set_silent},
    {"count", "COUNT", "watch: stop after this many messages", Action::watch, set_count},
}};

const Verb& verb_of(Action action) {
  return *std::find_if(kVerbs.begin(), kVerbs.end(),
                       [action](const Verb& verb) { return verb.action == action; });
}

bool takes_json(const Verb& verb) {
  return verb.words.find("JSON") != std::string_view::npos;
}

bool is_negative_number(std::string_view text) {
  return text.size() > 1 && text[0] == '-' && text[1] >= '0' && text[1] <= '9';
}

// "-" alone stands for standard input.
bool is_option(const Verb& verb, std::string_view argument) {
  if (takes_json(verb) && is_negative_number(argument)) return false;
  return argument.size() > 1 && argument.starts_with('-');
}

std::string usage(const Verb& verb) {
  std::string text = "usage: syncrelay " + std::string(verb.name);
  return verb.words.empty() ? text : text + ' ' + std::string(verb.words);
}

}  // namespace

std::span<const Verb> verbs() {
  return kVerbs;
}

bool is_request(Action action) {
  switch (action) {
    case Action::state:
    case Action::set:
    case Action::publish:
    case Action::watch:
    case Action::clients:
    case Action::stats:
    case Action::backup:
      return true;
    default:
      return false;
  }
}

Result<std::vector<std::string>, UsageError> take_words(
    const Verb& verb, const LeftOver& left_over,
    const std::function<UsageError(const std::string&)>& unknown) {
  std::vector<std::string> words = left_over.arguments;
  for (const std::string& word : words) {
    if (verb.most == 0 || is_option(verb, word)) return unknown(word);
  }
  words.insert(words.end(), left_over.literal.begin(), left_over.literal.end());
  if (words.size() > verb.most) {
    return UsageError{"unexpected argument " + quote_for_message(words[verb.most]) + "; " +
                      usage(verb)};
  }
  if (words.size() < verb.least) {
    return UsageError{std::string(verb.name) + " needs more arguments; " + usage(verb)};
  }
  for (const std::string& word : words) {
    if (!is_utf8(word)) return UsageError{quote_for_message(word) + " is not valid UTF-8"};
  }
  return words;
}

std::span<const RequestOption> request_options() {
  return kRequestOptions;
}

Result<void, UsageError> assign(const RequestOption& option, std::string_view value, Action action,
                                Request& request) {
  const std::string name(option.name);
  if (!is_request(action)) return UsageError{"--" + name + " needs a command that asks a relay"};
  if (option.only != Action::help && option.only != action) {
    return UsageError{"--" + name + " goes with " + std::string(verb_of(option.only).name) +
                      " only"};
  }
  if (const Reason reason = option.assign(value, request)) {
    return UsageError{name + " (from --" + name + "): " + quote_for_message(value) + ' ' + *reason};
  }
  return {};
}

}  // namespace syncrelay::config
