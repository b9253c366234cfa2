#include "syncrelay/cli/json_scanner.h"

#include <rapidjson/document.h>
#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <algorithm>

#include "syncrelay/protocol/json_text.h"

namespace syncrelay {
namespace {

using Kind = JsonToken::Kind;

// With both quotes. Precondition: begins with one.
std::size_t string_length(std::string_view text) {
  std::size_t at = 1;
  while (at < text.size() && text[at] != '"') at += text[at] == '\\' ? 2 : 1;
  return std::min(at + 1, text.size());
}

std::size_t scalar_length(std::string_view text) {
  const std::size_t end = text.find_first_of(",:]}\"[{ \t\r\n");
  return std::max<std::size_t>(1, std::min(end, text.size()));
}

Kind kind_of(char c) {
  switch (c) {
    case '{':
    case '[':
      return Kind::begin;
    case '}':
    case ']':
      return Kind::end;
    case ':':
      return Kind::colon;
    case ',':
      return Kind::comma;
    case '"':
      return Kind::string;
    default:
      return c == '-' || (c >= '0' && c <= '9') ? Kind::number : Kind::word;
  }
}

std::size_t length(Kind kind, std::string_view text) {
  if (kind == Kind::string) return string_length(text);
  return kind == Kind::number || kind == Kind::word ? scalar_length(text) : 1;
}

// From the beginning of one token to the end of another.
std::string_view span_of(std::string_view from, std::string_view to) {
  return {from.data(), static_cast<std::size_t>(to.data() + to.size() - from.data())};
}

// The whole value that begins with `first`.
std::string_view value_from(const JsonToken& first, JsonScanner& scanner) {
  JsonToken token = first;
  for (int depth = token.kind == Kind::begin ? 1 : 0; depth > 0;) {
    token = scanner.next();
    if (token.kind == Kind::none) return {};
    if (token.kind == Kind::begin) ++depth;
    if (token.kind == Kind::end) --depth;
  }
  return span_of(first.text, token.text);
}

}  // namespace

JsonToken JsonScanner::next() {
  rest_.remove_prefix(skip_space(rest_, 0));
  if (rest_.empty()) return {};
  const Kind kind = kind_of(rest_.front());
  const std::string_view text = rest_.substr(0, length(kind, rest_));
  rest_.remove_prefix(text.size());
  return {kind, text};
}

std::optional<JsonFault> json_fault(std::string_view text) {
  constexpr unsigned kFlags = rapidjson::kParseIterativeFlag |
                              rapidjson::kParseValidateEncodingFlag |
                              rapidjson::kParseNumbersAsStringsFlag;
  rapidjson::MemoryStream stream(text.data(), text.size());
  rapidjson::BaseReaderHandler<> ignore;
  rapidjson::Reader reader;
  const rapidjson::ParseResult result = reader.Parse<kFlags>(stream, ignore);
  if (!result.IsError()) return std::nullopt;
  return JsonFault{result.Offset(), rapidjson::GetParseError_En(result.Code())};
}

std::vector<JsonPart> json_parts(std::string_view json) {
  std::vector<JsonPart> parts;
  JsonScanner scanner(json);
  const JsonToken begin = scanner.next();
  if (begin.kind != Kind::begin) return parts;
  for (JsonToken token = scanner.next(); token.kind != Kind::end && token.kind != Kind::none;
       token = scanner.next()) {
    if (token.kind == Kind::comma) continue;
    JsonPart part;
    if (begin.text == "{") {
      part.name = without_quotes(token.text);
      scanner.next();  // the colon
      token = scanner.next();
    }
    part.value = value_from(token, scanner);
    parts.push_back(part);
  }
  return parts;
}

std::string_view json_member(std::string_view json, std::string_view name) {
  for (const JsonPart& part : json_parts(json)) {
    if (part.name == name) return part.value;
  }
  return {};
}

std::string_view without_quotes(std::string_view value) {
  const bool quoted = value.size() >= 2 && value.front() == '"' && value.back() == '"';
  return quoted ? value.substr(1, value.size() - 2) : value;
}

std::string decoded_json_string(std::string_view value) {
  rapidjson::Document document;
  document.Parse<rapidjson::kParseIterativeFlag>(value.data(), value.size());
  if (document.HasParseError() || !document.IsString()) return {};
  return {document.GetString(), document.GetStringLength()};
}

}  // namespace syncrelay
