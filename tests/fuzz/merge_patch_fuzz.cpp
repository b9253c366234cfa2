// libFuzzer target: two JSON texts with a zero byte between them, a target and a patch. What comes
// out is JSON, has the value that RFC 7396 gives it, and does not change when the same patch is
// applied again.

#include <rapidjson/document.h>

#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "syncrelay/channel/merge_patch.h"
#include "syncrelay/json/small_numbers.h"
#include "syncrelay/protocol/command_decoder.h"

namespace {

using namespace syncrelay;

void require(bool holds) {
  if (!holds) std::abort();
}

// Whether the decoder would let this through as a value: the precondition of merge_patch().
bool is_value(std::string_view json) {
  static CommandDecoder decoder(1 << 16);
  const std::string message = R"({"op":"set","key":"k","value":)" + std::string(json) + "}";
  const auto command = decoder.decode(message);
  return command.ok() && command.value()->op == Op::set;
}

constexpr unsigned kFlags = rapidjson::kParseIterativeFlag | rapidjson::kParseNumbersAsStringsFlag;

bool has_twins(const rapidjson::Value& value) {
  if (value.IsArray()) {
    for (const auto& element : value.GetArray()) {
      if (has_twins(element)) return true;
    }
  }
  if (!value.IsObject()) return false;
  for (const auto& member : value.GetObject()) {
    if (&value.FindMember(member.name)->value != &member.value || has_twins(member.value))
      return true;
  }
  return false;
}

void merge_into(rapidjson::Value& target, const rapidjson::Value& patch,
                rapidjson::Document& document) {
  if (!patch.IsObject()) {
    target.CopyFrom(patch, document.GetAllocator());
    return;
  }
  if (!target.IsObject()) target.SetObject();
  for (const auto& member : patch.GetObject()) {
    if (member.value.IsNull()) {
      target.RemoveMember(member.name);
    } else if (target.HasMember(member.name)) {
      merge_into(target[member.name], member.value, document);
    } else {
      rapidjson::Value added;
      merge_into(added, member.value, document);
      target.AddMember(rapidjson::Value(member.name, document.GetAllocator()), added,
                       document.GetAllocator());
    }
  }
}

// Only where no name stands twice: the RFC leaves those open.
void check_against_rfc(std::string_view target, std::string_view patch, std::string_view merged) {
  rapidjson::Document model;
  rapidjson::Document patch_document;
  rapidjson::Document merged_document;
  model.Parse<kFlags>(with_small_numbers(target).c_str());
  patch_document.Parse<kFlags>(with_small_numbers(patch).c_str());
  merged_document.Parse<kFlags>(with_small_numbers(merged).c_str());
  require(!merged_document.HasParseError());
  if (has_twins(model) || has_twins(patch_document)) return;
  merge_into(model, patch_document, model);
  require(model == merged_document);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::size_t zero = bytes.find('\0');
  if (zero == std::string_view::npos || size > 4096) return -1;
  const std::string_view target = bytes.substr(0, zero);
  const std::string_view patch = bytes.substr(zero + 1);
  const std::optional<std::string> merged = merge_patch(target, patch);
  if (!is_value(target) || !is_value(patch)) return -1;
  require(merged.has_value());
  require(is_value(*merged));
  check_against_rfc(target, patch, *merged);
  require(merge_patch(*merged, patch) == merged);
  return 0;
}
