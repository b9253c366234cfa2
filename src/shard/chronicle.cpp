#include "syncrelay/shard/chronicle.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace syncrelay {
namespace {

constexpr std::size_t kEach = sizeof(ConnectionId) + sizeof(std::uint64_t) + sizeof(Story);

std::uint64_t hash_of(std::string_view identity) {
  return identity.empty() ? 0 : std::hash<std::string_view>()(identity);
}

}  // namespace

void Chronicle::add(ConnectionId id, std::string_view identity, Story story) {
  bytes_ += kEach + story.bytes();
  gone_.push_back({id, hash_of(identity), std::move(story)});
  while (gone_.size() > kMaxStories || bytes_ > kMaxBytes) forget_oldest();
  stats_.stories.set(gone_.size());
  stats_.story_bytes.set(bytes_);
}

void Chronicle::forget_oldest() {
  bytes_ -= kEach + gone_.front().story.bytes();
  gone_.pop_front();
  stats_.stories_forgotten.add();
}

// Whether the story says so itself, unless it has lost that.
bool Chronicle::is_of(const Gone& gone, const StoryInquiry& inquiry, std::uint64_t identity) {
  if (inquiry.id.empty()) return gone.id.value == inquiry.connection;
  if (gone.identity != identity) return false;
  const std::vector<StoryRecord> records = gone.story.records();
  return std::none_of(records.begin(), records.end(), [&](const StoryRecord& record) {
    return record.kind == StoryKind::identified && record.text != inquiry.id;
  });
}

void Chronicle::find(const StoryInquiry& inquiry, Told& told) const {
  const std::uint64_t identity = hash_of(inquiry.id);
  for (std::size_t at = gone_.size(); at-- > 0;) {
    const Gone& gone = gone_[at];
    if (!is_of(gone, inquiry, identity)) continue;
    if (told.stories.size() < StoryInquiry::kMaxTold) {
      told.stories.push_back({gone.id, gone.story, std::nullopt});
    } else {
      ++told.more;
    }
  }
}

}  // namespace syncrelay
