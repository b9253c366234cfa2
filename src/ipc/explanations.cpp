#include "explanations.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <utility>

#include "syncrelay/protocol/channel_name.h"

namespace syncrelay {
namespace {

std::optional<std::uint64_t> connection_of(std::string_view client) {
  std::uint64_t number = 0;
  const char* const end = client.data() + client.size();
  const auto [read_until, error] = std::from_chars(client.data(), end, number);
  return error == std::errc() && read_until == end ? std::optional(number) : std::nullopt;
}

}  // namespace

std::shared_ptr<const StoryInquiry> Explanations::begin(Envelope& envelope, std::string client,
                                                        std::size_t shards) {
  StoryInquiry inquiry{next_, {}, 0};
  if (const auto connection = connection_of(client)) {
    inquiry.connection = *connection;
  } else {
    inquiry.id = client.starts_with('@') ? client.substr(1) : client;
    if (!is_identity(inquiry.id)) return nullptr;
  }
  under_way_.emplace(next_++, UnderWay{{std::move(envelope), std::move(client), {}, 0}, shards});
  return std::make_shared<const StoryInquiry>(std::move(inquiry));
}

std::optional<Explanations::Done> Explanations::take(Told told) {
  const auto found = under_way_.find(told.inquiry);
  UnderWay& under_way = found->second;
  std::vector<Told::Connection>& stories = under_way.done.stories;
  std::move(told.stories.begin(), told.stories.end(), std::back_inserter(stories));
  under_way.done.more += told.more;
  if (--under_way.missing > 0) return std::nullopt;
  Done done = std::move(under_way.done);
  under_way_.erase(found);
  std::sort(done.stories.begin(), done.stories.end(),
            [](const Told::Connection& a, const Told::Connection& b) { return a.id > b.id; });
  if (done.stories.size() > StoryInquiry::kMaxTold) {
    done.more += done.stories.size() - StoryInquiry::kMaxTold;
    done.stories.resize(StoryInquiry::kMaxTold);
  }
  return done;
}

std::vector<Envelope> Explanations::end() {
  std::vector<Envelope> waiting;
  for (auto& [number, under_way] : under_way_)
    waiting.push_back(std::move(under_way.done.envelope));
  under_way_.clear();
  return waiting;
}

}  // namespace syncrelay
