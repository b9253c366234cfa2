#include "changes.h"

#include <memory>
#include <utility>

#include "syncrelay/channel/merge_patch.h"
#include "syncrelay/json/json_text.h"

namespace syncrelay {
namespace {

StateValue value_of(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

Result<StateChanges, Rejection> merged(const Command& command, const State& state) {
  const StateValue* const found = state.find(command.key);
  auto value = merge_patch(found == nullptr ? "null" : **found, command.value);
  if (value) return StateChanges{{command.key, value_of(*std::move(value))}};
  return Rejection{RejectReason::invalid_json, 0,
                   "the value that the key has is no JSON: set it anew"};
}

StateChanges removed(const std::string& key, const State& state, const KeySet& configured) {
  if (configured.count(key) != 0) return {{key, value_of("null")}};
  if (state.find(key) == nullptr) return {};
  return {{key, nullptr}};
}

// A key as it is, in the answer to who expected another version.
void append_current(std::string& out, const std::string& key, const State::Entry* entry) {
  if (!out.empty()) out += ',';
  append_json_string(out, key);
  out += R"(:{"version":)" + std::to_string(entry == nullptr ? 0 : entry->version);
  if (entry != nullptr) out.append(R"(,"value":)").append(*entry->value);
  out += '}';
}

std::string misfit(const Expected& expected, const State::Entry* entry) {
  std::string text = "key ";
  append_json_string(text, expected.key);
  text += entry == nullptr ? " is not there" : " has version " + std::to_string(entry->version);
  return text + "; \"if\" names version " + std::to_string(expected.version);
}

}  // namespace

Result<StateChanges, Rejection> changes_of(const Command& command, const State& state,
                                           const KeySet& configured) {
  switch (command.op) {
    case Op::set:
      return StateChanges{{command.key, value_of(std::string(command.value))}};
    case Op::merge:
      return merged(command, state);
    case Op::remove:
      return removed(command.key, state, configured);
    default:
      break;
  }
  StateChanges changes;
  changes.reserve(command.set.size());
  for (const KeyValue& entry : command.set)
    changes.push_back({entry.key, value_of(std::string(entry.value))});
  return changes;
}

std::optional<Rejection> check_expected(const Command& command, const State& state) {
  if (command.expected.empty()) return std::nullopt;
  std::string current;
  std::string detail;
  for (const Expected& expected : command.expected) {
    const State::Entry* const entry = state.entry(expected.key);
    if ((entry == nullptr ? 0 : entry->version) == expected.version) continue;
    if (current.empty()) detail = misfit(expected, entry);
    append_current(current, expected.key, entry);
  }
  if (current.empty()) return std::nullopt;
  Rejection rejection{RejectReason::conflict, 0, std::move(detail)};
  rejection.current = '{' + current + '}';
  return rejection;
}

}  // namespace syncrelay
