#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace syncrelay {

// Why a client does not follow a channel that it asked for. Closed list: the code in
// `sync:refused`.
enum class RefusedSubscription : std::uint8_t {
  forbidden,
  invalid_channel,
  too_many_subscriptions,
  channels_full,
  already_subscribed,
};

struct RefusedSubscriptionInfo {
  RefusedSubscription why;
  std::string_view name;     // code and label
  std::string_view message;  // for a person; needs no escapes in JSON
};

inline constexpr std::array<RefusedSubscriptionInfo, 5> kRefusedSubscriptions = {{
    {RefusedSubscription::forbidden, "forbidden",
     "clients may follow the channels that the relay's option --open-channels names, and none that "
     "begins with @"},
    {RefusedSubscription::invalid_channel, "invalid_channel",
     "a channel's name is 1 to 128 bytes of A-Z a-z 0-9 _ . : ~ - @ /"},
    {RefusedSubscription::too_many_subscriptions, "too_many_subscriptions",
     "this client follows as many channels as the relay's option --max-subscriptions allows"},
    {RefusedSubscription::channels_full, "channels_full",
     "there are as many channels as the relay's option --max-channels allows"},
    {RefusedSubscription::already_subscribed, "already_subscribed",
     "this client follows the channel already"},
}};

constexpr const RefusedSubscriptionInfo& info(RefusedSubscription why) {
  return kRefusedSubscriptions[static_cast<std::size_t>(why)];
}

}  // namespace syncrelay
