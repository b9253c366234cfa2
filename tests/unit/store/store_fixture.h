#pragma once

#include <doctest/doctest.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "syncrelay/protocol/frame.h"
#include "syncrelay/store/sqlite_store.h"

namespace syncrelay {

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    char name[] = "/tmp/syncrelay-store-XXXXXX";
    path_ = mkdtemp(name);
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline std::string framed(const std::string& text) {
  std::string wire(wire_size(text.size()), '\0');
  MessageWriter(reinterpret_cast<std::byte*>(wire.data()), text.size()).write(text);
  return wire;
}

inline SqliteStore::Settings settings(const std::string& directory) {
  return {directory, SqliteStore::Sync::process, 1 << 20, 1000, 1000, std::chrono::minutes(10)};
}

inline std::unique_ptr<SqliteStore> opened(const SqliteStore::Settings& settings) {
  auto store = SqliteStore::open(settings);
  REQUIRE_MESSAGE(store.ok(), store.error());
  return std::move(store).value();
}

inline StoredHistory loaded(SqliteStore& store) {
  auto history = store.load("0123456789abcdef");
  REQUIRE_MESSAGE(history.ok(), history.error());
  return std::move(history).value();
}

// A batch and all that it refers to.
class MadeBatch {
 public:
  explicit MadeBatch(std::uint64_t first_event = 1) { batch_.first_event = first_event; }

  MadeBatch& set(const std::string& channel, const std::string& key, const std::string& value,
                 std::uint64_t version = 1, std::optional<Expiry> expiry = std::nullopt) {
    changes_.push_back({key, std::make_shared<const std::string>(value), version});
    batch_.changes.push_back({name(channel), &changes_.back(), expiry});
    return *this;
  }
  MadeBatch& erase(const std::string& channel, const std::string& key) {
    changes_.push_back({key, nullptr});
    batch_.changes.push_back({name(channel), &changes_.back()});
    return *this;
  }
  MadeBatch& drop(const std::string& channel) {
    batch_.changes.push_back({name(channel)});
    return *this;
  }
  MadeBatch& event(const std::string& channel, std::uint64_t seq, const std::string& text) {
    wires_.push_back(framed(text));
    batch_.events.push_back({name(channel), Seq{seq}, as_bytes(wires_.back())});
    if (channel.empty()) batch_.last = Seq{seq};
    return *this;
  }
  // The default channel's newest event, where the batch has none.
  MadeBatch& last(std::uint64_t seq) {
    batch_.last = Seq{seq};
    return *this;
  }
  MadeBatch& channel(const std::string& channel, std::uint64_t start, std::uint64_t last,
                     std::uint32_t generation = 0) {
    batch_.channels.push_back({channel, Seq{start}, Seq{last}, generation});
    return *this;
  }
  // Null: none.
  MadeBatch& member(const std::string& channel, const std::string& id, const char* value,
                    const char* will = nullptr) {
    const auto text = [](const char* of) {
      return of == nullptr ? nullptr : std::make_shared<const std::string>(of);
    };
    batch_.members.push_back({channel, id, text(value), text(will)});
    return *this;
  }
  MadeBatch& gone(const std::string& channel) {
    batch_.gone.push_back(channel);
    return *this;
  }
  MadeBatch& tombstone(std::uint64_t hash, std::uint64_t last) {
    batch_.tombstones[hash] = Seq{last};
    return *this;
  }
  MadeBatch& generation(std::uint32_t generation) {
    batch_.generation = generation;
    return *this;
  }
  MadeBatch& version(std::uint64_t version) {
    batch_.version = version;
    return *this;
  }

  const StoreBatch& get() const { return batch_; }

 private:
  static ChannelName name(const std::string& channel) {
    return channel.empty() ? nullptr : std::make_shared<const std::string>(channel);
  }

  std::deque<StateChange> changes_;
  std::deque<std::string> wires_;
  StoreBatch batch_;
};

// "a:7 text" for each event of the log, in its order.
inline std::vector<std::string> events_of(const StoredHistory& history) {
  std::vector<std::string> events;
  for (const StoredEvents& row : history.events) {
    std::string_view wire = row.wire;
    for (const StoredRun& run : row.runs) {
      for (std::uint64_t count = 0; count < run.count; ++count) {
        const std::size_t size = message_end(as_bytes(wire));
        REQUIRE(size > 0);
        events.push_back(std::string(text(run.channel)) + ':' +
                         std::to_string(run.first.value + count) + ' ' +
                         std::string(wire.substr(2, size - 2)));
        wire.remove_prefix(size);
      }
    }
    CHECK(wire.empty());
  }
  return events;
}

}  // namespace syncrelay
