#pragma once

namespace syncrelay {

// Wakes a thread that polls. Thread-safe; set any number of times, it is one event until cleared.
class Event {
 public:
  Event();
  ~Event();
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  void set();
  void clear();
  int fd() const { return fd_; }  // readable while set

 private:
  const int fd_;
};

}  // namespace syncrelay
