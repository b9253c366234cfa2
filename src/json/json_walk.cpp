#include "syncrelay/json/json_walk.h"

#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>

#include "syncrelay/json/json_text.h"
#include "syncrelay/json/small_numbers.h"

namespace syncrelay {
namespace {

using Kind = JsonFault::Kind;
using Step = JsonVisitor::Step;

constexpr char kNotANumber[] = "NaN and Infinity are not JSON";
constexpr char kNotUtf8[] = "a string is not UTF-8";
constexpr char kLoneSurrogate[] = "a \\u escape is half of a surrogate pair";
constexpr char kTrailing[] = "something follows the value";

// RapidJSON's UTF-8 encoder makes these bytes of a lone \uDC00; releases before 2017 accept it.
bool has_surrogate(std::string_view text) {
  for (std::size_t at = text.find('\xED'); at != std::string_view::npos;
       at = text.find('\xED', at + 1)) {
    if (at + 1 < text.size() && static_cast<unsigned char>(text[at + 1]) >= 0xA0) return true;
  }
  return false;
}

// Whether the escape at `at`, if there is one, is a surrogate of the half that these letters begin.
bool is_surrogate_escape(std::string_view text, std::size_t at, std::string_view letters) {
  const std::string_view escape = text.substr(at, 6);
  return escape.size() == 6 && escape[0] == '\\' && escape[1] == 'u' &&
         (escape[2] == 'd' || escape[2] == 'D') &&
         letters.find(escape[3]) != std::string_view::npos;
}

// Where the last low surrogate without a high one stands in the string that ends at `end`, given
// that there is one.
std::size_t lone_surrogate_before(std::string_view text, std::size_t end) {
  for (std::size_t at = std::min(end, text.size()); at-- > 0;) {
    if (!is_surrogate_escape(text, at, "cdefCDEF")) continue;
    if (at < 6 || !is_surrogate_escape(text, at - 6, "89abAB")) return at;
  }
  return end;
}

// Hears the events of RapidJSON's iterative parser, finds out where what they tell of begins and
// ends, and passes on what the visitor wants to know. The parser calls Start… and End… before it
// takes the bracket, hence the +1 there.
class Handler {
 public:
  Handler(std::string_view text, const rapidjson::MemoryStream& stream, JsonVisitor& visitor,
          std::size_t max_depth)
      : text_(text),
        has_escapes_(text.find('\\') != std::string_view::npos),
        stream_(stream),
        visitor_(visitor),
        max_depth_(max_depth) {}

  std::optional<JsonFault>& fault() { return fault_; }

  // RapidJSON's handler interface.
  bool Null() { return scalar(JsonKind::null, {}); }
  bool Bool(bool) { return scalar(JsonKind::boolean, {}); }
  bool Int(int) { return scalar(JsonKind::number, {}); }
  bool Uint(unsigned) { return scalar(JsonKind::number, {}); }
  bool Int64(std::int64_t) { return scalar(JsonKind::number, {}); }
  bool Uint64(std::uint64_t) { return scalar(JsonKind::number, {}); }
  bool Double(double) { return scalar(JsonKind::number, {}); }
  bool RawNumber(const char*, rapidjson::SizeType, bool) { return scalar(JsonKind::number, {}); }
  bool String(const char* text, rapidjson::SizeType size, bool) {
    const std::string_view content(text, size);
    if (has_escapes_ && has_surrogate(content)) return fail_surrogate();
    return scalar(JsonKind::string, content);
  }
  bool Key(const char* text, rapidjson::SizeType size, bool) {
    const std::string_view content(text, size);
    if (has_escapes_ && has_surrogate(content)) return fail_surrogate();
    return over_ != 0 || go_on(visitor_.name(take(content)));
  }
  bool StartObject() { return open(JsonKind::object); }
  bool StartArray() { return open(JsonKind::array); }
  bool EndObject(rapidjson::SizeType) { return close(); }
  bool EndArray(rapidjson::SizeType) { return close(); }

 private:
  std::size_t position() const { return stream_.Tell(); }

  // The token that has just been read: since the last one there was nothing but space and one
  // separator at most.
  JsonToken take(std::string_view content) {
    std::size_t begin = skip_space(text_, last_);
    if (text_[begin] == ',' || text_[begin] == ':') begin = skip_space(text_, begin + 1);
    last_ = position();
    return {begin, last_, content};
  }

  bool scalar(JsonKind kind, std::string_view content) {
    return over_ != 0 || go_on(visitor_.scalar(kind, take(content)));
  }

  bool open(JsonKind kind) {
    if (over_ == 0) {
      const Step step = visitor_.open(kind, position());
      if (step == Step::stop) return go_on(false);
      last_ = position() + 1;
      if (step == Step::over) over_ = depth_ + 1;
    }
    if (depth_ == max_depth_) {
      return fail({Kind::too_deep, position(),
                   "nested deeper than " + std::to_string(max_depth_) + " levels"});
    }
    ++depth_;
    return true;
  }

  bool close() {
    --depth_;
    if (depth_ < over_) over_ = 0;
    if (over_ != 0) return true;
    last_ = position() + 1;
    return go_on(visitor_.close(last_));
  }

  bool go_on(bool wanted) { return wanted || fail({Kind::stopped, position(), {}}); }

  bool fail_surrogate() {
    return fail({Kind::lone_surrogate, lone_surrogate_before(text_, position()), kLoneSurrogate});
  }

  bool fail(JsonFault fault) {
    fault_ = std::move(fault);
    return false;
  }

  const std::string_view text_;
  const bool has_escapes_;  // without them there is no surrogate
  const rapidjson::MemoryStream& stream_;
  JsonVisitor& visitor_;
  const std::size_t max_depth_;
  std::size_t depth_ = 0;
  std::size_t over_ = 0;  // the depth within what the visitor passes over; 0: it does not
  std::size_t last_ = 0;  // behind the last thing that the visitor was told of
  std::optional<JsonFault> fault_;
};

// The parser's error in our terms. The text is looked at because RapidJSON calls NaN just an
// invalid value.
JsonFault translate(const rapidjson::ParseResult& result, std::string_view text) {
  const std::size_t offset = result.Offset();
  const std::string_view rest = text.substr(std::min(offset, text.size()));
  const std::string_view before = text.substr(0, std::min(offset, text.size()));
  if (rest.starts_with("NaN") || rest.starts_with("Infinity")) {
    const std::size_t sign = before.ends_with('-') ? 1 : 0;
    return {Kind::not_a_number, offset - sign, kNotANumber};
  }
  switch (result.Code()) {
    case rapidjson::kParseErrorStringInvalidEncoding:
      return {Kind::not_utf8, offset, kNotUtf8};
    case rapidjson::kParseErrorStringUnicodeSurrogateInvalid:
      return {Kind::lone_surrogate, offset, kLoneSurrogate};
    case rapidjson::kParseErrorDocumentRootNotSingular:
      return {Kind::trailing, offset, kTrailing};
    default:
      return {Kind::syntax, offset, rapidjson::GetParseError_En(result.Code())};
  }
}

// Whether this byte stands in a string for itself, and is a character.
constexpr bool is_plain(char c) {
  return static_cast<unsigned char>(c) >= 0x20 && static_cast<unsigned char>(c) < 0x80 &&
         c != '"' && c != '\\';
}

constexpr std::array<bool, 256> kPlain = [] {
  std::array<bool, 256> plain{};
  for (std::size_t byte = 0; byte < plain.size(); ++byte)
    plain[byte] = is_plain(static_cast<char>(byte));
  return plain;
}();

// UTF-8 of which runs of plain ASCII are taken at once; RapidJSON's own goes byte by byte.
struct Utf8 : rapidjson::UTF8<> {
  // Takes at least one character; false when it is none. The second form is for parsing in place,
  // which a MemoryStream is not made for.
  template <typename Output>
  requires requires(Output& output) { output.Push(1); }
  static bool Validate(rapidjson::MemoryStream& input, Output& output) {
    const char* at = input.src_;
    const char* const end = input.end_;
    if (static_cast<signed char>(*at) < 0) return UTF8::Validate(input, output);
    do ++at;
    while (at != end && kPlain[static_cast<unsigned char>(*at)]);
    const auto size = static_cast<std::size_t>(at - input.src_);
    std::memcpy(output.Push(static_cast<rapidjson::SizeType>(size)), input.src_, size);
    input.src_ = at;
    return true;
  }
  static bool Validate(rapidjson::MemoryStream&, rapidjson::MemoryStream&) { return false; }
};

using Reader = rapidjson::GenericReader<Utf8, Utf8>;

constexpr unsigned kFlags = rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag |
                            rapidjson::kParseNumbersAsStringsFlag;

}  // namespace

struct JsonWalk::Parser {
  // Parses `parsed`, which is the text or the text with_small_numbers().
  std::optional<JsonFault> visit(std::string_view text, std::string_view parsed,
                                 JsonVisitor& visitor);

  std::size_t max_depth;
  Reader reader;
};

std::optional<JsonFault> JsonWalk::Parser::visit(std::string_view text, std::string_view parsed,
                                                 JsonVisitor& visitor) {
  rapidjson::MemoryStream stream(parsed.data(), parsed.size());
  Handler handler(text, stream, visitor, max_depth);
  visitor.begin();
  const rapidjson::ParseResult result = reader.Parse<kFlags>(stream, handler);
  if (handler.fault()) return std::move(handler.fault());
  if (result.Code() == rapidjson::kParseErrorNumberTooBig && parsed.data() == text.data())
    return visit(text, with_small_numbers(text), visitor);
  if (result.IsError()) return translate(result, text);
  // A NUL byte ends the text for RapidJSON.
  if (stream.Tell() < text.size()) return JsonFault{Kind::trailing, stream.Tell(), kTrailing};
  return std::nullopt;
}

JsonWalk::JsonWalk(std::size_t max_depth) : parser_(std::make_unique<Parser>()) {
  parser_->max_depth = max_depth;
}

JsonWalk::~JsonWalk() = default;

std::optional<JsonFault> JsonWalk::visit(std::string_view text, JsonVisitor& visitor) {
  return parser_->visit(text, text, visitor);
}

}  // namespace syncrelay
