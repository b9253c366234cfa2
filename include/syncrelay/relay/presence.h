#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "syncrelay/base/clock.h"
#include "syncrelay/channel/channel_table.h"
#include "syncrelay/channel/channels.h"
#include "syncrelay/channel/homes.h"
#include "syncrelay/post/letter.h"

namespace syncrelay {

// Who should be a member of which channel: hears from the shards how many connections of an
// identity follow a channel, and asks for the arrival of those who are no members yet, or say
// something new of themselves, at once, and for the departure of members whom nobody has been for
// their grace. It asks again, after a while, for what the channels do not show: an arrival that was
// refused, or anything that could not be stored. What an identity says of itself in one channel it
// says in all of them: the last word counts.
//
// Where relays share an order, each asks for the arrival of those who are at itself, and for their
// departure from itself; the word counts that is newest on any of them. When one of them is dead
// each of the others asks for the departures from it, as if their connections had ended then.
//
// Bounded by the members there are, what the shards'
// clients follow, and kMaxLingering. Relay thread only; time is passed in.
class Presence {
 public:
  struct Settings {
    Duration grace = std::chrono::seconds(30);        // when the last connection was lost
    Duration grace_closed = std::chrono::seconds(5);  // when it took leave
    RelayId home = kAlone;                            // this relay, among those that share an order
  };
  using Wish = std::variant<Arrive, Depart>;

  // `channels` must outlive it.
  Presence(const Settings& settings, const ChannelTable& channels, std::size_t shards)
      : settings_(settings), channels_(channels), shards_(shards) {}

  // Precondition: shard < the number of shards.
  void hear(std::size_t shard, const Attendance& attendance, TimePoint now);
  // A part of a batch that is published now.
  void hear(const Update& part, TimePoint now);
  // The same of a member of which only what clients do not see is another.
  void hear(std::string_view channel, std::string_view id, TimePoint now);
  // These have come by the order, of whatever relay.
  void hear(const Arrive& arrive, TimePoint now);
  void hear(const Gone& gone, TimePoint now);
  // This relay has another id from now on: whoever is at it arrives there, and nobody is at the old
  // one any more.
  void move(RelayId home, TimePoint now);
  RelayId home() const { return settings_.home; }
  // Dead relays of which members have not departed yet.
  std::vector<RelayId> dead() const;
  // A channel that an earlier life of the log left: nobody has come back yet to this relay, and has
  // the grace for it.
  void restore(const Channel& channel, TimePoint now);

  // The arrival has found no room: it is tried again when somebody has left, and now and then.
  // False: it was refused before, and has neither become a member nor been gone for its grace.
  bool refuse(const Arrive& arrive, TimePoint now);

  // What should come into the order now, at most `max`; asked for again after kRetry unless it has
  // happened by then.
  std::vector<Wish> due(TimePoint now, std::size_t max);
  // When due() has something; nullopt: not as things are.
  std::optional<TimePoint> next() const;

  static constexpr Duration kRetry = std::chrono::seconds(1);
  // Of those who were refused and are gone: so many are known again if they come back in time.
  static constexpr std::size_t kMaxLingering = 10'000;

 private:
  struct Person;
  using Identified = std::pair<const std::string, Person>;
  struct Place {
    const std::string* channel;
    Identified* person;
  };
  using ByTime = std::multimap<TimePoint, Place>;
  using Queue = std::list<Place>;
  // What an identity says of itself.
  struct Word {
    std::shared_ptr<const std::string> info;  // null: nothing yet
    TimePoint said{};                         // when it was, here
    WordStamp stamp;
    std::list<Place> places;  // of the identity; not empty
  };
  using Words = std::unordered_map<std::string, Word>;  // by id
  struct Person {
    std::vector<std::uint32_t> counts;  // by shard
    Word* word = nullptr;               // of its identity
    std::list<Place>::iterator in_word{};
    TimePoint left_at{};      // when the last connection ended, at any shard
    bool left_clean = false;  // and whether it took leave
    TimePoint leaves_at{};    // when nobody is there
    std::optional<ByTime::iterator> due;
    std::optional<Queue::iterator> refused;  // waits for room
    bool counted = false;                    // as refused
    bool lingers = false;                    // nobody is there, no member, but `counted`

    bool there() const;
  };
  using People = std::map<std::string, Person, std::less<>>;  // by id

  Place place_of(std::string_view channel, std::string_view id);
  std::optional<Place> find(std::string_view channel, std::string_view id);
  const StateValue* member(std::string_view channel, std::string_view id) const;
  Arrive arrive(const Place& place) const;
  bool is_at(RelayId relay, std::string_view channel, std::string_view id) const;
  bool hear_word(Word& word, const Attendance& attendance);
  void judge_all(const Word& word, TimePoint now);
  void orphan(const Channel& channel, RelayId relay, TimePoint at);
  std::optional<Wish> say_alive();
  void add_orphans(TimePoint now, std::size_t max, std::vector<Wish>& wishes);
  std::optional<Wish> wish(const Place& place) const;
  static void note_end(Person& person, const Attendance& attendance);
  void judge(const Place& place, TimePoint now);
  void judge_nobody(const Place& place);
  void schedule(const Place& place, TimePoint at);
  void unschedule(Person& person);
  void unqueue(Person& person);
  void let_go(Identified& person);
  void erase(const Place& place);
  void forget_channel(std::string_view channel);
  void settle(std::string_view channel, const StateChange& member, TimePoint now);
  void add_refused(TimePoint now, std::vector<Wish>& wishes);

  Settings settings_;
  const ChannelTable& channels_;
  const std::size_t shards_;
  std::map<std::string, People, std::less<>> by_channel_;  // none of them empty
  Words words_;
  ByTime by_time_;
  Queue refused_;  // whose turn is next in front
  TimePoint retry_refused_{};
  std::size_t lingering_ = 0;
  std::uint64_t newest_word_ = 0;             // that has come by the order, or was said here
  std::multimap<TimePoint, Depart> orphans_;  // of relays that are dead, when they are due
  bool doubted_ = false;                      // others take this relay for dead
};

}  // namespace syncrelay
