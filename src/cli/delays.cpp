#include "syncrelay/cli/delays.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace syncrelay {

std::size_t Delays::bucket_of(std::uint64_t nanoseconds) {
  constexpr std::uint64_t kSteps = std::uint64_t{1} << kStepBits;
  if (nanoseconds < kSteps) return nanoseconds;
  const auto shift = static_cast<unsigned>(std::bit_width(nanoseconds)) - kStepBits - 1;
  return (static_cast<std::size_t>(shift + 1) << kStepBits) + ((nanoseconds >> shift) - kSteps);
}

// The largest that falls into it.
std::uint64_t Delays::end_of(std::size_t bucket) {
  constexpr std::uint64_t kSteps = std::uint64_t{1} << kStepBits;
  if (bucket < kSteps) return bucket;
  const std::uint64_t shift = (bucket >> kStepBits) - 1;
  return (((bucket & (kSteps - 1)) + kSteps + 1) << shift) - 1;
}

void Delays::add(std::chrono::nanoseconds delay) {
  delay = std::max(delay, std::chrono::nanoseconds(0));
  ++counts_[bucket_of(static_cast<std::uint64_t>(delay.count()))];
  ++count_;
  most_ = std::max(most_, delay);
}

std::chrono::nanoseconds Delays::within(double part) const {
  const auto wanted = static_cast<std::uint64_t>(std::ceil(part * static_cast<double>(count_)));
  std::uint64_t seen = 0;
  for (std::size_t bucket = 0; bucket < kBuckets; ++bucket) {
    seen += counts_[bucket];
    if (seen < wanted || seen == 0) continue;
    return std::min(std::chrono::nanoseconds(end_of(bucket)), most_);
  }
  return most_;
}

}  // namespace syncrelay
