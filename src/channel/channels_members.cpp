// What the comings and goings of members make of the channels.

#include <cstddef>
#include <memory>
#include <utility>

#include "syncrelay/channel/channels.h"
#include "syncrelay/json/json_text.h"
#include "syncrelay/protocol/command_decoder.h"

namespace syncrelay {
namespace {

// Of a will that is only tried.
class NoEffects final : public Effects {
 public:
  void take(const Effect&) override {}
};

StateValue text_value(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

std::string timestamp(WallTime ts) {
  std::string text;
  append_timestamp(text, ts);
  return text;
}

Rejection no_such_member(const std::string& id) {
  return {RejectReason::no_such_member, 0, json_string(id) + " is no member of the channel"};
}

}  // namespace

StateValue Channels::first_list(const Channel& channel) const {
  if (channel.name || settings_.members_key.empty()) return nullptr;
  if (channel.state.find(settings_.members_key) != nullptr) return nullptr;
  return text_value(member_list(channel.members.get()));
}

Homes homes_of(const Channel& channel, std::string_view id) {
  const StateValue* const homes = channel.homes.get().find(id);
  if (homes != nullptr) return homes_of(**homes);
  Homes alone;
  alone.add(kAlone);
  return alone;
}

Arrival Channels::apply(const Arrive& arrive, WallTime ts, Effects& effects) {
  Channel* channel = table_.find(arrive.channel);
  const StateValue* const was =
      channel == nullptr ? nullptr : channel->members.get().find(arrive.id);
  if (was != nullptr) return greet_again(*channel, arrive, member_of(**was), ts, effects);
  if (table_.members() >= settings_.max_members) return Arrival::refused;
  if (channel == nullptr) {
    if (full()) return Arrival::refused;
    channel = &table_.make(arrive.channel);
  }
  tell_member(*channel, MemberChange::joined, arrive.id,
              text_value(member_text({*arrive.info, timestamp(ts)})), ts, effects);
  Homes homes;
  homes.word = arrive.word;
  homes.add(arrive.home);
  set_homes(*channel, arrive.id, homes);
  return Arrival::joined;
}

// It is a member already, maybe at another relay, where it may have said something newer.
Arrival Channels::greet_again(Channel& channel, const Arrive& arrive, const Member& member,
                              WallTime ts, Effects& effects) {
  Homes homes = homes_of(channel, arrive.id);
  const bool newer = arrive.word >= homes.word;
  const bool moved = homes.add(arrive.home);
  if (newer) homes.word = arrive.word;
  if (newer || moved) set_homes(channel, arrive.id, homes);
  if (newer && member.info != *arrive.info) {
    tell_member(channel, MemberChange::changed, arrive.id,
                text_value(member_text({*arrive.info, member.since})), ts, effects);
    return Arrival::changed;
  }
  if (moved) tell_unseen(channel, arrive.id, effects);
  return Arrival::none;
}

Departure Channels::apply(const Depart& depart, WallTime ts, Effects& effects) {
  Departure departure;
  Channel* const channel = table_.find(depart.channel);
  const StateValue* const was =
      channel == nullptr ? nullptr : channel->members.get().find(depart.id);
  if (was == nullptr || member_of(**was).since != depart.since) return departure;
  Homes homes = homes_of(*channel, depart.id);
  if (!homes.remove(depart.home)) return departure;
  set_homes(*channel, depart.id, homes);
  if (!homes.relays.empty()) {
    tell_unseen(*channel, depart.id, effects);
    return departure;
  }
  departure.left = true;
  const StateValue* const found = channel->wills.get().find(depart.id);
  const StateValue will = found == nullptr ? nullptr : *found;
  if (will) erase_will(*channel, depart.id);
  tell_member(*channel, MemberChange::left, depart.id, nullptr, ts, effects);
  if (will) run_will(*will, ts, effects, departure);
  return departure;
}

// A null `value`: the member left.
void Channels::tell_member(Channel& channel, MemberChange what, const std::string& id,
                           StateValue value, WallTime ts, Effects& effects) {
  StateChanges members{{id, value}};
  table_.change(channel, members, Shelf::members);
  table_.advance(channel);
  Effect effect;
  effect.channel = channel.name;
  effect.slot = channel.slot;
  effect.seq = channel.last;
  effect.members = std::make_shared<const StateChanges>(std::move(members));
  std::string list;
  if (!channel.name && keeps_list()) list = member_list(channel.members.get());
  if (!channel.name && !settings_.members_key.empty()) {
    StateChanges changes{{settings_.members_key, text_value(list)}};
    table_.change(channel, changes);
    effect.changes = std::make_shared<const StateChanges>(std::move(changes));
  }
  const Member member = value ? member_of(*value) : Member{};
  effect.event =
      encoder_.encode(text(channel.name), what, {id, member.info, member.since}, ts, channel.last);
  effects.take(effect);
  if (!channel.name && keeps_list()) tell_list(channel, list, ts, effects);
}

// The key has changed with the member; replicas hear of it here: by the event, or as of any key.
void Channels::tell_list(Channel& channel, const std::string& list, WallTime ts, Effects& effects) {
  const std::string type = json_string(settings_.members_event);
  const std::string& key = settings_.members_key;
  const std::string set = key.empty() ? "" : '{' + json_string(key) + ':' + list + '}';
  Command command;
  if (settings_.members_event.empty()) {
    command.op = Op::set;
    command.key = key;
    command.value = list;
  } else {
    command.type = type;
    command.data = list;
    command.set_object = set;
  }
  Effect effect;
  effect.event = event_of(command, channel, ts);
  effect.seq = channel.last;
  effects.take(effect);
}

void Channels::erase_will(Channel& channel, const std::string& id) {
  StateChanges none{{id, nullptr}};
  table_.change(channel, none, Shelf::wills);
}

// A relay that is alone keeps none.
void Channels::set_homes(Channel& channel, const std::string& id, const Homes& homes) {
  const bool alone = homes.relays.size() == 1 && homes.relays.front() == kAlone;
  if (alone || (homes.relays.empty() && channel.homes.get().find(id) == nullptr)) return;
  StateChanges change{{id, homes.relays.empty() ? nullptr : text_value(homes_text(homes))}};
  table_.change(channel, change, Shelf::homes);
}

void Channels::tell_unseen(const Channel& channel, std::string_view id, Effects& effects) {
  Effect effect;
  effect.channel = channel.name;
  effect.seq = channel.last;
  effect.unseen_of = id;
  effects.take(effect);
}

// What has been told of a command that is refused cannot be taken back alone, so it is tried first.
void Channels::run_will(std::string_view text, WallTime ts, Effects& effects,
                        Departure& departure) {
  departure.had_will = true;
  CommandDecoder decoder(SIZE_MAX);
  const Result<const Command*, Rejection> will = decoder.decode(text);
  if (!will) {
    departure.will_refused = will.error();
    return;
  }
  NoEffects nothing;
  const ChannelTable::Mark before = table_.mark();
  const Result<Outcome, Rejection> tried = apply(*will.value(), ts, nothing);
  if (!tried) {
    departure.will_refused = tried.error();
    return;
  }
  table_.rewind(before);
  (void)apply(*will.value(), ts, effects);
}

Result<Outcome, Rejection> Channels::set_will(const Command& command, Effects& effects) {
  const std::string_view name = command.channel_name();
  Channel* const channel = table_.find(name);
  StateValue will;
  if (!command.commands.empty())
    will = text_value(R"({"op":"batch","commands":)" + std::string(command.commands_array) + '}');
  StateChanges wills{{command.member, std::move(will)}};
  if (auto rejection = check_will(wills.front(), channel)) return *std::move(rejection);
  table_.change(*channel, wills, Shelf::wills);
  tell_unseen(*channel, command.member, effects);
  return Outcome{channel->name, channel->position(), nullptr, nullptr};
}

// Wills share the room of the states.
std::optional<Rejection> Channels::check_will(const StateChange& will,
                                              const Channel* channel) const {
  if (channel == nullptr || channel->members.get().find(will.key) == nullptr)
    return no_such_member(will.key);
  const StateValue* const was = channel->wills.get().find(will.key);
  const std::size_t before = was == nullptr ? 0 : will.key.size() + (*was)->size();
  const std::size_t after = will.value ? will.key.size() + will.value->size() : 0;
  const std::uint64_t all = table_.bytes() + table_.will_bytes() - before + after;
  if (after <= before || all <= settings_.max_state_bytes) return std::nullopt;
  return Rejection{
      RejectReason::state_full, 0,
      "state and wills would have " + std::to_string(all) + " bytes, more than --max-state allows"};
}

}  // namespace syncrelay
