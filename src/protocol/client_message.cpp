#include "syncrelay/protocol/client_message.h"

#include <array>

#include "protocol/number_text.h"
#include "syncrelay/json/json_walk.h"
#include "syncrelay/protocol/limits.h"

namespace syncrelay {
namespace {

using Step = JsonVisitor::Step;

constexpr std::string_view kOwnType = R"("sync:)";  // begins the types that are listened to

// A member that says something; its value as JSON text, decoded where it is a string.
struct Said {
  std::string_view name;  // with its quotes
  bool there = false;
  JsonKind kind = JsonKind::null;
  std::string_view json = {};
  std::string text = {};
};

// Takes the members that say something, written without escapes, from a message; of several of one
// name the first.
class Members final : public JsonVisitor {
 public:
  explicit Members(std::string_view message) : message_(message) {}

  const Said& type() const { return said_[0]; }
  const Said& channel() const { return said_[1]; }
  const Said& epoch() const { return said_[2]; }
  const Said& seq() const { return said_[3]; }

  void begin() override {
    said_ = {{{R"("type")"}, {R"("channel")"}, {R"("epoch")"}, {R"("seq")"}}};
    depth_ = 0;
  }
  bool name(const JsonToken& token) override {
    last_ = nullptr;
    for (Said& said : said_) {
      if (!said.there && said.name == text_at(token.begin, token.end)) last_ = &said;
    }
    return true;
  }
  bool scalar(JsonKind kind, const JsonToken& token) override {
    if (depth_ == 0) return false;  // no object
    take(kind, token.begin, token.end, token.content);
    return true;
  }
  Step open(JsonKind kind, std::size_t begin) override {
    if (depth_ == 0 && kind != JsonKind::object) return Step::stop;
    kind_ = kind;
    begin_ = begin;
    return depth_++ == 0 ? Step::into : Step::over;
  }
  bool close(std::size_t end) override {
    if (--depth_ > 0) take(kind_, begin_, end, {});
    return true;
  }

 private:
  std::string_view text_at(std::size_t begin, std::size_t end) const {
    return message_.substr(begin, end - begin);
  }
  void take(JsonKind kind, std::size_t begin, std::size_t end, std::string_view content) {
    if (last_ == nullptr) return;
    *last_ = {last_->name, true, kind, text_at(begin, end), std::string(content)};
  }

  const std::string_view message_;
  std::array<Said, 4> said_;
  Said* last_ = nullptr;            // the member that the next value is of, if it says something
  JsonKind kind_ = JsonKind::null;  // of the last value with parts
  std::size_t begin_ = 0;
  std::size_t depth_ = 0;
};

// What is no string becomes a text that is no channel's name, whatever it is.
std::string channel_of(const Members& members) {
  const Said& channel = members.channel();
  if (!channel.there || channel.kind == JsonKind::string) return channel.text;
  return "not a string: " + std::string(channel.json);
}

std::optional<AskedPosition> position_of(const Members& members) {
  const Said& epoch = members.epoch();
  const Said& seq = members.seq();
  if (epoch.kind != JsonKind::string || epoch.text.size() > kMaxEpochBytes) return std::nullopt;
  if (seq.kind != JsonKind::number) return std::nullopt;
  const std::optional<std::uint64_t> number = whole_number(seq.json);
  if (!number) return std::nullopt;
  return AskedPosition{epoch.text, Seq{*number}};
}

}  // namespace

std::optional<ClientMessage> parse_client_message(std::string_view text) {
  if (text.find(kOwnType) == text.npos)
    return std::nullopt;  // most of what is ignored costs no more
  Members members(text);
  if (JsonWalk().visit(text, members)) return std::nullopt;
  const std::string_view type = members.type().json;
  if (type == R"("sync:ping")") return PingMessage{};
  if (type == R"("sync:unsubscribe")") return UnsubscribeMessage{channel_of(members)};
  if (type != R"("sync:subscribe")") return std::nullopt;
  const bool wants_resume = members.epoch().there || members.seq().there;
  return SubscribeMessage{channel_of(members), wants_resume, position_of(members)};
}

std::optional<ClientMessage> ClientMessageReader::take(const MessagePiece& piece) {
  if (piece.begins) begun_.reset();
  if (piece.kind != MessageKind::text) return std::nullopt;
  if (piece.begins && piece.ends)
    return piece.payload.size() <= kMaxBytes ? parse_client_message(piece.payload) : std::nullopt;
  if (piece.begins) begun_ = std::make_unique<std::string>();
  if (!begun_) return std::nullopt;
  if (piece.payload.size() > kMaxBytes - begun_->size()) {
    begun_.reset();
    return std::nullopt;
  }
  begun_->append(piece.payload);
  if (!piece.ends) return std::nullopt;
  const std::unique_ptr<std::string> whole = std::move(begun_);
  return parse_client_message(*whole);
}

}  // namespace syncrelay
