#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/frame_parser.h"
#include "support/history.h"

namespace syncrelay::testing {

// A client that believes nothing: compares every message of one channel with its history, byte for
// byte but for a snapshot's time.
class ClientModel {
 public:
  // `history` must outlive it and hold an event before a message of it is given to take().
  ClientModel(const History& history, std::string epoch, const std::string& channel = {});

  void take(const std::vector<WireMessage>& messages);
  void take(const WireMessage& message);
  // The channel is dropped, and that many events did not come.
  void end(std::uint64_t skipped);

  // What was wrong first; empty: nothing.
  const std::string& fault() const { return fault_; }
  // Of the last event that it knows of; nothing before the first message.
  std::optional<std::uint64_t> position() const { return position_; }
  std::uint64_t joined_at() const { return joined_at_; }  // position of the first message
  std::uint64_t events() const { return events_; }
  std::uint64_t skipped() const { return skipped_; }
  std::uint64_t snapshots() const { return snapshots_; }
  std::uint64_t resumes() const { return resumes_; }
  std::uint64_t pings() const { return pings_; }
  std::uint64_t heartbeats() const { return heartbeats_; }
  std::uint64_t messages() const { return events_ + snapshots_ + resumes_ + pings_ + heartbeats_; }

 private:
  void take_snapshot(std::string_view text);
  void take_resume(std::string_view text);
  void take_event(std::string_view text);
  void fail(const std::string& why, std::string_view text);

  const History& history_;
  const std::string epoch_;
  const std::string full_;  // how the two first messages begin
  const std::string resume_;
  std::optional<std::uint64_t> position_;
  std::uint64_t joined_at_ = 0;
  std::uint64_t events_ = 0;
  std::uint64_t skipped_ = 0;
  std::uint64_t snapshots_ = 0;
  std::uint64_t resumes_ = 0;
  std::uint64_t pings_ = 0;
  std::uint64_t heartbeats_ = 0;
  std::string fault_;
};

}  // namespace syncrelay::testing
