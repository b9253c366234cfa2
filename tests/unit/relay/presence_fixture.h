#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "support/memory_store.h"
#include "support/test_relay.h"
#include "syncrelay/base/log.h"
#include "syncrelay/channel/member.h"
#include "syncrelay/relay/intake.h"
#include "syncrelay/relay/order.h"

namespace syncrelay::testing {

inline Relay::Settings presence_settings(std::uint64_t max_members = UINT64_MAX) {
  Relay::Settings settings = relay_settings();
  settings.channels.max_members = max_members;
  settings.presence = {std::chrono::seconds(30), std::chrono::seconds(5)};
  return settings;
}

// A relay of one shard's mailbox that stands for two shards' attendances by two channels' names.
struct TestPresence {
  explicit TestPresence(Relay::Settings settings = presence_settings())
      : relay(settings, clock, {&mailboxes[0], &mailboxes[1]}, stats, &store) {}

  void attend(std::size_t shard, const std::string& channel, const std::string& id,
              std::uint32_t count, bool clean = false, const char* info = nullptr) {
    relay.attend(
        shard, {channel, id, info == nullptr ? nullptr : std::make_shared<const std::string>(info),
                count, clean});
    tend();
  }
  void pass(Duration time) {
    clock.advance(time);
    tend();
  }
  // False: it could not be stored.
  bool tend() {
    while (intake.tend()) {
      intake.publish();
      collect();
      if (store.refusing) return false;
    }
    return true;
  }
  bool send(std::string_view message) {
    intake.take(message, 1);
    const std::vector<Reply> replies = intake.publish();
    collect();
    tend();
    return std::holds_alternative<Accepted>(replies.front().content);
  }
  // What clients of a shard were told since the last call, in order.
  std::vector<std::string> take_story() { return std::exchange(story_, {}); }
  // "dev-1 dev-2".
  std::string members(std::string_view channel = "room") const {
    std::string text;
    if (const Channel* const found = relay.channels().find(channel)) {
      found->members.get().for_each(
          [&](const State::Entry& entry) { text += (text.empty() ? "" : " ") + entry.key; });
    }
    return text;
  }
  std::string info(std::string_view id, std::string_view channel = "room") const {
    return std::string(member_of(**relay.channels().find(channel)->members.get().find(id)).info);
  }

  FakeClock clock;
  RelayStats stats;
  MemoryStore store;
  Mailbox<Letter> mailboxes[2] = {{{SIZE_MAX, SIZE_MAX}, [] {}}, {{SIZE_MAX, SIZE_MAX}, [] {}}};
  Relay relay;
  Log log{{LogLevel::error, LogFormat::text}};
  LocalOrder order{clock};
  Intake intake{{1 << 20}, relay, order, stats, clock, log};

 private:
  void collect() {
    std::vector<Letter> letters;
    mailboxes[1].take(letters);
    mailboxes[0].take(letters);
    for (const Letter& letter : letters) tell(std::get<Update>(letter));
  }
  void tell(const Update& update) {
    if (update.chunk) story_.push_back(text_of(update));
    if (!update.also) return;
    for (const Update& part : *update.also) tell(part);
  }

  std::vector<std::string> story_;
};

}  // namespace syncrelay::testing
