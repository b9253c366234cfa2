#include "syncrelay/relay/presence.h"

#include <algorithm>
#include <set>

#include "syncrelay/channel/member.h"

namespace syncrelay {

bool Presence::Person::there() const {
  return std::any_of(counts.begin(), counts.end(), [](std::uint32_t count) { return count > 0; });
}

void Presence::hear(std::size_t shard, const Attendance& attendance, TimePoint now) {
  const Place place = place_of(attendance.channel, attendance.id);
  Person& person = place.person->second;
  person.counts[shard] = attendance.count;
  if (attendance.count == 0) note_end(person, attendance);
  if (!person.there())
    person.leaves_at = now + (person.left_clean ? settings_.grace_closed : settings_.grace);
  if (!hear_word(*person.word, attendance)) return judge(place, now);
  judge_all(*person.word, now);
}

void Presence::judge_all(const Word& word, TimePoint now) {
  const std::list<Place> places = word.places;  // of which judge() may erase some
  for (const Place& each : places) judge(each, now);
}

// True: it is another one.
bool Presence::hear_word(Word& word, const Attendance& attendance) {
  if (!attendance.info || attendance.said < word.said) return false;
  const bool other = !word.info || *word.info != *attendance.info;
  word.info = attendance.info;
  word.said = attendance.said;
  if (other) word.stamp = {++newest_word_, settings_.home};
  return other;
}

// What ended last says how the identity left, whichever shard is heard last.
void Presence::note_end(Person& person, const Attendance& attendance) {
  if (attendance.at < person.left_at) return;
  person.left_at = attendance.at;
  person.left_clean = attendance.clean;
}

void Presence::hear(const Update& part, TimePoint now) {
  const std::string_view channel = text(part.channel);
  if (part.end == ChannelEnd::dropped) forget_channel(channel);
  if (!part.members) return;
  for (const StateChange& member : *part.members) settle(channel, member, now);
}

// A will is nothing to it, and homes only relays have that share an order.
void Presence::hear(std::string_view channel, std::string_view id, TimePoint now) {
  if (settings_.home == kAlone) return;
  if (const std::optional<Place> place = find(channel, id)) judge(*place, now);
}

// What the identity has said at another relay, or for another channel, may be newer than what it
// has said here; and a relay that says something is not dead.
void Presence::hear(const Arrive& arrive, TimePoint now) {
  newest_word_ = std::max(newest_word_, arrive.word.number);
  if (arrive.home == settings_.home) return;
  std::erase_if(orphans_, [&](const auto& each) { return each.second.home == arrive.home; });
  const auto found = words_.find(arrive.id);
  if (found == words_.end() || arrive.word <= found->second.stamp) return;
  found->second.info = arrive.info;
  found->second.stamp = arrive.word;
  judge_all(found->second, now);
}

void Presence::hear(const Gone& gone, TimePoint now) {
  if (gone.relay == settings_.home) {
    doubted_ = true;
    return;
  }
  const TimePoint at = now + settings_.grace;
  orphan(channels_.main(), gone.relay, at);
  for (const auto& [name, channel] : channels_.by_name()) orphan(*channel, gone.relay, at);
}

void Presence::move(RelayId home, TimePoint now) {
  const RelayId old = std::exchange(settings_.home, home);
  doubted_ = false;
  hear(Gone{old}, now);
  std::vector<Place> places;  // of which judge() may erase each
  for (auto& [channel, people] : by_channel_) {
    for (Identified& person : people) places.push_back({&channel, &person});
  }
  for (const Place& place : places) judge(place, now);
}

std::vector<RelayId> Presence::dead() const {
  std::set<RelayId> dead;
  for (const auto& [at, depart] : orphans_) dead.insert(depart.home);
  return {dead.begin(), dead.end()};
}

void Presence::orphan(const Channel& channel, RelayId relay, TimePoint at) {
  channel.members.get().for_each([&](const State::Entry& member) {
    if (!homes_of(channel, member.key).has(relay)) return;
    orphans_.emplace(at, Depart{std::string(text(channel.name)), member.key,
                                std::string(member_of(*member.value).since), relay});
  });
}

// Who is a member now needs nothing any more; who has left makes room.
void Presence::settle(std::string_view channel, const StateChange& member, TimePoint now) {
  if (!refused_.empty()) retry_refused_ = now;
  std::optional<Place> place = find(channel, member.key);
  if (!place && member.value && is_at(settings_.home, channel, member.key)) {
    place = place_of(channel, member.key);
    place->person->second.leaves_at = now + settings_.grace;
  }
  if (!place) return;
  if (member.value) place->person->second.counted = false;
  judge(*place, now);
}

void Presence::restore(const Channel& channel, TimePoint now) {
  channel.members.get().for_each([&](const State::Entry& entry) {
    if (!is_at(settings_.home, text(channel.name), entry.key)) return;
    const Place place = place_of(text(channel.name), entry.key);
    place.person->second.leaves_at = now + settings_.grace;
    judge(place, now);
  });
}

bool Presence::refuse(const Arrive& arrive, TimePoint now) {
  const std::optional<Place> place = find(arrive.channel, arrive.id);
  if (!place) return false;
  Person& person = place->person->second;
  unschedule(person);
  retry_refused_ = now + kRetry;
  if (person.refused) {
    refused_.splice(refused_.end(), refused_, *person.refused);
  } else {
    person.refused = refused_.insert(refused_.end(), *place);
  }
  return !std::exchange(person.counted, true);
}

std::vector<Presence::Wish> Presence::due(TimePoint now, std::size_t max) {
  std::vector<Wish> wishes;
  if (auto wished = say_alive()) wishes.push_back(*std::move(wished));
  add_refused(now, wishes);
  add_orphans(now, max, wishes);
  while (wishes.size() < max && !by_time_.empty() && by_time_.begin()->first <= now) {
    const Place place = by_time_.begin()->second;
    std::optional<Wish> wished = wish(place);
    if (!wished) {
      erase(place);  // it has lingered for its time
      continue;
    }
    wishes.push_back(*std::move(wished));
    schedule(place, now + kRetry);
  }
  return wishes;
}

// Any Arrive from here ends the doubt; who is nowhere here has nothing to lose by it.
std::optional<Presence::Wish> Presence::say_alive() {
  if (!std::exchange(doubted_, false)) return std::nullopt;
  for (auto& [channel, people] : by_channel_) {
    for (Identified& person : people) {
      if (person.second.there()) return arrive({&channel, &person});
    }
  }
  return std::nullopt;
}

// Until they are no members there any more.
void Presence::add_orphans(TimePoint now, std::size_t max, std::vector<Wish>& wishes) {
  while (wishes.size() < max && !orphans_.empty() && orphans_.begin()->first <= now) {
    auto orphan = orphans_.extract(orphans_.begin());
    const Depart& depart = orphan.mapped();
    const StateValue* const shown = member(depart.channel, depart.id);
    if (shown == nullptr || member_of(**shown).since != depart.since) continue;
    if (!is_at(depart.home, depart.channel, depart.id)) continue;
    wishes.push_back(depart);
    orphan.key() = now + kRetry;
    orphans_.insert(std::move(orphan));
  }
}

// One at a time: where it finds no room, there is none for the others.
void Presence::add_refused(TimePoint now, std::vector<Wish>& wishes) {
  if (refused_.empty() || now < retry_refused_) return;
  retry_refused_ = now + kRetry;
  if (std::optional<Wish> wished = wish(refused_.front())) wishes.push_back(*std::move(wished));
}

std::optional<TimePoint> Presence::next() const {
  std::optional<TimePoint> at;
  if (!by_time_.empty()) at = by_time_.begin()->first;
  if (!refused_.empty()) at = at ? std::min(*at, retry_refused_) : retry_refused_;
  if (!orphans_.empty()) at = std::min(at.value_or(TimePoint::max()), orphans_.begin()->first);
  return doubted_ ? TimePoint() : at;
}

Presence::Place Presence::place_of(std::string_view channel, std::string_view id) {
  const auto people = by_channel_.try_emplace(std::string(channel)).first;
  const auto [person, made] = people->second.try_emplace(std::string(id));
  const Place place{&people->first, &*person};
  if (!made) return place;
  Word& word = words_[person->first];
  person->second.counts.resize(shards_);
  person->second.word = &word;
  person->second.in_word = word.places.insert(word.places.end(), place);
  return place;
}

std::optional<Presence::Place> Presence::find(std::string_view channel, std::string_view id) {
  const auto people = by_channel_.find(channel);
  if (people == by_channel_.end()) return std::nullopt;
  const auto person = people->second.find(id);
  if (person == people->second.end()) return std::nullopt;
  return Place{&people->first, &*person};
}

// Null: it is none.
const StateValue* Presence::member(std::string_view channel, std::string_view id) const {
  const Channel* const found = channels_.find(channel);
  return found == nullptr ? nullptr : found->members.get().find(id);
}

// Precondition: it is a member, or the channel is gone.
bool Presence::is_at(RelayId relay, std::string_view channel, std::string_view id) const {
  const Channel* const found = channels_.find(channel);
  return found != nullptr && homes_of(*found, id).has(relay);
}

Arrive Presence::arrive(const Place& place) const {
  static const auto kNoInfo = std::make_shared<const std::string>("{}");
  const Word& word = *place.person->second.word;
  return {*place.channel, place.person->first, word.info ? word.info : kNoInfo, word.stamp,
          settings_.home};
}

// What is to become of one; nullopt: all is as it should be.
std::optional<Presence::Wish> Presence::wish(const Place& place) const {
  const Person& person = place.person->second;
  const auto& info = person.word->info;
  const std::string& channel = *place.channel;
  const std::string& id = place.person->first;
  const StateValue* const shown = member(channel, id);
  const bool here = shown != nullptr && is_at(settings_.home, channel, id);
  if (!here && !person.there()) return std::nullopt;
  const bool same = here && (!info || member_of(**shown).info == *info);
  if (!same) return arrive(place);
  if (person.there()) return std::nullopt;
  return Depart{channel, id, std::string(member_of(**shown).since), settings_.home};
}

void Presence::judge(const Place& place, TimePoint now) {
  Person& person = place.person->second;
  const std::optional<Wish> wished = wish(place);
  if (!wished || std::holds_alternative<Depart>(*wished)) unqueue(person);
  if (wished && std::holds_alternative<Depart>(*wished)) return schedule(place, person.leaves_at);
  if (wished && person.refused) return;
  if (wished) return schedule(place, now);
  unschedule(person);
  if (!person.there()) judge_nobody(place);
}

// Who was refused and comes back in time is not counted again.
void Presence::judge_nobody(const Place& place) {
  Person& person = place.person->second;
  if (!person.counted || lingering_ >= kMaxLingering) return erase(place);
  schedule(place, person.leaves_at);
  person.lingers = true;
  ++lingering_;
}

void Presence::schedule(const Place& place, TimePoint at) {
  Person& person = place.person->second;
  unschedule(person);
  person.due = by_time_.emplace(at, place);
}

void Presence::unschedule(Person& person) {
  if (person.due) by_time_.erase(*person.due);
  person.due.reset();
  if (std::exchange(person.lingers, false)) --lingering_;
}

void Presence::unqueue(Person& person) {
  if (person.refused) refused_.erase(*person.refused);
  person.refused.reset();
}

// Before it is erased.
void Presence::let_go(Identified& identified) {
  auto& [id, person] = identified;
  unschedule(person);
  unqueue(person);
  person.word->places.erase(person.in_word);
  if (person.word->places.empty()) words_.erase(id);
}

void Presence::erase(const Place& place) {
  let_go(*place.person);
  const auto people = by_channel_.find(*place.channel);
  people->second.erase(people->second.find(place.person->first));
  if (people->second.empty()) by_channel_.erase(people);
}

// Its followers were told that they follow it no more.
void Presence::forget_channel(std::string_view channel) {
  const auto people = by_channel_.find(channel);
  if (people == by_channel_.end()) return;
  for (Identified& person : people->second) let_go(person);
  by_channel_.erase(people);
}

}  // namespace syncrelay
