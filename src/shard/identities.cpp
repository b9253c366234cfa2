#include "syncrelay/shard/identities.h"

#include <utility>

namespace syncrelay {

Identity& Identities::join(const std::string& id) {
  Identity& identity = identities_[id];
  identity.id = id;
  ++identity.connections;
  stats_.identities.set(identities_.size());
  return identity;
}

void Identities::leave(Identity& identity) {
  if (--identity.connections > 0) return;
  identities_.erase(identities_.find(identity.id));
  stats_.identities.set(identities_.size());
}

void Identities::set_info(Identity& identity, std::string info) {
  identity.said = clock_.now();
  if (!identity.info || *identity.info != info)
    identity.info = std::make_shared<const std::string>(std::move(info));
  for (const auto& [channel, count] : identity.attended) tell(identity, channel, count, false);
}

void Identities::follow(Identity& identity, std::string_view channel) {
  if (!kept_.match(channel)) return;
  const std::uint32_t count = ++identity.attended[std::string(channel)];
  tell(identity, channel, count, false);
}

void Identities::unfollow(Identity& identity, std::string_view channel, Farewell farewell) {
  const auto found = identity.attended.find(channel);
  if (found == identity.attended.end()) return;
  const std::uint32_t count = --found->second;
  if (count == 0) identity.attended.erase(found);
  tell(identity, channel, count, count == 0 && farewell == Farewell::leave);
}

void Identities::tell(const Identity& identity, std::string_view channel, std::uint32_t count,
                      bool clean) {
  outbox_.put(Attendance{std::string(channel), identity.id, identity.info, count, clean,
                         identity.said, clock_.now()});
}

}  // namespace syncrelay
