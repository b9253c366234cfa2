#include "syncrelay/shard/message_rate.h"

#include <algorithm>

namespace syncrelay {
namespace {

constexpr Duration kPause = std::chrono::seconds(1);  // without a refusal: it has stopped

}  // namespace

MessageRate::Verdict MessageRate::judge(const MessageBounds& bounds, TimePoint now) {
  if (bounds.per_second == 0) return Verdict::allowed;
  const Duration share = std::chrono::duration_cast<Duration>(std::chrono::seconds(1)) /
                         static_cast<Duration::rep>(bounds.per_second);
  full_at_ = std::max(full_at_, now);
  if (full_at_ - now <= share * static_cast<Duration::rep>(bounds.at_once - 1)) {
    full_at_ += share;
    return Verdict::allowed;
  }
  if (refused_at_ == TimePoint() || now - refused_at_ > kPause) refused_since_ = now;
  refused_at_ = now;
  return now - refused_since_ < kHopeless ? Verdict::refused : Verdict::hopeless;
}

}  // namespace syncrelay
