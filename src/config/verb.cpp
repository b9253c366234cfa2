#include "syncrelay/config/verb.h"

#include <algorithm>
#include <array>
#include <limits>

#include "config/verb_groups.h"
#include "syncrelay/config/text.h"
#include "syncrelay/protocol/channel_name.h"
#include "syncrelay/protocol/limits.h"

namespace syncrelay::config {
namespace {

using Reason = std::optional<std::string>;

constexpr std::size_t kAny = std::numeric_limits<std::size_t>::max();

constexpr std::array<Verb, 20> kVerbs = {{
    {"serve", "", "Run the relay (the default)", Action::serve},
    {"healthcheck", "", "Exit with 0 if the relay on this host answers 200 on /health",
     Action::healthcheck},
    {"state", "[KEY]", "Print the state, or the value of one key", Action::state, 0, 1},
    {"set", "KEY JSON", "Set a key; - reads the JSON from standard input", Action::set, 2, 2, true},
    {"merge", "KEY PATCH", "Apply a JSON merge patch (RFC 7396) to a key's value; - reads it",
     Action::merge, 2, 2, true},
    {"delete", "KEY...", "Delete keys, one after the other; a configured one goes back to null",
     Action::remove, 1, kAny},
    {"publish", "TYPE [JSON]", "Send an event to every client; - reads its data", Action::publish,
     1, 2, true},
    {"watch", "", "Print what a client receives, going on after a lost connection", Action::watch},
    {"clients", "", "List the clients", Action::clients},
    {"members", "", "List who is there in a channel whose members are kept", Action::members},
    {"channels", "[PREFIX]", "List the channels, or those whose names begin with PREFIX",
     Action::channels, 0, 1},
    {"drop", "CHANNEL", "Forget a channel; its clients are told, and follow it no more",
     Action::drop, 1, 1},
    {"disconnect", "[ID]", "Close the connections of an identity, or --connection NUMBER",
     Action::disconnect, 0, 1},
    {"explain", "CLIENT",
     "Tell what happened to a client: a connection, by the number that clients prints, or an "
     "identity",
     Action::explain, 1, 1},
    {"refused", "", "List the last commands that were refused, the newest first", Action::refused},
    {"events", "[CHANNEL]",
     "Print the newest events of a channel, or those behind --after; watch prints what comes",
     Action::events, 0, 1},
    {"bench", "", "Connect clients, send events, and print how long these take", Action::bench},
    {"stats", "", "Print the relay's counters", Action::stats},
    {"backup", "FILE", "Write all that --data holds to a new file, also while the relay runs",
     Action::backup, 1, 1},
    {"keygen", "FILE",
     "Make a pair of CURVE keys: the secret one in FILE, the public one in FILE.pub",
     Action::keygen, 1, 1},
}};

// Those whose word is about a channel.
constexpr std::array kNamed = {Action::drop, Action::channels, Action::events};

const Verb& verb_of(Action action) {
  return *std::find_if(kVerbs.begin(), kVerbs.end(),
                       [action](const Verb& verb) { return verb.action == action; });
}

bool is_negative_number(std::string_view text) {
  return text.size() > 1 && text[0] == '-' && text[1] >= '0' && text[1] <= '9';
}

// "-" alone stands for standard input.
bool is_option(const Verb& verb, std::string_view argument) {
  if (verb.takes_json && is_negative_number(argument)) return false;
  return argument.size() > 1 && argument.starts_with('-');
}

// "set, merge and delete".
std::string names_of(std::span<const Action> actions) {
  std::string names;
  for (std::size_t i = 0; i < actions.size(); ++i) {
    if (i > 0) names += i + 1 == actions.size() ? " and " : ", ";
    names += verb_of(actions[i]).name;
  }
  return names;
}

bool is_among(Action action, std::span<const Action> actions) {
  return std::find(actions.begin(), actions.end(), action) != actions.end();
}

bool knows(const RequestOption& option, Action action) {
  return option.only.empty() || is_among(action, option.only);
}

// How often standard input is to be read.
std::size_t inputs(const Verb& verb, const Request& request) {
  const auto is_input = [](const KeyArgument& argument) { return argument.json == "-"; };
  const bool word = verb.takes_json && request.words.size() > 1 && request.words[1] == "-";
  return static_cast<std::size_t>(std::count_if(request.set.begin(), request.set.end(), is_input)) +
         (word ? 1 : 0);
}

// What is wrong with the names of channels; nothing when all can be sent.
Reason channel_fault(const Verb& verb, const Request& request) {
  if (request.channels.size() > 1 && !is_among(verb.action, kManyChannels))
    return "--channel can be repeated with " + names_of(kManyChannels) + " only";
  if (verb.action == Action::publish && request.channels.size() > kMaxChannelsOfBroadcast)
    return "an event goes to " + std::to_string(kMaxChannelsOfBroadcast) + " channels at most";
  if (request.words.empty()) return std::nullopt;
  const std::string& word = request.words.front();
  if (verb.action == Action::drop && word.empty()) return "the default channel cannot be dropped";
  if (!is_among(verb.action, kNamed) || word.empty() || is_channel_name(word)) return std::nullopt;
  return quote_for_message(word) +
         (verb.action == Action::channels ? " begins no channel's name "
                                          : " is not the name of a channel ") +
         channel_name_rule();
}

// Who is meant must be clear; nothing when it is.
Reason disconnect_fault(const Verb& verb, const Request& request) {
  if (verb.action != Action::disconnect) return std::nullopt;
  if (request.words.empty() != request.connection.has_value())
    return "disconnect needs either an ID or --connection; " + usage(verb);
  if (request.words.empty() || is_identity(request.words.front())) return std::nullopt;
  return quote_for_message(request.words.front()) +
         " is nobody's id (1 to 64 of A-Z a-z 0-9 _ . : ~ - /)";
}

// What stands without that which it is about.
Reason loose_option(const Verb& verb, const Request& request) {
  const bool publishes = verb.action == Action::publish && request.set.empty();
  if (publishes && request.silent) {
    return "--silent with publish needs --set: an event goes to every client, only a change of the "
           "state can be kept from them";
  }
  if (publishes && request.ttl)
    return "--ttl with publish needs --set: it is the keys that end, not the event";
  if (request.if_version && request.words.size() > 1 && verb.action == Action::remove)
    return "--if-version with delete needs a single key";
  if (request.wait.count() > 0 && !request.after)
    return "--wait needs --after: it waits for an event behind that position";
  return std::nullopt;
}

}  // namespace

std::span<const Verb> verbs() {
  return kVerbs;
}

std::string usage(const Verb& verb) {
  std::string text = "usage: syncrelay " + std::string(verb.name);
  if (!verb.words.empty()) return text + ' ' + std::string(verb.words);
  if (!is_among(verb.action, kInChannels)) return text;
  return text +
         (is_among(verb.action, kManyChannels) ? " [--channel NAME]..." : " [--channel NAME]");
}

bool is_request(Action action) {
  switch (action) {
    case Action::state:
    case Action::set:
    case Action::merge:
    case Action::remove:
    case Action::publish:
    case Action::watch:
    case Action::clients:
    case Action::members:
    case Action::channels:
    case Action::drop:
    case Action::disconnect:
    case Action::explain:
    case Action::refused:
    case Action::events:
    case Action::bench:
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

Result<void, UsageError> assign(const RequestOption& option, std::string_view value, Action action,
                                Request& request) {
  const std::string name(option.name);
  if (action == Action::healthcheck && (name == "tls" || name == "ca"))
    return UsageError{"--" + name +
                      " goes with watch only: healthcheck finds out by itself whether "
                      "TLS is spoken, and looks at no certificate"};
  if (!is_request(action)) return UsageError{"--" + name + " needs a command that asks a relay"};
  if (!knows(option, action))
    return UsageError{"--" + name + " goes with " + names_of(option.only) + " only"};
  if (const Reason reason = option.assign(value, request)) {
    return UsageError{name + " (from --" + name + "): " + quote_for_message(value) + ' ' + *reason};
  }
  return {};
}

Result<void, UsageError> check_request(const Verb& verb, const Request& request) {
  if (verb.action == Action::backup && request.words.front().empty())
    return UsageError{"backup needs the name of a file; " + usage(verb)};
  if (const Reason fault = channel_fault(verb, request)) return UsageError{*fault};
  if (const Reason fault = disconnect_fault(verb, request)) return UsageError{*fault};
  if (const Reason loose = loose_option(verb, request)) return UsageError{*loose};
  if (inputs(verb, request) > 1) {
    return UsageError{"- stands for standard input more than once, and it can be read only once"};
  }
  return {};
}

}  // namespace syncrelay::config
