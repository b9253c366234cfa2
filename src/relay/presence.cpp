#include "syncrelay/relay/presence.h"

#include <algorithm>

#include "syncrelay/channel/member.h"

namespace syncrelay {

bool Presence::Person::there() const {
  return std::any_of(counts.begin(), counts.end(), [](std::uint32_t count) { return count > 0; });
}

void Presence::hear(std::size_t shard, const Attendance& attendance, TimePoint now) {
  const Place place = place_of(attendance.channel, attendance.id);
  Person& person = place.person->second;
  person.counts[shard] = attendance.count;
  if (attendance.info && attendance.said >= person.said) {
    person.info = attendance.info;
    person.said = attendance.said;
  }
  if (attendance.count == 0) note_end(person, attendance);
  if (!person.there())
    person.leaves_at = now + (person.left_clean ? settings_.grace_closed : settings_.grace);
  judge(place, now);
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

// Who is a member now needs nothing any more; who has left makes room.
void Presence::settle(std::string_view channel, const StateChange& member, TimePoint now) {
  if (!refused_.empty()) retry_refused_ = now;
  std::optional<Place> place = find(channel, member.key);
  if (!place && member.value) {
    place = place_of(channel, member.key);
    place->person->second.leaves_at = now + settings_.grace;
  }
  if (place) judge(*place, now);
}

void Presence::restore(const Channel& channel, TimePoint now) {
  channel.members.get().for_each([&](const State::Entry& entry) {
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
    return false;
  }
  person.refused = refused_.insert(refused_.end(), *place);
  return true;
}

std::vector<Presence::Wish> Presence::due(TimePoint now, std::size_t max) {
  std::vector<Wish> wishes;
  add_refused(now, wishes);
  while (wishes.size() < max && !by_time_.empty() && by_time_.begin()->first <= now) {
    const Place place = by_time_.begin()->second;
    std::optional<Wish> wished = wish(place);
    if (wished) wishes.push_back(*std::move(wished));
    schedule(place, now + kRetry);
  }
  return wishes;
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
  return at;
}

Presence::Place Presence::place_of(std::string_view channel, std::string_view id) {
  const auto people = by_channel_.try_emplace(std::string(channel)).first;
  const auto [person, made] = people->second.try_emplace(std::string(id));
  if (made) person->second.counts.resize(shards_);
  return {&people->first, &*person};
}

std::optional<Presence::Place> Presence::find(std::string_view channel, std::string_view id) {
  const auto people = by_channel_.find(channel);
  if (people == by_channel_.end()) return std::nullopt;
  const auto person = people->second.find(id);
  if (person == people->second.end()) return std::nullopt;
  return Place{&people->first, &*person};
}

// Null: it is none.
const StateValue* Presence::member(const Place& place) const {
  const Channel* const channel = channels_.find(*place.channel);
  return channel == nullptr ? nullptr : channel->members.get().find(place.person->first);
}

// What is to become of one; nullopt: all is as it should be.
std::optional<Presence::Wish> Presence::wish(const Place& place) const {
  static const auto kNoInfo = std::make_shared<const std::string>("{}");
  const Person& person = place.person->second;
  const StateValue* const shown = member(place);
  const std::string& channel = *place.channel;
  const std::string& id = place.person->first;
  if (!person.there()) {
    if (shown == nullptr) return std::nullopt;
    return Depart{channel, id, std::string(member_of(**shown).since)};
  }
  const bool same = shown != nullptr && (!person.info || member_of(**shown).info == *person.info);
  if (same) return std::nullopt;
  return Arrive{channel, id, person.info ? person.info : kNoInfo};
}

void Presence::judge(const Place& place, TimePoint now) {
  Person& person = place.person->second;
  const std::optional<Wish> wished = wish(place);
  if (!wished || std::holds_alternative<Depart>(*wished)) unqueue(person);
  if (wished && std::holds_alternative<Depart>(*wished)) return schedule(place, person.leaves_at);
  if (wished && person.refused) return;
  if (wished) return schedule(place, now);
  unschedule(person);
  if (!person.there()) erase(place);
}

void Presence::schedule(const Place& place, TimePoint at) {
  Person& person = place.person->second;
  unschedule(person);
  person.due = by_time_.emplace(at, place);
}

void Presence::unschedule(Person& person) {
  if (person.due) by_time_.erase(*person.due);
  person.due.reset();
}

void Presence::unqueue(Person& person) {
  if (person.refused) refused_.erase(*person.refused);
  person.refused.reset();
}

void Presence::erase(const Place& place) {
  unschedule(place.person->second);
  unqueue(place.person->second);
  const auto people = by_channel_.find(*place.channel);
  people->second.erase(people->second.find(place.person->first));
  if (people->second.empty()) by_channel_.erase(people);
}

// Its followers were told that they follow it no more.
void Presence::forget_channel(std::string_view channel) {
  const auto people = by_channel_.find(channel);
  if (people == by_channel_.end()) return;
  for (auto& [id, person] : people->second) {
    unschedule(person);
    unqueue(person);
  }
  by_channel_.erase(people);
}

}  // namespace syncrelay
