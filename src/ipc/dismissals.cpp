#include "dismissals.h"

#include <utility>

namespace syncrelay {

std::shared_ptr<const Dismissal> Dismissals::begin(Envelope envelope, const Query& query,
                                                   std::size_t shards) {
  const std::uint64_t number = next_++;
  under_way_.emplace(number, UnderWay{{std::move(envelope), 0}, shards});
  return std::make_shared<const Dismissal>(Dismissal{number, query.id, query.connection.value_or(0),
                                                     static_cast<std::uint16_t>(query.code),
                                                     query.reason});
}

std::optional<Dismissals::Done> Dismissals::take(const Dismissed& dismissed) {
  const auto found = under_way_.find(dismissed.dismissal);
  UnderWay& under_way = found->second;
  under_way.done.closed += dismissed.count;
  if (--under_way.missing > 0) return std::nullopt;
  Done done = std::move(under_way.done);
  under_way_.erase(found);
  return done;
}

std::vector<Envelope> Dismissals::end() {
  std::vector<Envelope> waiting;
  for (auto& [number, under_way] : under_way_)
    waiting.push_back(std::move(under_way.done.envelope));
  under_way_.clear();
  return waiting;
}

}  // namespace syncrelay
