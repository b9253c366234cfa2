#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace syncrelay {

// The first five are commands; barrier is one without effect, for who wants to know that what came
// before it is taken. The others are queries, which change nothing and are answered on the control
// socket only.
enum class Op : std::uint8_t {
  set,
  merge,
  remove,
  broadcast,
  barrier,
  state,
  clients,
  stats,
  backup
};

inline constexpr std::array<std::string_view, 9> kOpNames = {
    "set", "merge", "delete", "broadcast", "barrier", "state", "clients", "stats", "backup"};

constexpr std::string_view name(Op op) {
  return kOpNames[static_cast<std::size_t>(op)];
}
constexpr bool has_effect(Op op) {
  return op < Op::barrier;
}
constexpr bool is_query(Op op) {
  return op >= Op::state;
}

// A state key and the JSON text of its value.
struct KeyValue {
  std::string key;
  std::string_view value;
};

// What a backend sent, checked. The views point into the message that was decoded and die with it:
// values are passed on byte for byte.
struct Command {
  Op op = Op::broadcast;
  bool notify = true;           // tell connected clients what changes the state
  std::string id;               // of any command: makes a repetition of it harmless; empty: none
  std::string key;              // set, merge, delete; state, where empty means all; unescaped
  std::string_view value;       // set, merge
  std::string_view type;        // broadcast; JSON text with its quotes
  std::string_view data;        // broadcast; "null" when left out
  std::vector<KeyValue> set;    // broadcast
  std::string_view set_object;  // broadcast; the JSON text of `set`, empty when left out
};

}  // namespace syncrelay
