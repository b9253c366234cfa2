#include "syncrelay/protocol/client_message.h"

#include <algorithm>
#include <array>
#include <utility>

#include "protocol/number_text.h"
#include "syncrelay/json/json_text.h"
#include "syncrelay/json/json_walk.h"
#include "syncrelay/protocol/channel_name.h"
#include "syncrelay/protocol/limits.h"

namespace syncrelay {
namespace {

using Step = JsonVisitor::Step;

constexpr std::string_view kOwnTypes = "sync:";  // begins the types that are not for the backend

// A member that says something; its value as JSON text, decoded where it is a string.
struct Said {
  std::string_view name;  // with its quotes
  bool there = false;
  JsonKind kind = JsonKind::null;
  std::string_view json = {};
  std::string text = {};

  bool is_string() const { return there && kind == JsonKind::string; }
};

enum class Word : std::size_t { type, channel, epoch, seq, id, info, ref, event, data, token };
constexpr std::size_t kWords = 10;

// Takes the members that say something, written without escapes, from a message; of several of one
// name the first. And all but type, id and ref, as they stand, as an object of their own.
class Members final : public JsonVisitor {
 public:
  explicit Members(std::string_view message) : message_(message) {}

  const Said& operator[](Word word) const { return said_[static_cast<std::size_t>(word)]; }
  std::string others() const { return '{' + others_ + '}'; }

  void begin() override {
    said_ = {{{R"("type")"},
              {R"("channel")"},
              {R"("epoch")"},
              {R"("seq")"},
              {R"("id")"},
              {R"("info")"},
              {R"("ref")"},
              {R"("event")"},
              {R"("data")"},
              {R"("token")"}}};
    others_.clear();
    depth_ = 0;
  }
  bool name(const JsonToken& token) override {
    last_ = nullptr;
    name_ = text_at(token.begin, token.end);
    for (Said& said : said_) {
      if (!said.there && said.name == name_) last_ = &said;
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
    const std::string_view json = text_at(begin, end);
    if (last_ != nullptr) *last_ = {last_->name, true, kind, json, std::string(content)};
    if (name_ == (*this)[Word::type].name || name_ == (*this)[Word::id].name ||
        name_ == (*this)[Word::ref].name)
      return;
    if (others_.size() + name_.size() + json.size() > kMaxInfoBytes) {
      others_.resize(kMaxInfoBytes, ' ');  // with its brackets it is too long for an info
    } else {
      if (!others_.empty()) others_ += ',';
      others_.append(name_).append(":").append(json);
    }
  }

  const std::string_view message_;
  std::array<Said, kWords> said_;
  std::string others_;
  std::string_view name_;           // of the member that the next value is of,
  Said* last_ = nullptr;            // and that member, if it says something
  JsonKind kind_ = JsonKind::null;  // of the last value with parts
  std::size_t begin_ = 0;
  std::size_t depth_ = 0;
};

// What is no string becomes a text that is no channel's name, whatever it is.
std::string channel_of(const Members& members) {
  const Said& channel = members[Word::channel];
  if (!channel.there || channel.kind == JsonKind::string) return channel.text;
  return "not a string: " + std::string(channel.json);
}

bool wants_resume(const Members& members) {
  return members[Word::epoch].there || members[Word::seq].there;
}

std::optional<AskedPosition> position_of(const Members& members) {
  const Said& epoch = members[Word::epoch];
  const Said& seq = members[Word::seq];
  if (!epoch.is_string() || epoch.text.size() > kMaxEpochBytes) return std::nullopt;
  if (!seq.there || seq.kind != JsonKind::number) return std::nullopt;
  const std::optional<std::uint64_t> number = whole_number(seq.json);
  if (!number) return std::nullopt;
  return AskedPosition{epoch.text, Seq{*number}};
}

void set_ref(const Members& members, AnsweredMessage& message) {
  const Said& ref = members[Word::ref];
  if (!ref.there) return;
  if (ref.is_string() && !ref.text.empty() && ref.text.size() <= kMaxRefBytes) {
    message.ref = ref.text;
  } else {
    message.fault = RefusedMessage::invalid_ref;
  }
}

// Of several faults the first counts.
void note(AnsweredMessage& message, bool fits, RefusedMessage fault) {
  if (!fits && !message.fault) message.fault = fault;
}

HelloMessage hello_with_info(const Members& members, std::string_view info) {
  HelloMessage hello;
  set_ref(members, hello);
  hello.id = members[Word::id].text;
  note(hello, members[Word::id].is_string() && is_identity(hello.id), RefusedMessage::invalid_id);
  note(hello, info.size() <= kMaxInfoBytes, RefusedMessage::invalid_info);
  if (info.size() <= kMaxInfoBytes) hello.info = info;
  return hello;
}

HelloMessage hello_of(const Members& members) {
  HelloMessage hello = hello_with_info(members, members[Word::info].json);
  const bool fits = !members[Word::info].there || members[Word::info].kind == JsonKind::object;
  note(hello, fits, RefusedMessage::invalid_info);
  hello.wants_resume = wants_resume(members);
  hello.after = position_of(members);
  return hello;
}

PublishMessage publish_of(const Members& members) {
  PublishMessage publish;
  set_ref(members, publish);
  publish.channel = channel_of(members);
  publish.event = members[Word::event].json;
  publish.data = members[Word::data].there ? members[Word::data].json : "null";
  note(publish, members[Word::event].is_string(), RefusedMessage::message_invalid);
  note(publish, publish.channel.empty() || is_channel_name(publish.channel),
       RefusedMessage::invalid_channel);
  return publish;
}

TokenMessage token_of(const Members& members) {
  TokenMessage message;
  set_ref(members, message);
  message.token = members[Word::token].is_string() ? members[Word::token].text : std::string();
  return message;
}

// Without a type it is worth an answer only where the client can recognise that.
std::optional<ClientMessage> for_backend(const Members& members, std::string_view text) {
  BackendMessage message;
  set_ref(members, message);
  const bool has_type = members[Word::type].is_string();
  if (!has_type && message.ref.empty()) return std::nullopt;
  note(message, has_type, RefusedMessage::message_invalid);
  if (is_channel_name(members[Word::channel].text)) message.channel = members[Word::channel].text;
  if (!message.fault) message.text = text;
  return message;
}

// For nobody; worth an answer where the client can recognise that.
std::optional<ClientMessage> refused(const Members& members, RefusedMessage why) {
  BackendMessage message;
  set_ref(members, message);
  if (message.ref.empty()) return std::nullopt;
  message.fault = why;
  return message;
}

// By its JSON text. Those that are never answered.
bool is_unanswered_type(std::string_view type) {
  return type == R"("sync:ping")" || type == R"("sync:subscribe")" ||
         type == R"("sync:unsubscribe")";
}

}  // namespace

std::optional<ClientMessage> parse_client_message(std::string_view text,
                                                  std::string_view hello_type) {
  const std::size_t begin = skip_space(text, 0);
  if (begin == text.size() || text[begin] != '{') return std::nullopt;
  Members members(text);
  if (JsonWalk(kMaxNesting).visit(text, members))
    return refused(members, RefusedMessage::message_invalid);
  const std::string_view type = members[Word::type].json;
  if (type == R"("sync:hello")") return hello_of(members);
  if (type == R"("sync:publish")") return publish_of(members);
  if (type == R"("sync:token")") return token_of(members);
  if (members[Word::type].is_string() && members[Word::type].text == hello_type)
    return hello_with_info(members, members.others());
  if (!members[Word::type].text.starts_with(kOwnTypes)) return for_backend(members, text);
  if (!is_unanswered_type(type)) return refused(members, RefusedMessage::unknown_type);
  if (text.size() > kMaxUnansweredBytes) return std::nullopt;
  if (type == R"("sync:ping")") return PingMessage{};
  if (type == R"("sync:unsubscribe")") return UnsubscribeMessage{channel_of(members)};
  return SubscribeMessage{channel_of(members), wants_resume(members), position_of(members)};
}

namespace {

// A whole text message.
std::optional<ClientMessage> read_plain(std::string_view text, const Hearing& hearing) {
  if (text.size() > hearing.max_bytes) return std::nullopt;
  return parse_client_message(text, hearing.hello_type);
}

}  // namespace

bool CutMessage::add(std::string_view piece) {
  const bool was_counted = counted();
  const std::size_t size = text_.size() + piece.size();
  const bool counts = size > kMaxUnansweredBytes;
  if (lost_ || (counts && !make_room(was_counted ? piece.size() : size))) return false;
  text_.append(piece);
  if (was_counted) {
    hearing_.held += piece.size();
  } else if (counts) {
    enter();
  }
  return true;
}

// Where others do not have so much this one may be the last, and has to go itself.
bool CutMessage::make_room(std::size_t bytes) {
  while (hearing_.held + bytes > Hearing::kMaxHeldBytes) {
    CutMessage* const longest = hearing_.oldest;
    if (longest == nullptr) return false;
    longest->lose();
    if (longest == this) return false;
  }
  return true;
}

void CutMessage::lose() {
  leave();
  std::string().swap(text_);
  lost_ = true;
}

void CutMessage::enter() {
  hearing_.held += text_.size();
  older_ = std::exchange(hearing_.newest, this);
  (older_ == nullptr ? hearing_.oldest : older_->newer_) = this;
}

void CutMessage::leave() {
  if (!counted()) return;
  hearing_.held -= text_.size();
  (older_ == nullptr ? hearing_.oldest : older_->newer_) = newer_;
  (newer_ == nullptr ? hearing_.newest : newer_->older_) = older_;
}

std::optional<ClientMessage> ClientMessageReader::read_deflated(std::string_view payload,
                                                                Hearing& hearing) {
  if (hearing.clock != nullptr &&
      !inflate_rate_.allows(hearing.inflate_bounds, hearing.clock->now()))
    return UnreadableMessage{CloseCause::rate_limited};
  const std::size_t most = std::min(hearing.max_bytes, hearing.may_inflate);
  const auto text = hearing.inflater.inflate(payload, most);
  if (!text) return UnreadableMessage{text.error()};
  hearing.may_inflate -= text.value().size();
  inflate_rate_.charge(hearing.inflate_bounds, payload.size(), text.value().size());
  if (!is_valid_utf8(text.value())) return UnreadableMessage{CloseCause::invalid_utf8};
  return read_plain(text.value(), hearing);
}

std::optional<ClientMessage> ClientMessageReader::read_whole(std::string_view payload,
                                                             Coding coding, Hearing& hearing) {
  return coding == Coding::plain ? read_plain(payload, hearing) : read_deflated(payload, hearing);
}

std::optional<ClientMessage> ClientMessageReader::take(const MessagePiece& piece,
                                                       Hearing& hearing) {
  if (piece.begins) begun_.reset();
  if (piece.kind != MessageKind::text) return std::nullopt;
  if (piece.begins && piece.ends) return read_whole(piece.payload, piece.coding, hearing);
  if (piece.begins) begun_ = std::make_unique<CutMessage>(hearing);
  if (!begun_) return std::nullopt;
  if (begun_->text().size() + piece.payload.size() > hearing.max_bytes) {
    begun_.reset();
    return std::nullopt;
  }
  if (!begun_->add(piece.payload)) {
    begun_.reset();
    return UnreadableMessage{CloseCause::over_capacity};
  }
  if (!piece.ends) return std::nullopt;
  const std::unique_ptr<CutMessage> whole = std::move(begun_);
  return read_whole(whole->text(), piece.coding, hearing);
}

}  // namespace syncrelay
