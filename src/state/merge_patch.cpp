#include "syncrelay/state/merge_patch.h"

#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <deque>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "syncrelay/protocol/json_text.h"

namespace syncrelay {
namespace {

struct Member;

// A value in a JSON text: its bytes and, when it is an object, its members.
struct Node {
  std::string_view text;
  bool is_object = false;
  bool is_null = false;
  std::vector<Member> members;
};

struct Member {
  std::string name;            // unescaped, for comparing
  std::string_view name_text;  // as it stands, with its quotes
  Node value;
};

// Builds the Nodes of a text in one pass. Arrays and scalars stay closed: a merge patch never looks
// into them.
class TreeBuilder {
 public:
  TreeBuilder(std::string_view json, const rapidjson::MemoryStream& stream)
      : json_(json), stream_(stream) {}

  Node take_root() { return std::move(root_.front()); }

  bool Null() { return scalar(true); }
  bool Bool(bool) { return scalar(false); }
  bool Int(int) { return scalar(false); }
  bool Uint(unsigned) { return scalar(false); }
  bool Int64(std::int64_t) { return scalar(false); }
  bool Uint64(std::uint64_t) { return scalar(false); }
  bool Double(double) { return scalar(false); }
  bool RawNumber(const char*, rapidjson::SizeType, bool) { return scalar(false); }
  bool String(const char*, rapidjson::SizeType, bool) { return scalar(false); }

  bool StartArray() {
    if (arrays_++ == 0) array_begin_ = value_begin();
    return true;
  }
  bool EndArray(rapidjson::SizeType) {
    if (--arrays_ == 0)
      add({json_.substr(array_begin_, stream_.Tell() + 1 - array_begin_), false, false, {}});
    return true;
  }

  bool StartObject() {
    if (arrays_ > 0) return true;
    open_.push_back({value_begin(), {}, {}, {}});
    return true;
  }
  bool Key(const char* text, rapidjson::SizeType size, bool) {
    if (arrays_ > 0) return true;
    Open& object = open_.back();
    const std::size_t end = stream_.Tell();
    object.name.assign(text, size);
    object.name_text = json_.substr(key_begin_of(end, object), end - key_begin_of(end, object));
    object.value_begin = skip_space(json_, skip_space(json_, end) + 1);
    return true;
  }
  bool EndObject(rapidjson::SizeType) {
    if (arrays_ > 0) return true;
    Open object = std::move(open_.back());
    open_.pop_back();
    const std::size_t end = stream_.Tell() + 1;
    add({json_.substr(object.begin, end - object.begin), true, false, std::move(object.members)});
    return true;
  }

 private:
  struct Open {
    std::size_t begin;
    std::vector<Member> members;
    std::string name;
    std::string_view name_text;
    std::size_t value_begin = 0;
    std::size_t last_end = 0;
  };

  std::size_t value_begin() const {
    return open_.empty() ? skip_space(json_, 0) : open_.back().value_begin;
  }

  // A key begins at the first quote behind the bracket or the value before it.
  std::size_t key_begin_of(std::size_t end, const Open& object) const {
    const std::size_t from = object.last_end == 0 ? object.begin + 1 : object.last_end;
    const std::size_t quote = json_.find('"', from);
    return quote < end ? quote : end;
  }

  bool scalar(bool is_null) {
    if (arrays_ > 0) return true;
    const std::size_t begin = value_begin();
    add({json_.substr(begin, stream_.Tell() - begin), false, is_null, {}});
    return true;
  }

  void add(Node node) {
    if (open_.empty()) {
      root_.push_back(std::move(node));
      return;
    }
    Open& object = open_.back();
    object.last_end = static_cast<std::size_t>(node.text.data() + node.text.size() - json_.data());
    object.members.push_back({std::move(object.name), object.name_text, std::move(node)});
  }

  std::string_view json_;
  const rapidjson::MemoryStream& stream_;
  std::size_t arrays_ = 0;  // open arrays
  std::size_t array_begin_ = 0;
  std::deque<Open> open_;  // open objects outside of arrays
  std::vector<Node> root_;
};

// Parses `text`, which is `json` or `json` with_small_numbers().
std::optional<Node> parse(std::string_view json, std::string_view text) {
  rapidjson::MemoryStream stream(text.data(), text.size());
  TreeBuilder builder(json, stream);
  rapidjson::Reader reader;
  constexpr unsigned kFlags =
      rapidjson::kParseIterativeFlag | rapidjson::kParseNumbersAsStringsFlag;
  const rapidjson::ParseResult parsed = reader.Parse<kFlags>(stream, builder);
  if (parsed.Code() == rapidjson::kParseErrorNumberTooBig && text.data() == json.data()) {
    return parse(json, with_small_numbers(json));
  }
  if (parsed.IsError()) return std::nullopt;
  return builder.take_root();
}

void append_merged(std::string& out, const Node* target, const Node& patch);

class ObjectWriter {
 public:
  explicit ObjectWriter(std::string& out) : out_(out) { out_ += '{'; }
  void close() { out_ += '}'; }
  std::string& name(std::string_view text) {
    if (has_members_) out_ += ',';
    has_members_ = true;
    out_ += text;
    out_ += ':';
    return out_;
  }

 private:
  std::string& out_;
  bool has_members_ = false;
};

using Index = std::unordered_map<std::string_view, const Member*>;

// The last member of each name.
Index index_of(const Node& object) {
  Index index;
  index.reserve(object.members.size());
  for (const Member& member : object.members) index.insert_or_assign(member.name, &member);
  return index;
}

void append_merged_object(std::string& out, const Node& target, const Node& patch) {
  const Index patches = index_of(patch);
  const Index targets = index_of(target);
  ObjectWriter writer(out);
  for (const Member& member : target.members) {
    if (targets.at(member.name) != &member) continue;
    const auto found = patches.find(member.name);
    if (found == patches.end()) {
      writer.name(member.name_text) += member.value.text;
    } else if (!found->second->value.is_null) {
      append_merged(writer.name(member.name_text), &member.value, found->second->value);
    }
  }
  for (const Member& member : patch.members) {
    if (patches.at(member.name) != &member || member.value.is_null ||
        targets.count(member.name) != 0)
      continue;
    append_merged(writer.name(member.name_text), nullptr, member.value);
  }
  writer.close();
}

// MergePatch() of RFC 7396 section 2; a null target stands for one that is not there.
void append_merged(std::string& out, const Node* target, const Node& patch) {
  static const Node kEmptyObject{"{}", true, false, {}};
  if (!patch.is_object) {
    out += patch.text;
    return;
  }
  append_merged_object(out, target != nullptr && target->is_object ? *target : kEmptyObject, patch);
}

}  // namespace

std::optional<std::string> merge_patch(std::string_view target, std::string_view patch) {
  const std::optional<Node> target_root = parse(target, target);
  const std::optional<Node> patch_root = parse(patch, patch);
  if (!target_root || !patch_root) return std::nullopt;
  std::string out;
  out.reserve(target.size() + patch.size());
  append_merged(out, &*target_root, *patch_root);
  return out;
}

}  // namespace syncrelay
