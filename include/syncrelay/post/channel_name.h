#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace syncrelay {

// The name of a channel where letters carry it: shared, because every shard gets it. Null: the
// default channel. Never empty otherwise.
using ChannelName = std::shared_ptr<const std::string>;

inline std::string_view text(const ChannelName& name) {
  return name ? std::string_view(*name) : std::string_view();
}

}  // namespace syncrelay
