#include "syncrelay/protocol/client_message.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include "support/fake_clock.h"
#include "syncrelay/protocol/channel_name.h"
#include "syncrelay/protocol/deflater.h"
#include "syncrelay/protocol/limits.h"

namespace syncrelay {
namespace {

constexpr std::string_view kPing = R"({"type":"sync:ping"})";

Hearing& hearing() {
  static Hearing all;
  return all;
}

// What the reader makes of a message that comes in these pieces.
std::optional<ClientMessage> said(ClientMessageReader& reader,
                                  const std::vector<std::string_view>& pieces,
                                  MessageKind kind = MessageKind::text) {
  std::optional<ClientMessage> last;
  for (std::size_t at = 0; at < pieces.size(); ++at) {
    CHECK_FALSE(last);
    last = reader.take({kind, pieces[at], at == 0, at + 1 == pieces.size()}, hearing());
  }
  return last;
}

bool is_ping(const std::optional<ClientMessage>& message) {
  return message && std::holds_alternative<PingMessage>(*message);
}

TEST_CASE("A client asks for a heartbeat") {
  for (const char* text : {R"({"type":"sync:ping"})", R"( { "id" : 1e400, "type" : "sync:ping" } )",
                           R"({"type":"sync:ping","more":[{"type":"x"}]})"}) {
    CAPTURE(text);
    CHECK(is_ping(parse_client_message(text)));
  }
}

// What a text says as a subscription.
SubscribeMessage subscription(std::string_view text) {
  const auto message = parse_client_message(text);
  REQUIRE(message);
  REQUIRE(std::holds_alternative<SubscribeMessage>(*message));
  return std::get<SubscribeMessage>(*message);
}

std::string with_position(const std::string& members) {
  return R"({"type":"sync:subscribe","channel":"a",)" + members + "}";
}

TEST_CASE("A client subscribes to a channel, from the beginning or from a position") {
  const SubscribeMessage bare = subscription(R"({"type":"sync:subscribe","channel":"room:43"})");
  CHECK(bare.channel == "room:43");
  CHECK_FALSE(bare.wants_resume);
  CHECK_FALSE(bare.after);
  const SubscribeMessage resumed = subscription(
      R"( {"seq":18446744073709551615, "epoch" : "9f\u0032c","channel":"\u0061\/\ud83c\udfb5", "type":"sync:subscribe","x":[{"channel":"b"}]} )");
  CHECK(resumed.channel == "a/🎵");
  CHECK(resumed.wants_resume);
  REQUIRE(resumed.after);
  CHECK(resumed.after->epoch == "9f2c");
  CHECK(resumed.after->seq.value == 18446744073709551615U);
  CHECK(subscription(R"({"type":"sync:subscribe"})").channel.empty());
  CHECK(subscription(R"({"type":"sync:subscribe","channel":""})").channel.empty());
  CHECK(subscription(R"({"type":"sync:subscribe","channel":"a","channel":7})").channel == "a");
}

TEST_CASE("A position that is ill formed is one that was asked for and is not known") {
  const std::string longest(64, 'e');
  CHECK(subscription(with_position(R"("epoch":")" + longest + R"(","seq":0)")).after);
  for (const std::string& members :
       {R"("epoch":")" + longest + R"(e","seq":0)", std::string(R"("epoch":"e")"),
        std::string(R"("seq":7)"), std::string(R"("epoch":null,"seq":null)"),
        std::string(R"("epoch":7,"seq":7)"), std::string(R"("epoch":"e","seq":"7")"),
        std::string(R"("epoch":"e","seq":[7])"), std::string(R"("epoch":"e","seq":-1)"),
        std::string(R"("epoch":"e","seq":7.0)"), std::string(R"("epoch":"e","seq":1e2)"),
        std::string(R"("epoch":"e","seq":1e400)"),
        std::string(R"("epoch":"e","seq":18446744073709551616)")}) {
    CAPTURE(members);
    const SubscribeMessage message = subscription(with_position(members));
    CHECK(message.channel == "a");
    CHECK(message.wants_resume);
    CHECK_FALSE(message.after);
  }
}

TEST_CASE("A client unsubscribes") {
  const auto message = parse_client_message(R"({"channel":"room:43","type":"sync:unsubscribe"})");
  REQUIRE(message);
  REQUIRE(std::holds_alternative<UnsubscribeMessage>(*message));
  CHECK(std::get<UnsubscribeMessage>(*message).channel == "room:43");
  const auto bare = parse_client_message(R"({"type":"sync:unsubscribe"})");
  REQUIRE(bare);
  CHECK(std::get<UnsubscribeMessage>(*bare).channel.empty());
}

TEST_CASE("A channel that is no string is no channel's name") {
  for (const std::string other : {"null", "true", "42", "[]", "[\"a\"]", "{\"a\":1}"}) {
    const std::string channel =
        subscription(R"({"type":"sync:subscribe","channel":)" + other + "}").channel;
    CAPTURE(channel);
    CHECK_FALSE(channel.empty());
    CHECK_FALSE(is_channel_name(channel));
    CHECK(channel.find(other) != channel.npos);
  }
}

TEST_CASE("Anything else is ignored") {
  for (const char* text : {"",
                           "ping",
                           "{}",
                           "[]",
                           "null",
                           R"("sync:ping")",
                           R"(["sync:ping"])",
                           R"({"type":1})",
                           R"({"type":"sync:pin"})",
                           R"({"type":"sync:pings"})",
                           R"({"type":"sync:ping")",
                           R"({"type":"sync:ping"}x)",
                           R"({"data":{"type":"sync:ping"}})",
                           R"({"type":"sync:ping\u0000"})",
                           R"({"type":"sync:"})",
                           R"({"type":"\u0073ync:ping"})",
                           R"({"\u0074ype":"sync:ping"})",
                           R"({"type":["sync:subscribe"],"channel":"a"})",
                           R"({"type":"sync:subscribe","channel":"a")",
                           R"({"type":"sync:subscribe","channel":"\ud83c"})"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_client_message(text));
  }
}

TEST_CASE("However a message is cut, it says the same") {
  ClientMessageReader reader;
  for (std::size_t first = 0; first <= kPing.size(); ++first) {
    for (std::size_t second = first; second <= kPing.size(); ++second) {
      CHECK(is_ping(said(reader, {kPing.substr(0, first), kPing.substr(first, second - first),
                                  kPing.substr(second)})));
    }
  }
}

TEST_CASE("Binary messages are ignored, whole or cut") {
  ClientMessageReader reader;
  CHECK_FALSE(said(reader, {kPing}, MessageKind::binary));
  CHECK_FALSE(said(reader, {kPing.substr(0, 5), kPing.substr(5)}, MessageKind::binary));
  CHECK(is_ping(said(reader, {kPing})));
}

TEST_CASE("A message over the limit is ignored, and the next one is read") {
  ClientMessageReader reader;
  const std::string spaces(kMaxUnansweredBytes - kPing.size(), ' ');
  const std::string longest = spaces + std::string(kPing);
  const std::string longer = spaces + ' ' + std::string(kPing);
  CHECK(is_ping(said(reader, {longest})));
  CHECK_FALSE(said(reader, {longer}));
  CHECK(is_ping(said(reader, {spaces, kPing})));
  CHECK_FALSE(said(reader, {spaces, " ", kPing}));
  CHECK_FALSE(said(reader, {longer, kPing}));
  CHECK_FALSE(said(reader, {longer, "", kPing, ""}));
  CHECK(is_ping(said(reader, {kPing})));
}

TEST_CASE("A message that never ended does not reach into the next") {
  ClientMessageReader reader;
  CHECK_FALSE(reader.take({MessageKind::text, kPing.substr(0, 8), true, false}, hearing()));
  CHECK_FALSE(said(reader, {kPing.substr(8)}));
  CHECK(is_ping(said(reader, {kPing})));
}

// What a text says as a message that is answered.
template <typename Message>
Message answered(std::string_view text, std::string_view hello_type = kHelloType) {
  CAPTURE(text);
  auto message = parse_client_message(text, hello_type);
  REQUIRE(message);
  REQUIRE(std::holds_alternative<Message>(*message));
  return std::get<Message>(*std::move(message));
}

TEST_CASE("A client says who it is") {
  const auto bare = answered<HelloMessage>(R"({"type":"sync:hello","id":"dev-1"})");
  CHECK_FALSE(bare.fault);
  CHECK(bare.id == "dev-1");
  CHECK(bare.info.empty());
  CHECK(bare.ref.empty());
  CHECK_FALSE(bare.wants_resume);
  const auto full = answered<HelloMessage>(
      R"( {"seq":7,"ref":"r\u0031","info":{ "name":"Phone", "x":1.50 },"epoch":"e","type":"sync:hello","id":"a.b:c~d/e_F"} )");
  CHECK_FALSE(full.fault);
  CHECK(full.id == "a.b:c~d/e_F");
  CHECK(full.info == R"({ "name":"Phone", "x":1.50 })");
  CHECK(full.ref == "r1");
  CHECK(full.wants_resume);
  REQUIRE(full.after);
  CHECK(full.after->epoch == "e");
  CHECK(full.after->seq == Seq{7});
}

TEST_CASE("A hello may be wrong in many ways, and each has its code") {
  const std::string longest_info = R"({"a":")" + std::string(kMaxInfoBytes - 8, 'x') + "\"}";
  const std::string longer_info = R"({"a":")" + std::string(kMaxInfoBytes - 7, 'x') + "\"}";
  const std::string id64(64, 'i');
  struct Row {
    std::string members;
    std::optional<RefusedMessage> fault;
  };
  const std::vector<Row> rows = {
      {R"("id":"i")", std::nullopt},
      {R"("id":")" + id64 + '"', std::nullopt},
      {R"("id":")" + id64 + "i\"", RefusedMessage::invalid_id},
      {R"("id":"")", RefusedMessage::invalid_id},
      {R"("id":"@i")", RefusedMessage::invalid_id},
      {R"("id":"i@i")", RefusedMessage::invalid_id},
      {R"("id":"i i")", RefusedMessage::invalid_id},
      {R"("id":"é")", RefusedMessage::invalid_id},
      {R"("id":"i\u0000")", RefusedMessage::invalid_id},
      {R"("id":7)", RefusedMessage::invalid_id},
      {R"("id":null)", RefusedMessage::invalid_id},
      {R"("id":["i"])", RefusedMessage::invalid_id},
      {R"("Id":"i")", RefusedMessage::invalid_id},
      {R"("\u0069d":"i")", RefusedMessage::invalid_id},
      {R"("id":"i","info":{})", std::nullopt},
      {R"("id":"i","info":)" + longest_info, std::nullopt},
      {R"("id":"i","info":)" + longer_info, RefusedMessage::invalid_info},
      {R"("id":"i","info":null)", RefusedMessage::invalid_info},
      {R"("id":"i","info":[])", RefusedMessage::invalid_info},
      {R"("id":"i","info":"{}")", RefusedMessage::invalid_info},
      {R"("id":"i","ref":"")", RefusedMessage::invalid_ref},
      {R"("id":"i","ref":7)", RefusedMessage::invalid_ref},
      {R"("id":"i","ref":")" + std::string(64, 'r') + '"', std::nullopt},
      {R"("id":"i","ref":")" + std::string(65, 'r') + '"', RefusedMessage::invalid_ref},
      {R"("id":"","ref":null)", RefusedMessage::invalid_ref},
  };
  for (const Row& row : rows) {
    const auto hello = answered<HelloMessage>(R"({"type":"sync:hello",)" + row.members + '}');
    CAPTURE(row.members);
    CHECK(hello.fault == row.fault);
    CHECK(hello.info.size() <= kMaxInfoBytes);
    CHECK(hello.ref.size() <= kMaxRefBytes);
  }
}

TEST_CASE("A hello of another type has all its other members as info, in order") {
  const auto hello = answered<HelloMessage>(
      R"({"name":"Phone","type":"device:register", "n" : [1, 2.50],"ref":"r","id":"dev-1","info":{"a":1},"seq":3})",
      "device:register");
  CHECK_FALSE(hello.fault);
  CHECK(hello.id == "dev-1");
  CHECK(hello.ref == "r");
  CHECK(hello.info == R"({"name":"Phone","n":[1, 2.50],"info":{"a":1},"seq":3})");
  CHECK_FALSE(hello.wants_resume);
  CHECK(answered<HelloMessage>(R"({"type":"device:register","id":"i"})", "device:register").info ==
        "{}");
  CHECK(answered<HelloMessage>(R"({"type":"sync:hello","id":"i"})", "device:register").id == "i");
  for (const std::size_t bytes : {kMaxInfoBytes - 8, kMaxInfoBytes - 7, std::size_t{60'000}}) {
    const auto large = answered<HelloMessage>(
        R"({"type":"t","id":"i","a":")" + std::string(bytes, 'x') + R"(","b":1})", "t");
    CHECK(large.fault == RefusedMessage::invalid_info);
    CHECK(large.info.empty());
  }
}

TEST_CASE("A client publishes") {
  const auto publish = answered<PublishMessage>(
      R"({"type":"sync:publish","channel":"doc:7","event":"cursor:\u006doved","data":{ "x":1e400 },"ref":"r"})");
  CHECK_FALSE(publish.fault);
  CHECK(publish.channel == "doc:7");
  CHECK(publish.event == R"("cursor:\u006doved")");
  CHECK(publish.data == R"({ "x":1e400 })");
  CHECK(publish.ref == "r");
  const auto bare = answered<PublishMessage>(R"({"type":"sync:publish","event":"e"})");
  CHECK_FALSE(bare.fault);
  CHECK(bare.channel.empty());
  CHECK(bare.data == "null");
  const auto fault = [](const std::string& members) {
    return answered<PublishMessage>(R"({"type":"sync:publish")" + members + '}').fault;
  };
  CHECK(fault("") == RefusedMessage::message_invalid);
  CHECK(fault(R"(,"event":7)") == RefusedMessage::message_invalid);
  CHECK(fault(R"(,"event":"e","channel":"a b")") == RefusedMessage::invalid_channel);
  CHECK(fault(R"(,"event":"e","channel":null)") == RefusedMessage::invalid_channel);
  CHECK(fault(R"(,"event":"e","ref":[])") == RefusedMessage::invalid_ref);
}

TEST_CASE("All of another type is for the backend, as it came") {
  for (const std::string text :
       {R"({"type":"x"})", R"( {"a":"sync:ping","type":"x"} )",
        R"({"type":"ping","type":"sync:ping"})", R"({"type":"","data":1e400})"}) {
    const auto message = answered<BackendMessage>(text);
    CHECK_FALSE(message.fault);
    CHECK(message.text == text);
    CHECK(message.channel.empty());
  }
  CHECK(answered<BackendMessage>(R"({"type":"x","channel":"room:1","ref":"r"})").channel ==
        "room:1");
  CHECK(answered<BackendMessage>(R"({"type":"x","channel":"a b"})").channel.empty());
  CHECK(answered<BackendMessage>(R"({"type":"x","channel":7})").channel.empty());
  CHECK(answered<BackendMessage>(R"({"type":"x","ref":""})").fault == RefusedMessage::invalid_ref);
  const auto typeless = answered<BackendMessage>(R"({"type":7,"ref":"r"})");
  CHECK(typeless.fault == RefusedMessage::message_invalid);
  CHECK(typeless.ref == "r");
}

TEST_CASE("What no backend could read is ignored") {
  const std::string deep = std::string(511, '[') + std::string(511, ']');
  CHECK(parse_client_message(R"({"type":"x","data":)" + deep + "}"));
  CHECK_FALSE(parse_client_message(R"({"type":"x","data":[)" + deep + "]}"));
  CHECK_FALSE(parse_client_message(R"({"type":"x","data":"\ud83c","ref":"r"})"));
}

TEST_CASE("Who gave a ref before the fault hears that it cannot be read") {
  for (const std::string text :
       {R"({"ref":"r","type":"x","data":"\ud83c"})", R"({"type":"x","ref":"r","data":NaN})",
        R"({"ref":"r","type":"x")"}) {
    const auto message = answered<BackendMessage>(text);
    CHECK(message.fault == RefusedMessage::message_invalid);
    CHECK(message.ref == "r");
  }
}

TEST_CASE("Who gave a ref hears that a type of the relay's is unknown, however long the message") {
  const std::string data = R"(,"data":")" + std::string(2000, 'd') + '"';
  for (const std::string& rest : {std::string(), data}) {
    for (const std::string type : {R"("sync:shout")", R"("sync:")", R"("sync:\u0070ing")"}) {
      const auto message = answered<BackendMessage>(R"({"ref":"r","type":)" + type + rest + '}');
      CHECK(message.fault == RefusedMessage::unknown_type);
      CHECK(message.ref == "r");
    }
    CHECK_FALSE(parse_client_message(R"({"type":"sync:shout")" + rest + '}'));
  }
}

TEST_CASE("Messages for others may be as long as the relay takes them, whole or cut") {
  Hearing ears;
  ears.max_bytes = 2000;
  ClientMessageReader reader;
  const std::string begin = R"({"type":"x","data":")";
  const std::string text = begin + std::string(2000 - begin.size() - 2, 'd') + "\"}";
  CHECK(reader.take({MessageKind::text, text, true, true}, ears));
  CHECK_FALSE(reader.take({MessageKind::text, text.substr(0, 1500), true, false}, ears));
  CHECK(ears.held == 1500);
  const auto whole = reader.take({MessageKind::text, text.substr(1500), false, true}, ears);
  REQUIRE(whole);
  CHECK(std::get<BackendMessage>(*whole).text == text);
  CHECK(ears.held == 0);
  CHECK_FALSE(reader.take({MessageKind::text, ' ' + text, true, true}, ears));
  CHECK_FALSE(reader.take({MessageKind::text, text, true, false}, ears));
  CHECK_FALSE(reader.take({MessageKind::text, " ", false, true}, ears));
  CHECK(ears.held == 0);
}

std::optional<CloseCause> why_unreadable(const std::optional<ClientMessage>& message) {
  const auto* const unreadable = message ? std::get_if<UnreadableMessage>(&*message) : nullptr;
  return unreadable == nullptr ? std::nullopt : std::optional(unreadable->cause);
}

// Clients that begin messages and do not end them.
class Crowd {
 public:
  explicit Crowd(Hearing& ears) : ears_(ears) {}

  // As many as there is room for.
  void fill() {
    while (ears_.held + kPiece.size() <= Hearing::kMaxHeldBytes) {
      readers_.push_back(std::make_unique<ClientMessageReader>());
      CHECK_FALSE(readers_.back()->take({MessageKind::text, kPiece, true, false}, ears_));
    }
  }
  std::optional<ClientMessage> end(std::size_t index, std::string_view piece) {
    return readers_.at(index)->take({MessageKind::text, piece, false, true}, ears_);
  }
  void leave(std::size_t index) { readers_.at(index).reset(); }
  std::size_t size() const { return readers_.size(); }

  static const std::string kPiece;

 private:
  Hearing& ears_;
  std::vector<std::unique_ptr<ClientMessageReader>> readers_;
};

const std::string Crowd::kPiece = R"({"type":"say","data":")" + std::string(32 * 1024, 'd');

TEST_CASE("Where messages that are cut hold too much, the one goes that has been there longest") {
  Hearing ears;
  {
    Crowd crowd(ears);
    crowd.fill();
    ClientMessageReader reader;
    CHECK_FALSE(reader.take({MessageKind::text, Crowd::kPiece, true, false}, ears));
    CHECK(ears.held <= Hearing::kMaxHeldBytes);
    CHECK(why_unreadable(crowd.end(0, "\"}")) == CloseCause::over_capacity);
    const auto whole = reader.take({MessageKind::text, "\"}", false, true}, ears);
    REQUIRE(whole);
    CHECK(std::get<BackendMessage>(*whole).text == Crowd::kPiece + "\"}");
    const auto other = crowd.end(1, "\"}");
    REQUIRE(other);
    CHECK(std::holds_alternative<BackendMessage>(*other));
  }
  CHECK(ears.held == 0);
  CHECK(ears.oldest == nullptr);
  CHECK(ears.newest == nullptr);
}

TEST_CASE("Who has been there longest is known whoever leaves meanwhile") {
  Hearing ears;
  Crowd crowd(ears);
  crowd.fill();
  const std::size_t count = crowd.size();
  for (const std::size_t gone : {std::size_t{0}, count / 2, count - 1}) crowd.leave(gone);
  crowd.fill();
  CHECK(crowd.size() == count + 3);
  ClientMessageReader reader;
  CHECK_FALSE(reader.take({MessageKind::text, Crowd::kPiece, true, false}, ears));
  CHECK(why_unreadable(crowd.end(1, "\"}")) == CloseCause::over_capacity);
  CHECK_FALSE(why_unreadable(crowd.end(2, "\"}")));
  CHECK_FALSE(why_unreadable(crowd.end(count + 2, "\"}")));
}

TEST_CASE("Short messages that are cut take no room from others, and have it always") {
  Hearing ears;
  Crowd crowd(ears);
  crowd.fill();
  ClientMessageReader reader;
  CHECK_FALSE(reader.take({MessageKind::text, kPing.substr(0, 5), true, false}, ears));
  CHECK(is_ping(reader.take({MessageKind::text, kPing.substr(5), false, true}, ears)));
  const auto first = crowd.end(0, "\"}");
  REQUIRE(first);
  CHECK(std::holds_alternative<BackendMessage>(*first));
}

TEST_CASE("A message that nobody has room for displaces all others, and has none itself") {
  Hearing ears;
  ears.max_bytes = 2 * Hearing::kMaxHeldBytes;
  ClientMessageReader small;
  CHECK_FALSE(small.take({MessageKind::text, Crowd::kPiece, true, false}, ears));
  ClientMessageReader reader;
  const std::string half(Hearing::kMaxHeldBytes / 2 + 1, ' ');
  CHECK_FALSE(reader.take({MessageKind::text, half, true, false}, ears));
  CHECK(why_unreadable(reader.take({MessageKind::text, half, false, false}, ears)) ==
        CloseCause::over_capacity);
  CHECK(ears.held == 0);
}

// What a client hears that says this, deflated, so many times at once.
std::vector<std::optional<CloseCause>> say_deflated(ClientMessageReader& reader, Hearing& ears,
                                                    std::string_view payload, int count) {
  std::vector<std::optional<CloseCause>> causes;
  for (int at = 0; at < count; ++at) {
    ears.begin_read();
    const auto heard =
        reader.take({MessageKind::text, payload, true, true, Coding::deflated}, ears);
    causes.push_back(why_unreadable(heard));
    if (causes.back()) break;
  }
  return causes;
}

TEST_CASE("What a client's deflated messages inflate to is bounded, whatever they say") {
  testing::FakeClock clock;
  Hearing ears;
  ears.clock = &clock;
  ears.inflate_bounds = {100'000, 1'000'000};
  Deflater deflater;
  deflater.begin();
  deflater.add('[' + std::string(50'000, ' ') + ']');
  std::string payload(deflater.end());
  payload.resize(payload.size() - Deflater::kBlockEnd.size());
  ClientMessageReader reader;
  const auto at_once = say_deflated(reader, ears, payload, 100);
  CHECK(at_once.size() == 21);
  CHECK(at_once.back() == CloseCause::rate_limited);
  clock.advance(std::chrono::seconds(1));
  CHECK(say_deflated(reader, ears, payload, 100).size() <= 3);
  ClientMessageReader other;
  CHECK(say_deflated(other, ears, payload, 10).back() == std::nullopt);
  ears.inflate_bounds = {};
  CHECK(say_deflated(reader, ears, payload, 100).back() == std::nullopt);
}

TEST_CASE("What inflates to nothing is bounded by what comes, and by how often") {
  testing::FakeClock clock;
  Hearing ears;
  ears.clock = &clock;
  ears.inflate_bounds = {100'000, 1'000'000};
  std::string blocks;
  for (int at = 0; at < 2000; ++at) blocks.append("\x00\x00\x00\xff\xff", 5);
  blocks += '\0';
  ClientMessageReader reader;
  CHECK(say_deflated(reader, ears, blocks, 1000).size() == 101);
  ClientMessageReader other;
  CHECK(say_deflated(other, ears, std::string(1, '\0'), 100'000).size() < 20'000);
}

}  // namespace
}  // namespace syncrelay
