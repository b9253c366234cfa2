#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include "syncrelay/protocol/command_decoder.h"
#include "syncrelay/relay/letter_codec.h"
#include "syncrelay/relay/order.h"

namespace syncrelay::testing {

// The log that several relays share: batches of letters, as bytes, each with its time.
struct SharedLog {
  struct Entry {
    RelayId relay;
    std::string letters;
    Duration at;
  };

  std::vector<Entry> entries;
  Duration now{};
};

// The order of one of these relays: what it submits comes into the log when the test lets it, and
// what lies in the log comes to the relay when the test lets it.
class SharedOrder final : public Order {
 public:
  SharedOrder(SharedLog& log, RelayId relay) : log_(log), relay_(relay) {}

  void submit(const Letter& letter) override {
    submitted_.add(letter);
    if (const auto* commanded = std::get_if<Commanded>(&letter))
      tickets_.push_back(commanded->ticket);
  }

  const Ordered* next() override {
    while (read_ < allowed_) {
      const SharedLog::Entry& entry = log_.entries[read_];
      if (!reader_) reader_.emplace(entry.letters);
      auto letter = reader_->next();
      if (!letter) throw std::runtime_error(letter.error().what);
      if (letter.value()) return take(entry, *std::move(letter.value()));
      reader_.reset();
      ++read_;
    }
    return nullptr;
  }

  Room room() const override { return Room::all; }

  // The test's side. False: there was nothing.
  bool append() {
    if (submitted_.empty()) return false;
    log_.entries.push_back({relay_, submitted_.bytes(), log_.now});
    submitted_.clear();
    return true;
  }
  // So many entries more may be read. False: all have been.
  bool allow(std::size_t count = SIZE_MAX) {
    const std::size_t left = log_.entries.size() - allowed_;
    allowed_ += std::min(count, left);
    return read_ < allowed_;
  }

 private:
  const Ordered* take(const SharedLog::Entry& entry, Letter letter) {
    const std::int64_t passed = entry.at / std::chrono::microseconds(1);
    ordered_ = {{{1'763'838'000'000'000 + passed}, entry.at, entry.relay == relay_},
                std::move(letter)};
    if (auto* const commanded = std::get_if<Commanded>(&ordered_.letter)) {
      commanded->command = decoder_.decode(commanded->message).value();
      if (ordered_.moment.own) {
        commanded->ticket = tickets_.front();
        tickets_.pop_front();
      }
    }
    return &ordered_;
  }

  SharedLog& log_;
  const RelayId relay_;
  LetterWriter submitted_;
  std::deque<Ticket> tickets_;  // of the commands that are under way
  std::size_t read_ = 0;
  std::size_t allowed_ = 0;
  std::optional<LetterReader> reader_;
  CommandDecoder decoder_{SIZE_MAX};
  Ordered ordered_;
};

}  // namespace syncrelay::testing
