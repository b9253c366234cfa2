#include "syncrelay/shard/snapshot.h"

#include <doctest/doctest.h>

#include <random>

#include "support/frame_parser.h"
#include "syncrelay/json/json_text.h"
#include "syncrelay/protocol/limits.h"

namespace syncrelay {
namespace {

constexpr std::string_view kEmpty = R"({"type":"sync:full","data":{})";

State state_of(const std::vector<std::pair<std::string, std::string>>& members) {
  State state;
  for (const auto& [key, value] : members)
    state.set(key, std::make_shared<const std::string>(value));
  return state;
}

std::string entries_of(const State& state);

// Keys in their order.
std::string text_of(const State& state, const State* members = nullptr) {
  std::string text = R"({"type":"sync:full","data":{)" + entries_of(state);
  if (members != nullptr) text += R"(},"members":{)" + entries_of(*members);
  return text + '}';
}

std::string entries_of(const State& state) {
  std::string text;
  for (std::size_t block = 0; block < state.block_count(); ++block) {
    for (const State::Entry& entry : state.block(block)) {
      if (!text.empty()) text += ',';
      append_json_string(text, entry.key);
      text += ':' + *entry.value;
    }
  }
  return text;
}

// All fragments, as one reader gets them.
std::string wire_of(Snapshot& snapshot, Coding coding = Coding::plain) {
  std::string wire;
  Snapshot::Fragment scratch;
  Deflater deflater;
  for (Snapshot::Place place; !snapshot.ends_at(place);) {
    const Snapshot::Fragment& fragment =
        snapshot.fragment(place, {coding, scratch, deflater}).fragment;
    CHECK(fragment.bytes.size() <= kFragmentBytes + 4);
    CHECK(fragment.behind.at > place.at);
    wire += fragment.bytes;
    place = fragment.behind;
  }
  return wire;
}

// The message that a client has put together when an empty last fragment follows.
std::string message_of(const std::string& wire) {
  testing::FrameParser parser;
  parser.feed(wire);
  CHECK(parser.error() == "");
  CHECK(parser.between_frames());
  CHECK_FALSE(parser.between_messages());
  parser.feed(std::string_view("\x80\x00", 2));
  const auto texts = testing::texts(parser.take_messages());
  return texts.size() == 1 ? texts.front() : "not one message";
}

TEST_CASE("A small snapshot is plain text") {
  CHECK(Snapshot(State()).plain() == kEmpty);
  const State state = state_of({{"a\"b", "1"}, {"c", "{ \"d\": 2.0 }"}});
  CHECK(Snapshot(state).plain() == R"({"type":"sync:full","data":{"a\"b":1,"c":{ "d": 2.0 }})");
  CHECK(Snapshot(state).size() == Snapshot(state).plain().size());
}

TEST_CASE("A large snapshot is frames that await an end, whatever falls on their boundaries") {
  for (std::size_t bytes = kFragmentBytes - 45; bytes < kFragmentBytes + 5; ++bytes) {
    CAPTURE(bytes);
    const State state = state_of({{"k", '"' + std::string(bytes, 'v') + '"'}, {"l", "17"}});
    Snapshot snapshot(state);
    CHECK(snapshot.plain().empty());
    REQUIRE(message_of(wire_of(snapshot)) == text_of(state));
  }
}

TEST_CASE("Members stand behind the state where they are kept, also when there are none") {
  const State none;
  const State state = state_of({{"a", "1"}});
  const State members = state_of({{"dev-1", R"({"info":{},"since":1.0})"}});
  CHECK(Snapshot(none, {}, &none).plain() == R"({"type":"sync:full","data":{},"members":{})");
  CHECK(Snapshot(state, "room", &none).plain() ==
        R"({"type":"sync:full","channel":"room","data":{"a":1},"members":{})");
  for (const State* const one : {&none, &state}) {
    const Snapshot snapshot(*one, {}, &members);
    CHECK(snapshot.plain() == text_of(*one, &members));
    CHECK(snapshot.size() == snapshot.plain().size());
  }
}

TEST_CASE("A large snapshot has its members whole, wherever it is cut") {
  for (std::size_t bytes = kFragmentBytes - 70; bytes < kFragmentBytes + 5; ++bytes) {
    CAPTURE(bytes);
    const State state = state_of({{"k", '"' + std::string(bytes, 'v') + '"'}});
    const State members = state_of({{"dev-1", R"({"info":{},"since":1.0})"}, {"dev-2", "{}"}});
    const State none;
    for (const State* const kept : {&members, &none}) {
      Snapshot snapshot(state, {}, kept);
      REQUIRE(message_of(wire_of(snapshot)) == text_of(state, kept));
    }
    Snapshot turned(State(), {}, &state);
    REQUIRE(message_of(wire_of(turned)) == text_of(none, &state));
  }
}

TEST_CASE("Large values and very many small ones are cut into the same fragments every time") {
  State state = state_of({{"big", '"' + std::string(300'000, 'b') + '"'}});
  for (int number = 0; number < 20'000; ++number)
    state.set("k\n" + std::to_string(number), std::make_shared<const std::string>("[1, 2]"));
  Snapshot snapshot(state);
  const std::string first = wire_of(snapshot);
  CHECK(message_of(first) == text_of(state));
  CHECK(wire_of(snapshot) == first);
  snapshot.retire();
  CHECK(wire_of(snapshot) == first);
}

TEST_CASE("What readers share is kept up to a bound, and not when the snapshot is superseded") {
  const State state = state_of(
      {{"big", '"' + std::string(Snapshot::kMaxKeptBytes + 10 * kFragmentBytes, 'b') + '"'}});
  Snapshot snapshot(state);
  const std::string wire = wire_of(snapshot);
  CHECK(message_of(wire) == text_of(state));
  Snapshot::Fragment scratch;
  Deflater deflater;
  snapshot.fragment({}, {Coding::plain, scratch, deflater});
  CHECK(scratch.bytes.empty());
  snapshot.retire();
  snapshot.fragment({}, {Coding::plain, scratch, deflater});
  CHECK(wire.compare(0, scratch.bytes.size(), scratch.bytes) == 0);
  CHECK(scratch.bytes.size() == kFragmentBytes + 4);
}

// As above, for a client that inflates.
std::string inflated_of(std::string wire) {
  testing::FrameParser parser;
  parser.inflate();
  parser.feed(wire);
  std::string end;
  Deflater::append_stored_end(end, "");
  std::string frame(wire_size(end.size()), '\0');
  MessageWriter(reinterpret_cast<std::byte*>(frame.data()), end.size(), MessagePart::end)
      .write(end);
  parser.feed(frame);
  CHECK(parser.error() == "");
  CHECK(parser.between_messages());
  const auto messages = parser.take_messages();
  return messages.size() == 1 ? messages.front().text : "error";
}

TEST_CASE("Who inflates gets the same, deflated once, and stored where nothing is kept") {
  std::vector<std::pair<std::string, std::string>> entries;
  for (int key = 0; key < 3000; ++key)
    entries.emplace_back("key" + std::to_string(key), std::string(100, '7'));
  const State state = state_of(entries);
  Snapshot snapshot(state);
  const std::string plain = wire_of(snapshot);
  const std::string deflated = wire_of(snapshot, Coding::deflated);
  CHECK(deflated.size() < plain.size() / 4);
  CHECK(inflated_of(deflated) == text_of(state));
  CHECK(wire_of(snapshot, Coding::deflated) == deflated);
  snapshot.retire();
  const std::string stored = wire_of(snapshot, Coding::deflated);
  CHECK(stored.size() > plain.size());
  CHECK(inflated_of(stored) == text_of(state));
}

TEST_CASE("What cannot be deflated fits into frames all the same") {
  std::mt19937 generator(1);
  std::string noise(300'000, ' ');
  for (char& c : noise) c = static_cast<char>(generator());
  const State state = state_of({{"noise", noise}});
  Snapshot snapshot(state);
  CHECK(inflated_of(wire_of(snapshot, Coding::deflated)) == text_of(state));
}

TEST_CASE("A fragment that is deflated weighs more in a turn, once") {
  const State state = state_of({{"big", std::string(200'000, '7')}});
  Snapshot snapshot(state);
  Snapshot::Fragment scratch;
  Deflater deflater;
  const Snapshot::Encoding encoding{Coding::deflated, scratch, deflater};
  CHECK(snapshot.fragment({}, encoding).effort > 300'000);
  const Snapshot::Given again = snapshot.fragment({}, encoding);
  CHECK(again.effort == again.fragment.bytes.size());
  CHECK(again.effort < 10'000);
}

}  // namespace
}  // namespace syncrelay
