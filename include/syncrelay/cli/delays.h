#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace syncrelay {

// How long things took, of any number of them: counts in buckets, each at most 1/32 wider than the
// one before. Not thread-safe.
class Delays {
 public:
  void add(std::chrono::nanoseconds delay);

  std::uint64_t count() const { return count_; }
  std::chrono::nanoseconds most() const { return most_; }
  // The delay that this part of them stayed within, rounded up to its bucket's end. 0 < part <= 1.
  std::chrono::nanoseconds within(double part) const;

 private:
  static constexpr unsigned kStepBits = 5;  // 32 buckets for each power of two
  static constexpr std::size_t kBuckets = (64 - kStepBits + 1) << kStepBits;

  static std::size_t bucket_of(std::uint64_t nanoseconds);
  static std::uint64_t end_of(std::size_t bucket);

  std::array<std::uint64_t, kBuckets> counts_{};
  std::uint64_t count_ = 0;
  std::chrono::nanoseconds most_{0};
};

}  // namespace syncrelay
