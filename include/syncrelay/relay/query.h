#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "syncrelay/protocol/command.h"

namespace syncrelay {

// A question, for whoever has the answers. Without views, unlike the command that it came as.
struct Query {
  explicit Query(const Command& command)
      : op(command.op),
        channel(command.channel),
        key(command.key),
        prefix(command.prefix),
        after(command.after),
        limit(command.limit),
        after_seq(command.after_seq),
        id(command.id),
        connection(command.connection),
        code(command.code),
        reason(command.reason),
        client(command.client),
        worker(command.worker) {}

  Op op;
  std::optional<std::string> channel;  // nullopt: left out
  std::string key;
  std::string prefix;
  std::optional<std::string> after;  // nullopt: from the first one on, which is the default channel
  std::size_t limit;
  std::optional<std::uint64_t> after_seq;   // events; nullopt: the newest ones
  std::string id;                           // disconnect: of an identity; empty: by number
  std::optional<std::uint64_t> connection;  // disconnect
  int code;                                 // disconnect
  std::string reason;                       // disconnect
  std::string client;                       // explain
  WorkerWish worker;

  std::string_view channel_name() const {
    return channel ? std::string_view(*channel) : std::string_view();
  }
};

}  // namespace syncrelay
