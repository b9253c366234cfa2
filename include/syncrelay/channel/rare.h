#pragma once

#include <memory>
#include <utility>

namespace syncrelay {

// What most of very many objects do without: costs a pointer until it is made. A copy has one of
// its own.
template <typename Value>
class Rare {
 public:
  Rare() = default;
  Rare(const Rare& other) : value_(copy_of(other)) {}
  Rare& operator=(const Rare& other) {
    value_ = copy_of(other);
    return *this;
  }
  Rare(Rare&&) noexcept = default;
  Rare& operator=(Rare&&) noexcept = default;
  ~Rare() = default;

  // As if it were always there.
  const Value& get() const {
    static const Value kNone;
    return value_ ? *value_ : kNone;
  }
  // To be changed.
  Value& make() {
    if (!value_) value_ = std::make_unique<Value>();
    return *value_;
  }

 private:
  static std::unique_ptr<Value> copy_of(const Rare& other) {
    return other.value_ ? std::make_unique<Value>(*other.value_) : nullptr;
  }

  std::unique_ptr<Value> value_;
};

}  // namespace syncrelay
