#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "syncrelay/protocol/worker_event.h"

namespace syncrelay {

// The first eight are commands. A batch is several of the first five, in one step; a will is the
// same for the time when a member has left; barrier is one without effect, for who wants to know
// that what came before it is taken. The others are queries, which change no channel and are
// answered on the control socket and over HTTP only; the last four are those of workers, for what
// clients say to the backend and who comes and goes.
enum class Op : std::uint8_t {
  set,
  merge,
  remove,
  broadcast,
  drop,
  batch,
  will,
  barrier,
  state,
  members,
  clients,
  channels,
  stats,
  refused,
  history,
  events,
  backup,
  disconnect,
  explain,
  receive,
  done,
  extend,
  release
};

inline constexpr std::array<std::string_view, 23> kOpNames = {
    "set",    "merge",      "delete",  "broadcast", "drop",  "batch",   "will",    "barrier",
    "state",  "members",    "clients", "channels",  "stats", "refused", "history", "events",
    "backup", "disconnect", "explain", "receive",   "done",  "extend",  "release"};

constexpr std::string_view name(Op op) {
  return kOpNames[static_cast<std::size_t>(op)];
}
constexpr bool has_effect(Op op) {
  return op < Op::barrier;
}
constexpr bool is_query(Op op) {
  return op >= Op::state;
}
constexpr bool is_of_worker(Op op) {
  return op >= Op::receive && op <= Op::release;
}

// A state key and the JSON text of its value.
struct KeyValue {
  std::string key;
  std::string_view value;
};

// A key and the version that it must have for a command to take effect; 0: it must not be there.
struct Expected {
  std::string key;
  std::uint64_t version = 0;
};

// What a worker asks of the inbox.
struct WorkerWish {
  std::vector<std::uint64_t> numbers;  // done, extend, release: `n`; ascending, none twice
  std::size_t max = 0;                 // receive; also of events and refused
  std::chrono::milliseconds wait{};    // receive; also of events
  std::chrono::milliseconds lease{};   // receive, extend
  WorkerEvents events{};               // receive; never empty
};

// What a backend sent, checked. The views point into the message that was decoded and die with it:
// values are passed on byte for byte.
struct Command {
  Op op = Op::broadcast;
  bool notify = true;    // tell connected clients what changes the state
  bool untried = false;  // release: the worker has not begun with them
  // Of any command: makes a repetition of it harmless; empty: none. Of disconnect: the identity's.
  std::string id;
  std::optional<std::string> channel;  // empty text: the default one. nullopt: left out, which is
                                       // the default one but for `clients`, where it is all
  std::vector<std::string> channels;   // broadcast to a list, instead of `channel`; no name twice
  std::string member;                  // will: whose it is
  std::string key;                 // set, merge, delete; state, where empty means all; unescaped
  std::string_view value;          // set, merge
  std::string_view type;           // broadcast; JSON text with its quotes
  std::string_view data;           // broadcast; "null" when left out
  std::vector<KeyValue> set;       // broadcast
  std::string_view set_object;     // broadcast; the JSON text of `set`, empty when left out
  std::vector<Expected> expected;  // set, merge, delete, broadcast: `if`; no key twice
  std::optional<std::chrono::milliseconds> ttl;  // set, merge, broadcast with set
  std::vector<Command> commands;                 // batch, will
  std::string_view commands_array;               // will; JSON text
  std::string prefix;                            // channels
  std::optional<std::string> after;              // channels; nullopt: from the first one on
  std::size_t limit = 0;                         // channels
  std::optional<std::uint64_t> after_seq;        // events; nullopt: the newest ones
  std::string from;                              // broadcast: is_identity(); empty: nobody's
  std::string_view trace;  // `traceparent` of what makes events, or of its batch; JSON text with
                           // its quotes; empty: none
  std::optional<std::uint64_t> connection;  // disconnect; either this or `id` is there
  int code = 0;                             // disconnect
  std::string reason;                       // disconnect; UTF-8
  std::string client;                       // explain; whatever was said
  WorkerWish worker;                        // receive, done, extend, release
  std::size_t offset = 0;                   // in a batch: where it begins in the message

  std::string_view channel_name() const {
    return channel ? std::string_view(*channel) : std::string_view();
  }
};

}  // namespace syncrelay
