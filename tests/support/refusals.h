#pragma once

#include <doctest/doctest.h>

#include <optional>
#include <string>

#include "syncrelay/protocol/command_decoder.h"

namespace syncrelay::testing {

// Checks that a command is refused, and where. `marked`: the command with a ^ where the fault is;
// `index`: of the command in its batch.
inline void check_refused(RejectReason reason, std::string marked,
                          std::optional<std::size_t> index = std::nullopt) {
  const std::size_t offset = marked.find('^');
  REQUIRE(offset != std::string::npos);
  marked.erase(offset, 1);
  CAPTURE(marked);
  CommandDecoder decoder(1 << 24);
  const auto command = decoder.decode(marked);
  REQUIRE_FALSE(command.ok());
  const Rejection& rejection = command.error();
  CAPTURE(rejection.detail);
  CHECK(name(rejection.reason) == name(reason));
  CHECK(rejection.offset == offset);
  CHECK(rejection.index == index);
  CHECK_FALSE(rejection.detail.empty());
}

}  // namespace syncrelay::testing
