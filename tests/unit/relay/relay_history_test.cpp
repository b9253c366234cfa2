#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include "support/choices.h"
#include "support/memory_store.h"
#include "support/spoken.h"
#include "support/test_relay.h"

namespace syncrelay {
namespace {

using testing::FakeClock;
using testing::MemoryStore;
using testing::SeededChoices;
using testing::Spoken;

std::string text_of(const Outcome& outcome) {
  std::string text(syncrelay::text(outcome.channel));
  text += '#' + std::to_string(outcome.position.seq.value) + '/' +
          std::to_string(outcome.position.generation);
  if (outcome.changes) {
    for (const StateChange& change : *outcome.changes)
      text += ' ' + change.key + '@' + std::to_string(change.version);
  }
  if (!outcome.parts) return text;
  for (const Outcome& part : outcome.parts->positions) text += " [" + text_of(part) + ']';
  for (const Outcome& part : outcome.parts->results) text += " {" + text_of(part) + '}';
  return text;
}

std::string text_of(const Update& update) {
  std::string text(syncrelay::text(update.channel));
  text +=
      '#' + std::to_string(update.seq.value) + ' ' + std::to_string(static_cast<int>(update.end));
  if (update.changes) {
    for (const StateChange& change : *update.changes) {
      text += ' ' + change.key + '@' + std::to_string(change.version) + '=' +
              (change.value ? *change.value : "gone");
    }
  }
  if (update.chunk) text += ' ' + testing::wire_of(update);
  if (update.also) {
    for (const Update& part : *update.also) text += "\n  " + text_of(part);
  }
  return text;
}

std::string text_of(const ChannelTable& table) {
  std::string text = std::to_string(table.version()) + ' ' + std::to_string(table.bytes()) + ' ' +
                     std::to_string(table.tombstones().generation());
  const auto add = [&text](const Channel& channel) {
    text += '\n' + std::string(syncrelay::text(channel.name)) + '#' +
            std::to_string(channel.start.value) + ".." + std::to_string(channel.last.value) + '/' +
            std::to_string(channel.generation);
    channel.state.for_each([&text](const State::Entry& entry) {
      text += ' ' + entry.key + '@' + std::to_string(entry.version) + '=' + *entry.value;
    });
  };
  add(table.main());
  for (const auto& [name, channel] : table.by_name()) {
    add(*channel);
    text += ' ' + std::to_string(table.tombstones().last_of(name).value);
  }
  return text;
}

// A relay on a store, which may begin anew.
class Instance {
 public:
  explicit Instance(const FakeClock& clock) : clock_(clock) { start(); }

  void restart() {
    const StoredHistory history = store.history();
    start();
    relay->restore(history);
  }

  std::string apply(const Command& command, WallTime ts) {
    const auto applied = relay->apply(command, {ts});
    if (!applied) return std::string(name(applied.error().reason)) + applied.error().current;
    return (applied.value().duplicate ? "again " : "") + text_of(applied.value().outcome);
  }

  std::string posted() {
    std::vector<Letter> letters;
    mailbox_.take(letters);
    std::string text;
    for (const Letter& letter : letters) text += text_of(std::get<Update>(letter)) + '\n';
    return text;
  }

  MemoryStore store;
  std::unique_ptr<Relay> relay;

 private:
  void start() {
    const Relay::Settings settings{
        {{"comparison", "radio"}, 3000, 20, 5}, {2000, 20}, {50, std::chrono::seconds(100)}};
    relay = std::make_unique<Relay>(settings, clock_, std::vector<Mailbox<Letter>*>{&mailbox_},
                                    stats_, &store);
  }

  const FakeClock& clock_;
  RelayStats stats_;
  Mailbox<Letter> mailbox_{{SIZE_MAX, SIZE_MAX}, [] {}};
};

// What one of the two wants, both are told: as relays would be that share an order.
void tend(Instance& wanting, Instance& other, WallTime ts) {
  for (const Expire& expire : wanting.relay->expired(3)) {
    wanting.relay->apply(expire, {ts});
    other.relay->apply(expire, {ts});
  }
  for (const Forget& forget : wanting.relay->forgettable(3)) {
    wanting.relay->apply(forget, {ts});
    other.relay->apply(forget, {ts});
  }
}

TEST_CASE(
    "The same letters in the same order tell the same story, whatever could not be stored between "
    "them, and over restarts") {
  for (std::uint32_t seed = 0; seed < 40; ++seed) {
    CAPTURE(seed);
    SeededChoices choices(seed);
    FakeClock clock;
    Instance disturbed(clock);  // batches that cannot be stored, and restarts
    Instance plain(clock);      // only what was kept
    Spoken say;
    for (int batch = 0; batch < 80; ++batch) {
      clock.advance(std::chrono::milliseconds(choices.below(900)));
      if (choices.one_in(3)) {
        const std::string before = text_of(disturbed.relay->channels());
        disturbed.store.refusing = true;
        for (std::uint32_t left = 1 + choices.below(5); left > 0; --left)
          disturbed.apply(say.random(choices, disturbed.relay->channels()), clock.wall());
        static_cast<void>(disturbed.relay->publish());
        disturbed.store.refusing = false;
        CHECK(text_of(disturbed.relay->channels()) == before);
        continue;
      }
      if (choices.one_in(2)) {
        tend(disturbed, plain, clock.wall());
      } else {
        tend(plain, disturbed, clock.wall());
      }
      for (std::uint32_t left = 1 + choices.below(4); left > 0; --left) {
        Command command = say.random(choices, plain.relay->channels());
        if (choices.one_in(4)) command.id = std::to_string(choices.below(30));
        CHECK(disturbed.apply(command, clock.wall()) == plain.apply(command, clock.wall()));
      }
      REQUIRE(disturbed.relay->publish().ok());
      REQUIRE(plain.relay->publish().ok());
      CHECK(disturbed.posted() == plain.posted());
      if (choices.one_in(5)) disturbed.restart();
      REQUIRE(text_of(disturbed.relay->channels()) == text_of(plain.relay->channels()));
    }
  }
}

}  // namespace
}  // namespace syncrelay
