#pragma once

#include <memory>
#include <mutex>
#include <utility>

#include "syncrelay/auth/key_set.h"

namespace syncrelay {

// The keys that are in force, which may be replaced while tokens are verified. Thread-safe.
class KeyRing {
 public:
  explicit KeyRing(KeySet keys) { replace(std::move(keys)); }

  // Stays what it is, also when it is replaced meanwhile.
  std::shared_ptr<const KeySet> keys() const {
    const std::lock_guard lock(mutex_);
    return keys_;
  }

  void replace(KeySet keys) {
    auto made = std::make_shared<const KeySet>(std::move(keys));
    const std::lock_guard lock(mutex_);
    keys_ = std::move(made);
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const KeySet> keys_;
};

}  // namespace syncrelay
