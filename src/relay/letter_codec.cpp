#include "syncrelay/relay/letter_codec.h"

#include <memory>
#include <variant>

namespace syncrelay {
namespace {

// As it is written, so a kind keeps its number.
enum class Kind : std::uint8_t { command = 1, expire, forget, arrive, depart, gone };

constexpr std::size_t kKindBytes = 1;
constexpr std::size_t kLengthBytes = 4;
constexpr std::size_t kTextLengthBytes = 2;

void put_number(std::string& bytes, std::uint64_t number, std::size_t size) {
  for (std::size_t index = 0; index < size; ++index)
    bytes += static_cast<char>(number >> (8 * index) & 0xff);
}

void put(std::string& bytes, std::uint64_t number) {
  put_number(bytes, number, sizeof number);
}

void put(std::string& bytes, std::string_view text) {
  put_number(bytes, text.size(), kTextLengthBytes);
  bytes += text;
}

Kind write(std::string& bytes, const Order::Commanded& commanded) {
  bytes += commanded.message;
  return Kind::command;
}

Kind write(std::string& bytes, const Expire& expire) {
  put(bytes, expire.channel);
  put(bytes, expire.key);
  put(bytes, expire.version);
  bytes += static_cast<char>(expire.told);
  return Kind::expire;
}

Kind write(std::string& bytes, const Forget& forget) {
  put(bytes, forget.channel);
  put(bytes, forget.last.value);
  bytes += static_cast<char>(forget.drop);
  return Kind::forget;
}

Kind write(std::string& bytes, const Arrive& arrive) {
  put(bytes, arrive.channel);
  put(bytes, arrive.id);
  put(bytes, *arrive.info);
  put(bytes, arrive.word.number);
  put(bytes, arrive.word.by);
  put(bytes, arrive.home);
  return Kind::arrive;
}

Kind write(std::string& bytes, const Depart& depart) {
  put(bytes, depart.channel);
  put(bytes, depart.id);
  put(bytes, depart.since);
  put(bytes, depart.home);
  return Kind::depart;
}

Kind write(std::string& bytes, const Gone& gone) {
  put(bytes, gone.relay);
  return Kind::gone;
}

// The parts of a letter, one after the other. What is not there is empty or 0, and told at the end.
class Parts {
 public:
  explicit Parts(std::string_view bytes) : bytes_(bytes) {}

  std::uint64_t number(std::size_t size = sizeof(std::uint64_t)) {
    const std::string_view taken = take(size);
    std::uint64_t number = 0;
    for (std::size_t index = 0; index < taken.size(); ++index)
      number |= static_cast<std::uint64_t>(static_cast<unsigned char>(taken[index])) << (8 * index);
    return number;
  }
  bool flag() {
    const std::uint64_t number = this->number(1);
    whole_ = whole_ && number <= 1;
    return number == 1;
  }
  std::string text() { return std::string(take(number(kTextLengthBytes))); }
  std::string_view rest() { return take(bytes_.size()); }

  // All was there, and nothing else.
  bool whole() const { return whole_ && bytes_.empty(); }

 private:
  std::string_view take(std::size_t size) {
    if (size > bytes_.size()) {
      whole_ = false;
      return {};
    }
    const std::string_view taken = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return taken;
  }

  std::string_view bytes_;
  bool whole_ = true;
};

Arrive read_arrive(Parts& parts) {
  Arrive arrive;
  arrive.channel = parts.text();
  arrive.id = parts.text();
  arrive.info = std::make_shared<const std::string>(parts.text());
  arrive.word.number = parts.number();
  arrive.word.by = parts.number();
  arrive.home = parts.number();
  return arrive;
}

// In braces, what is read first stands first. nullopt: the kind is unknown.
std::optional<Order::Letter> read(Kind kind, Parts& parts) {
  switch (kind) {
    case Kind::command:
      return Order::Commanded{parts.rest(), nullptr, kNobody};
    case Kind::expire:
      return Expire{parts.text(), parts.text(), parts.number(), parts.flag()};
    case Kind::forget:
      return Forget{parts.text(), Seq{parts.number()}, parts.flag()};
    case Kind::arrive:
      return read_arrive(parts);
    case Kind::depart:
      return Depart{parts.text(), parts.text(), parts.text(), parts.number()};
    case Kind::gone:
      return Gone{parts.number()};
  }
  return std::nullopt;
}

}  // namespace

void LetterWriter::add(const Order::Letter& letter) {
  const std::size_t begin = bytes_.size();
  bytes_.append(kKindBytes + kLengthBytes, '\0');
  const Kind kind = std::visit([this](const auto& each) { return write(bytes_, each); }, letter);
  std::string head(1, static_cast<char>(kind));
  put_number(head, bytes_.size() - begin - kKindBytes - kLengthBytes, kLengthBytes);
  bytes_.replace(begin, head.size(), head);
}

Result<std::optional<Order::Letter>, LetterFault> LetterReader::next() {
  const auto fault = [this](std::size_t offset, std::string what) {
    at_ = bytes_.size();
    return LetterFault{offset, std::move(what)};
  };
  if (at_ == 0) {
    if (bytes_.empty()) return fault(0, "no letters: not even a version");
    const auto version = static_cast<unsigned char>(bytes_[at_++]);
    if (version != kLettersVersion)
      return fault(0,
                   "letters of version " + std::to_string(version) + ", of which nothing is known");
  }
  if (at_ == bytes_.size()) return std::optional<Order::Letter>();
  const std::size_t begin = at_;
  Parts all(bytes_.substr(begin));
  const std::uint64_t kind = all.number(kKindBytes);
  const std::uint64_t length = all.number(kLengthBytes);
  const std::string_view left = all.rest();
  if (!all.whole() || length > left.size()) return fault(begin, "a letter that is cut off");
  Parts parts(left.substr(0, length));
  std::optional<Order::Letter> letter = read(static_cast<Kind>(kind), parts);
  if (!letter) return fault(begin, "a letter of the unknown kind " + std::to_string(kind));
  if (!parts.whole())
    return fault(begin, "a letter of kind " + std::to_string(kind) + " that is damaged");
  at_ = begin + kKindBytes + kLengthBytes + length;
  return letter;
}

}  // namespace syncrelay
