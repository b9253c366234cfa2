#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "store_fixture.h"

namespace syncrelay {
namespace {

// What a database has to hold after any history of batches.
class Model {
 public:
  explicit Model(unsigned seed) : random_(seed) {}

  MadeBatch batch() {
    MadeBatch batch(log_.size() + 1);
    touched_.clear();
    told_.clear();
    put_.clear();
    for (int steps = draw(6); steps >= 0; --steps) step(batch);
    for (const std::string& name : touched_) {
      const auto life = channels_.find(name);
      if (life == channels_.end()) {
        batch.gone(name);
      } else {
        batch.channel(name, life->second.start, life->second.last, life->second.generation);
      }
    }
    add_members(batch);
    for (const auto& [hash, last] : put_) batch.tombstone(hash, last);
    return std::move(batch.last(last_).generation(generation_).version(version_));
  }

  void check(const StoredHistory& history, std::size_t window) const {
    CHECK(history.last == Seq{last_});
    CHECK(history.events_ever == log_.size());
    CHECK(history.version == version_);
    check_state(history);
    check_members(history);
    check_channels(history);
    CHECK(history.tombstones.generation() == generation_);
    Tombstones::ByHash tombstones;
    for (const auto& [hash, last] : tombstones_) tombstones.emplace(hash, Seq{last});
    CHECK(history.tombstones.by_hash() == tombstones);
    check_events(events_of(history), window);
  }

 private:
  struct Life {
    std::uint64_t start = 0;
    std::uint64_t last = 0;
    std::uint32_t generation = 0;
    std::uint64_t number = 0;  // another one for each life
  };
  struct Value {
    std::string value;
    std::uint64_t version;
    std::int64_t expires;  // 0: never
  };
  struct Member {
    std::string value;
    std::string will;
  };
  struct Event {
    std::string channel;
    std::uint64_t life;
    std::string text;
  };

  int draw(int below) { return std::uniform_int_distribution<int>(0, below - 1)(random_); }
  std::string any_channel() {
    static const std::string kNames[] = {"", "a", "ab", "b", "@c", "d"};
    return kNames[draw(6)];
  }
  std::string any_key() { return std::string(1, static_cast<char>('k' + draw(5))); }

  void step(MadeBatch& batch) {
    if (draw(4) == 0) return member(any_channel());
    const int kind = draw(20);
    if (kind < 7) return set(batch, any_channel());
    if (kind < 9) return erase(batch, any_channel());
    if (kind < 16) return broadcast(batch, any_channel());
    if (kind < 18) return drop(batch, any_channel());
    if (kind < 19) return forget(any_channel());
    if (draw(4) == 0) end_generation();
  }

  Life* make(const std::string& name) {
    if (name.empty()) return nullptr;
    touched_.insert(name);
    const auto [life, is_new] = channels_.try_emplace(name);
    if (is_new) {
      const auto tombstone = tombstones_.find(Tombstones::hash(name));
      const std::uint64_t start = tombstone == tombstones_.end() ? 0 : tombstone->second;
      life->second = {start, start, generation_, ++lives_};
    }
    return &life->second;
  }

  void set(MadeBatch& batch, const std::string& channel) {
    make(channel);
    const std::string key = any_key();
    const Value value{std::to_string(draw(1000)), ++version_, draw(3) == 0 ? 1 + draw(1000) : 0};
    state_[channel][key] = value;
    std::optional<Expiry> expiry;
    if (value.expires > 0) expiry = {{value.expires}, std::chrono::milliseconds(7), false};
    batch.set(channel, key, value.value, value.version, expiry);
  }

  void member(const std::string& channel) {
    if (!channel.empty() && channels_.count(channel) == 0) return;
    const std::string id = "dev-" + std::to_string(draw(3));
    const Member member{R"({"info":{"n":)" + std::to_string(draw(9)) + R"(},"since":1.000000})",
                        draw(2) == 0 ? "" : R"({"op":"batch","commands":[]})"};
    const bool leaves = draw(3) == 0;
    members_[channel].erase(id);
    if (!leaves) members_[channel].emplace(id, member);
    if (members_[channel].empty()) members_.erase(channel);
    told_.insert({channel, id});
  }

  // As they are behind the batch.
  void add_members(MadeBatch& batch) {
    for (const auto& [channel, id] : told_) {
      const auto members = members_.find(channel);
      if (members == members_.end() || members->second.count(id) == 0) {
        batch.member(channel, id, nullptr);
      } else {
        const Member& member = members->second.at(id);
        batch.member(channel, id, member.value.c_str(),
                     member.will.empty() ? nullptr : member.will.c_str());
      }
    }
  }

  void erase(MadeBatch& batch, const std::string& channel) {
    if (!channel.empty() && channels_.count(channel) == 0) return;
    const std::string key = any_key();
    ++version_;
    state_[channel].erase(key);
    if (state_[channel].empty()) state_.erase(channel);
    batch.erase(channel, key);
  }

  void broadcast(MadeBatch& batch, const std::string& channel) {
    Life* const life = make(channel);
    std::uint64_t& last = life == nullptr ? last_ : life->last;
    const std::string text = "e" + std::to_string(log_.size());
    batch.event(channel, ++last, text);
    log_.push_back({channel, life == nullptr ? 0 : life->number,
                    channel + ':' + std::to_string(last) + ' ' + text});
  }

  void drop(MadeBatch& batch, const std::string& name) {
    if (channels_.count(name) == 0) return;
    batch.drop(name);
    state_.erase(name);
    members_.erase(name);
    bury(name, channels_[name].last + 1);
  }

  void forget(const std::string& name) {
    if (channels_.count(name) > 0 && state_.count(name) == 0 && members_.count(name) == 0)
      bury(name, channels_[name].last);
  }

  void bury(const std::string& name, std::uint64_t last) {
    channels_.erase(name);
    touched_.insert(name);
    if (last == 0) return;
    tombstones_[Tombstones::hash(name)] = last;
    put_[Tombstones::hash(name)] = last;
  }

  void end_generation() {
    ++generation_;
    tombstones_.clear();
    put_.clear();
  }

  void check_state(const StoredHistory& history) const {
    REQUIRE(history.state.size() == state_.size());
    for (const auto& [channel, values] : state_) {
      REQUIRE(history.state.count(channel) == 1);
      REQUIRE(history.state.at(channel).size() == values.size());
      for (const auto& [key, value] : values) {
        const StoredValue& stored = history.state.at(channel).at(key);
        CHECK(*stored.value == value.value);
        CHECK(stored.version == value.version);
        CHECK((stored.expiry ? stored.expiry->at.microseconds : 0) == value.expires);
      }
    }
  }

  void check_members(const StoredHistory& history) const {
    REQUIRE(history.members.size() == members_.size());
    for (const auto& [channel, members] : members_) {
      REQUIRE(history.members.count(channel) == 1);
      REQUIRE(history.members.at(channel).size() == members.size());
      for (const StoredMember& stored : history.members.at(channel)) {
        CHECK(*stored.value == members.at(stored.id).value);
        CHECK((stored.will ? *stored.will : "") == members.at(stored.id).will);
      }
    }
  }

  void check_channels(const StoredHistory& history) const {
    REQUIRE(history.channels.size() == channels_.size());
    for (const StoredChannel& stored : history.channels) {
      const Life& life = channels_.at(stored.name);
      CHECK(stored.start == Seq{life.start});
      CHECK(stored.last == Seq{life.last});
      CHECK(stored.generation == life.generation);
    }
  }

  bool lives(const Event& event) const {
    const auto life = channels_.find(event.channel);
    return event.channel.empty() || (life != channels_.end() && life->second.number == event.life);
  }

  // The newest of those that live: all of the window, at least.
  void check_events(const std::vector<std::string>& found, std::size_t window) const {
    std::vector<std::string> living;
    std::size_t needed = 0;
    for (std::size_t at = 0; at < log_.size(); ++at) {
      if (!lives(log_[at])) continue;
      living.push_back(log_[at].text);
      if (at + window >= log_.size()) ++needed;
    }
    REQUIRE(found.size() >= needed);
    REQUIRE(found.size() <= living.size());
    CHECK(std::equal(found.rbegin(), found.rend(), living.rbegin()));
  }

  std::mt19937 random_;
  std::map<std::string, std::map<std::string, Value>> state_;
  std::map<std::string, std::map<std::string, Member>> members_;
  std::map<std::string, Life> channels_;
  std::map<std::uint64_t, std::uint64_t> tombstones_;
  std::vector<Event> log_;
  std::uint64_t last_ = 0;
  std::uint64_t version_ = 0;
  std::uint64_t lives_ = 0;
  std::uint32_t generation_ = 0;
  std::set<std::pair<std::string, std::string>> told_;  // members, by the batch
  std::set<std::string> touched_;                       // by the batch
  std::map<std::uint64_t, std::uint64_t> put_;          // tombstones of the batch
};

TEST_CASE("After any history of batches the database holds what they did") {
  for (unsigned seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    const TemporaryDirectory directory;
    SqliteStore::Settings some = settings(directory.path());
    some.log_events = seed % 3 == 0 ? 20 : 1000;
    Model model(seed);
    for (int life = 0; life < 8; ++life) {
      const auto store = opened(some);
      model.check(loaded(*store), some.log_events);
      for (int batch = 0; batch < 12; ++batch) REQUIRE(store->commit(model.batch().get()).ok());
    }
    model.check(loaded(*opened(some)), some.log_events);
  }
}

}  // namespace
}  // namespace syncrelay
