#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "syncrelay/base/result.h"
#include "syncrelay/config/invocation.h"

namespace syncrelay::config {

// A command of the program and the words that follow it.
struct Verb {
  std::string_view name;
  std::string_view words;  // as the help and messages show them: "KEY JSON"
  std::string_view help;
  Action action;
  std::size_t least = 0;  // words
  std::size_t most = 0;
  bool takes_json = false;  // as its second word
};

// In the order of --help; the first is the default.
std::span<const Verb> verbs();

// True for the verbs that talk to a running relay and take a Request.
bool is_request(Action action);

// "usage: syncrelay set KEY JSON"; of a verb without words that is about channels
// "usage: syncrelay clients [--channel NAME]".
std::string usage(const Verb& verb);

// What the command line holds besides known options and the verb.
struct LeftOver {
  std::vector<std::string> arguments;
  std::vector<std::string> literal;  // after "--", where nothing is an option
};

// The words for the verb. A negative number is one where a verb takes JSON. `unknown` makes the
// error for an argument that is no word.
Result<std::vector<std::string>, UsageError> take_words(
    const Verb& verb, const LeftOver& left_over,
    const std::function<UsageError(const std::string&)>& unknown);

// An option that only verbs that talk to a running relay know; it is no part of the Config.
struct RequestOption {
  std::string_view name;
  std::string_view placeholder;  // empty for a flag
  std::string_view help;
  std::span<const Action> only;  // the verbs that know it; none: all of them
  // Why the value is refused, nothing when it is set.
  std::optional<std::string> (*assign)(std::string_view value, Request& request);
  bool repeatable = false;  // else the last value counts
};

std::span<const RequestOption> request_options();

// Sets what `option` stands for, when the verb of `action` knows it.
Result<void, UsageError> assign(const RequestOption& option, std::string_view value, Action action,
                                Request& request);

// The rules that span several arguments. `request` has its words.
Result<void, UsageError> check_request(const Verb& verb, const Request& request);

}  // namespace syncrelay::config
