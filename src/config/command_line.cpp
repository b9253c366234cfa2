#include "syncrelay/config/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <string_view>

#include "config/help_text.h"
#include "syncrelay/config/nearest.h"
#include "syncrelay/config/text.h"
#include "syncrelay/config/verb.h"

namespace syncrelay::config {
namespace {

constexpr char kAbout[] = "Relays a backend's state and events to WebSocket clients.";
constexpr char kFooter[] =
    "Every option but those of commands is also read from the environment (--log-bytes:\n"
    "SYNCRELAY_LOG_BYTES; lists separated by commas) and from the TOML file of --config\n"
    "(log-bytes = \"16MiB\"). The command line counts before the environment, the environment\n"
    "before the file.\n"
    "Times: 20, 20s, 500ms, 5m, 1h. Sizes: 65536, 64KiB, 16MiB, 1GiB.";

constexpr char kNoPage[] = "--no-page";

constexpr char kRequests[] = "Commands that ask a running relay";

// A flag that makes the program print something and exit; the first one given here wins.
struct PrintFlag {
  const char* name;
  const char* flags;
  const char* help;
  Action action;
};

constexpr PrintFlag kPrintFlags[] = {
    {"help", "-h,--help", "Print this help", Action::help},
    {"version", "--version", "Print the version", Action::version},
    {"print-config", "--print-config", "Print every value in force and where it comes from",
     Action::print_config},
};

// Of these there could be several, and is one only: who gives two on the command line may mean
// both.
bool is_once(const Option& option) {
  constexpr std::array<std::string_view, 10> kOnce = {
      "admin",         "admin-token", "control", "cluster",   "curve-key",
      "curve-clients", "tls-cert",    "tls-key", "token-key", "token-jwks"};
  return std::find(kOnce.begin(), kOnce.end(), option.name) != kOnce.end();
}

// The command line as CLI11 sees it. It only collects: every value stays text, so that all places
// are checked alike.
class Grammar {
 public:
  explicit Grammar(std::span<const Option> table) : table_(table), app_(kAbout, "syncrelay") {
    app_.set_help_flag();  // CLI11's own throws; ours are kPrintFlags
    app_.allow_extras();   // what is left over gets our own message
    app_.require_subcommand(0, 1);
    app_.footer(kFooter);
    add_value(kConfigOption, "FILE", "TOML file with any of the options below", "Options");
    for (const PrintFlag& flag : kPrintFlags) {
      app_.add_flag(flag.flags)->description(flag.help)->group("Options");
    }
    for (const RequestOption& option : request_options()) add(option);
    for (const Option& option : table_) add(option);
    app_.add_flag(kNoPage)->description("The same as --page off")->group(page().group);
    for (const Verb& verb : verbs()) {
      const std::string words = verb.words.empty() ? "" : std::string(verb.words) + ": ";
      app_.add_subcommand(std::string(verb.name), words + std::string(verb.help))->fallthrough();
    }
  }

  // May throw CLI::ParseError.
  void parse(const std::vector<std::string>& arguments) {
    const auto end = std::find(arguments.begin(), arguments.end(), "--");
    if (end != arguments.end()) literal_.assign(end + 1, arguments.end());
    std::vector<std::string> reversed;
    for (const std::string& argument : std::span(arguments.begin(), end)) {
      // CLI11 takes "--host=" for an option whose value comes next.
      const bool empty_value = argument.ends_with('=') && argument.find('=') == argument.size() - 1;
      if (argument.starts_with("--") && empty_value) {
        reversed.push_back(argument.substr(0, argument.size() - 1));
        reversed.emplace_back();
      } else {
        reversed.push_back(argument);
      }
    }
    std::reverse(reversed.begin(), reversed.end());
    app_.parse(std::move(reversed));
  }

  const Verb& verb() const {
    const Verb* named = named_verb();
    return named == nullptr ? verbs().front() : *named;
  }

  // nullptr when the command line names none.
  const Verb* named_verb() const {
    for (const Verb& verb : verbs()) {
      if (app_.got_subcommand(std::string(verb.name))) return &verb;
    }
    return nullptr;
  }

  // A flag that prints counts before the verb.
  Action action() const {
    for (const PrintFlag& flag : kPrintFlags) {
      if (app_.count(std::string("--") + flag.name) > 0) return flag.action;
    }
    return verb().action;
  }

  Result<Request, UsageError> request() const {
    Request request;
    for (const RequestOption& option : request_options()) {
      const Values values = app_.get_option("--" + std::string(option.name))->results();
      const std::size_t from = option.repeatable || values.empty() ? 0 : values.size() - 1;
      for (const std::string& value : std::span(values).subspan(from)) {
        const auto assigned = assign(option, value, verb().action, request);
        if (!assigned) return assigned.error();
      }
    }
    return request;
  }

  // An option that may be given once only, and was given otherwise, too; null: there is none.
  const Option* given_twice() const {
    for (const Option& option : table_) {
      const Values values =
          is_once(option) ? app_.get_option("--" + option.name)->results() : Values();
      const auto other = [&values](const std::string& value) { return value != values.front(); };
      if (std::any_of(values.begin(), values.end(), other)) return &option;
    }
    return nullptr;
  }

  Settings settings() const {
    Settings settings;
    collect(kConfigOption, Arity::single, settings);
    for (const Option& option : table_) collect(option.name, option.arity, settings);
    if (app_.count(kNoPage) > 0) settings[page().name] = Setting{{"off"}, kNoPage};
    return settings;
  }

  LeftOver left_over() const { return {app_.remaining(true), literal_}; }
  std::string help() const { return app_.help(); }

  std::vector<std::string_view> option_names() const {
    std::vector<std::string_view> names = {kConfigOption};
    for (const PrintFlag& flag : kPrintFlags) names.emplace_back(flag.name);
    for (const RequestOption& option : request_options()) names.push_back(option.name);
    for (const Option& option : table_) names.push_back(option.name);
    return names;
  }

 private:
  const Option& page() const { return *find_option(table_, "page"); }

  void add(const RequestOption& option) {
    const std::string name(option.name);
    const std::string help(option.help);
    if (option.placeholder.empty()) {
      app_.add_flag("--" + name)->description(help)->group(kRequests);
    } else {
      add_value(name, std::string(option.placeholder), help, kRequests);
    }
  }

  void add(const Option& option) {
    if (option.arity == Arity::flag) {
      app_.add_flag("--" + option.name)->description(describe(option))->group(option.group);
    } else {
      add_value(option.name, option.placeholder, describe(option), option.group);
    }
  }

  void add_value(const std::string& name, const std::string& placeholder, const std::string& help,
                 const std::string& group) {
    CLI::Option* option = app_.add_option(
        "--" + name, [](const CLI::results_t&) { return true; }, help);
    // Of the policies only this one leaves all of results() as they came; collect() picks.
    option->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    option->type_name(placeholder)->group(group);
  }

  void collect(const std::string& name, Arity arity, Settings& settings) const {
    const std::string flag = "--" + name;
    Values values = app_.get_option(flag)->results();
    if (values.empty()) return;
    if (arity != Arity::list) values = {values.back()};
    settings.emplace(name, Setting{std::move(values), flag});
  }

  std::span<const Option> table_;
  CLI::App app_;
  std::vector<std::string> literal_;  // the arguments after "--"
};

UsageError unknown_argument(const std::string& argument, const Grammar& grammar) {
  if (argument.starts_with('-')) {
    const std::string name = argument.substr(0, argument.find('='));
    const std::size_t dashes = std::min(name.find_first_not_of('-'), name.size());
    return {"unknown option " + on_one_line(name) + "; the nearest known is --" +
            std::string(nearest(name.substr(dashes), grammar.option_names()))};
  }
  std::vector<std::string_view> names;
  for (const Verb& verb : verbs()) names.emplace_back(verb.name);
  if (std::find(names.begin(), names.end(), argument) != names.end()) {
    return {"one command at a time: " + argument + " is one too many"};
  }
  const std::string what = "unexpected argument " + quote_for_message(argument) + "; ";
  if (const Verb* verb = grammar.named_verb()) return {what + usage(*verb)};
  const std::string_view meant = near(argument, names);
  if (meant.empty()) return {what + "syncrelay --help lists the commands"};
  return {what + "the nearest command is " + std::string(meant)};
}

// The words of the verb, or of no verb: then one of them was meant to be one.
Result<std::vector<std::string>, UsageError> words_of(const Grammar& grammar) {
  return take_words(grammar.verb(), grammar.left_over(), [&](const std::string& argument) {
    return unknown_argument(argument, grammar);
  });
}

// Of a verb what it knows; without one, and of the relay itself, all there is.
std::string help_of(const Grammar& grammar, std::span<const Option> table) {
  const Verb* const verb = grammar.named_verb();
  const bool all = verb == nullptr || verb->action == Action::serve;
  // Of a grammar that has parsed nothing: one with a verb gives the help to that.
  return all ? Grammar(table).help() : verb_help(*verb, table);
}

// "help set" is "set --help".
std::vector<std::string> without_help_word(const std::vector<std::string>& arguments) {
  if (arguments.empty() || arguments.front() != "help") return arguments;
  std::vector<std::string> plain(arguments.begin() + 1, arguments.end());
  plain.insert(plain.begin(), "--help");
  return plain;
}

// What the parsed grammar says.
Result<CommandLine, UsageError> read_line(const Grammar& grammar, std::span<const Option> table) {
  CommandLine line;
  line.action = grammar.action();
  line.settings = grammar.settings();
  if (line.action == Action::help) line.help = help_of(grammar, table);
  if (line.action == Action::help || line.action == Action::version) return line;
  auto words = words_of(grammar);
  // Without a command its options would be found wrong before it is.
  if (!words && grammar.named_verb() == nullptr) return words.error();
  if (const Option* const twice = grammar.given_twice())
    return UsageError{"--" + twice->name + " is given twice, and only one can count"};
  auto request = grammar.request();
  if (!request) return request.error();
  line.request = std::move(request).value();
  if (!words) return words.error();
  line.request.words = std::move(words).value();
  if (const auto fits = check_request(grammar.verb(), line.request); !fits) return fits.error();
  return line;
}

}  // namespace

Result<CommandLine, UsageError> parse_command_line(const std::vector<std::string>& given,
                                                   std::span<const Option> table) {
  const std::vector<std::string> arguments = without_help_word(given);
  Grammar grammar(table);
  try {
    grammar.parse(arguments);
  } catch (const CLI::ArgumentMismatch&) {  // thrown at the end of the options only
    const auto end = std::find(arguments.begin(), arguments.end(), "--");
    return UsageError{on_one_line(*std::prev(end)) + " needs a value"};
  } catch (const CLI::ParseError& error) {
    return UsageError{on_one_line(error.what())};
  }
  return read_line(grammar, table);
}

}  // namespace syncrelay::config
