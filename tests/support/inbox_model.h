#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "syncrelay/relay/inbox.h"

namespace syncrelay::testing {

// What an inbox has to do, as slowly as may be. Judges what it hands out; faults are named.
class InboxModel {
 public:
  // A message that was staged; those that are not kept come to nothing.
  void say(const std::string& sender, const std::string& ref) {
    staged_.push_back({next_++, sender, ref});
  }
  void done(std::uint64_t n) { staged_done_.insert(n); }

  void keep() {
    for (const Message& message : staged_) {
      waiting_[message.sender].insert(message.n);
      sender_of_[message.n] = message.sender;
      if (!message.ref.empty()) acked_.insert(message.n);
    }
    for (const std::uint64_t n : staged_done_) {
      done_.insert(n);
      waiting_[sender_of_[n]].erase(n);
      leases_.erase(n);
    }
    clear();
  }
  void take_back() {
    next_ -= staged_.size();
    clear();
  }
  // The relay is killed and begins again: what is staged is lost, and so is who has what.
  void restart() {
    take_back();
    leases_.clear();
  }

  void deliver(const std::vector<Inbox::Delivery>& deliveries, TimePoint now, Duration lease) {
    std::map<std::string, std::vector<std::uint64_t>> by_sender;
    for (const Inbox::Delivery& delivery : deliveries)
      by_sender[delivery.message->sender].push_back(delivery.message->n);
    for (const auto& [sender, numbers] : by_sender) judge(sender, numbers, now);
    for (const Inbox::Delivery& delivery : deliveries) {
      delivered_.insert(delivery.message->n);
      leases_[delivery.message->n] = now + lease;
    }
  }
  void extend(std::uint64_t n, TimePoint now, Duration lease) {
    const auto found = leases_.find(n);
    if (found != leases_.end() && found->second > now) found->second = now + lease;
  }
  void release(std::uint64_t n) { leases_.erase(n); }

  // Nothing is to come any more.
  void judge_end() {
    for (const std::uint64_t n : acked_) {
      if (delivered_.count(n) == 0) fault_ = "never delivered: " + std::to_string(n);
    }
  }
  bool has_waiting() const {
    for (const auto& [sender, numbers] : waiting_) {
      if (!numbers.empty()) return true;
    }
    return false;
  }
  std::vector<std::uint64_t> delivered() const { return {delivered_.begin(), delivered_.end()}; }
  std::size_t acked() const { return acked_.size(); }
  const std::string& fault() const { return fault_; }

 private:
  struct Message {
    std::uint64_t n;
    std::string sender;
    std::string ref;
  };

  void clear() {
    staged_.clear();
    staged_done_.clear();
  }
  void judge(const std::string& sender, const std::vector<std::uint64_t>& numbers, TimePoint now) {
    const std::set<std::uint64_t>& waiting = waiting_[sender];
    auto next = waiting.begin();
    for (const std::uint64_t n : numbers) {
      if (done_.count(n) > 0) fault_ = "delivered after done: " + std::to_string(n);
      if (next == waiting.end() || *next != n) {
        fault_ = "out of order: " + std::to_string(n) + " of " + sender;
        return;
      }
      ++next;
    }
    for (const std::uint64_t n : waiting) {
      const auto lease = leases_.find(n);
      if (lease != leases_.end() && lease->second > now)
        fault_ = "handed out beside " + std::to_string(n) + " of " + sender;
    }
  }

  std::uint64_t next_ = 1;
  std::vector<Message> staged_;
  std::set<std::uint64_t> staged_done_;
  std::map<std::string, std::set<std::uint64_t>> waiting_;  // not done, by sender
  std::map<std::uint64_t, std::string> sender_of_;
  std::set<std::uint64_t> acked_;
  std::set<std::uint64_t> done_;
  std::set<std::uint64_t> delivered_;
  std::map<std::uint64_t, TimePoint> leases_;  // ends
  std::string fault_;
};

}  // namespace syncrelay::testing
