#include "syncrelay/relay/channel_list.h"

#include <optional>
#include <string_view>

namespace syncrelay {
namespace {

// The names of both sides, each once, in their order.
class Names {
 public:
  Names(const Query& query, const ChannelTable& table, const SubscriberCounts& subscribers)
      : prefix_(query.prefix),
        had_(table.by_name().lower_bound(query.prefix)),
        had_end_(table.by_name().end()),
        followed_(subscribers.by_name().lower_bound(query.prefix)),
        followed_end_(subscribers.by_name().end()),
        default_first_(!query.after && query.prefix.empty()) {
    if (query.after && *query.after >= query.prefix) {
      had_ = table.by_name().upper_bound(*query.after);
      followed_ = subscribers.by_name().upper_bound(*query.after);
    } else if (followed_ != followed_end_ && followed_->first.empty()) {
      ++followed_;
    }
  }

  std::optional<std::string_view> next() {
    if (default_first_) {
      default_first_ = false;
      return std::string_view();
    }
    const std::optional<std::string_view> had = at(had_, had_end_);
    const std::optional<std::string_view> followed = at(followed_, followed_end_);
    if (had && (!followed || *had <= *followed)) ++had_;
    if (followed && (!had || *followed <= *had)) ++followed_;
    if (!had || (followed && *followed < *had)) return followed;
    return had;
  }

 private:
  template <typename Iterator>
  std::optional<std::string_view> at(Iterator place, Iterator end) const {
    if (place == end) return std::nullopt;
    const std::string_view name = place->first;
    if (name.substr(0, prefix_.size()) != prefix_) return std::nullopt;
    return name;
  }

  const std::string_view prefix_;
  ChannelTable::ByName::const_iterator had_;
  const ChannelTable::ByName::const_iterator had_end_;
  SubscriberCounts::ByName::const_iterator followed_;
  const SubscriberCounts::ByName::const_iterator followed_end_;
  bool default_first_;
};

}  // namespace

ChannelList list_channels(const Query& query, const ChannelTable& table,
                          const SubscriberCounts& subscribers) {
  ChannelList list;
  Names names(query, table, subscribers);
  while (const auto name = names.next()) {
    if (list.channels.size() == query.limit) {
      list.more = true;
      break;
    }
    const Channel* const channel = table.find(*name);
    list.channels.push_back({std::string(*name), table.position_of(*name), subscribers.of(*name),
                             channel == nullptr ? 0 : channel->state.size(),
                             channel == nullptr ? 0 : channel->state.bytes()});
  }
  return list;
}

}  // namespace syncrelay
