#pragma once

namespace syncrelay {

// For std::unique_ptr: the end of an object of a C library, which `Free` frees.
template <auto Free>
struct Freed {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};

}  // namespace syncrelay
