#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <string_view>

namespace syncrelay::testing {

// Where a random walk takes its decisions from: a seeded generator, or the bytes that a fuzzer made
// up.
class Choices {
 public:
  virtual ~Choices() = default;
  // A number from 0 to n - 1. Precondition: n > 0.
  virtual std::uint32_t below(std::uint32_t n) = 0;
  virtual bool exhausted() const = 0;

  bool one_in(std::uint32_t n) { return below(n) == 0; }
};

class SeededChoices final : public Choices {
 public:
  explicit SeededChoices(std::uint32_t seed) : generator_(seed) {}
  // Not std::uniform_int_distribution: its results differ between standard libraries.
  std::uint32_t below(std::uint32_t n) override {
    return static_cast<std::uint32_t>(generator_() % n);
  }
  bool exhausted() const override { return false; }

 private:
  std::mt19937 generator_;
};

// Two bytes a choice; zeros when there are none left.
class ByteChoices final : public Choices {
 public:
  explicit ByteChoices(std::string_view bytes) : bytes_(bytes) {}
  std::uint32_t below(std::uint32_t n) override { return (next() << 8 | next()) % n; }
  bool exhausted() const override { return at_ >= bytes_.size(); }

 private:
  std::uint32_t next() {
    return at_ < bytes_.size() ? static_cast<unsigned char>(bytes_[at_++]) : 0;
  }

  std::string_view bytes_;
  std::size_t at_ = 0;
};

}  // namespace syncrelay::testing
