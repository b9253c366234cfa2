#pragma once

namespace syncrelay {

// Wakes a thread that polls. Thread-safe; set any number of times, it is one wake until cleared.
class Wake {
 public:
  Wake();
  ~Wake();
  Wake(const Wake&) = delete;
  Wake& operator=(const Wake&) = delete;

  void set();
  void clear();
  int fd() const { return fd_; }  // readable while set

 private:
  const int fd_;
};

}  // namespace syncrelay
