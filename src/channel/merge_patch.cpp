#include "syncrelay/channel/merge_patch.h"

#include <deque>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "syncrelay/json/json_walk.h"

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

// Builds the Nodes of a text in one walk. Arrays and scalars stay closed: a merge patch never looks
// into them.
class TreeBuilder final : public JsonVisitor {
 public:
  explicit TreeBuilder(std::string_view json) : json_(json) {}

  Node take_root() { return std::move(root_); }

  void begin() override {
    open_.clear();
    array_.reset();
  }
  bool name(const JsonToken& token) override {
    open_.back().name = token.content;
    open_.back().name_text = json_.substr(token.begin, token.end - token.begin);
    return true;
  }
  bool scalar(JsonKind kind, const JsonToken& token) override {
    add({text(token.begin, token.end), false, kind == JsonKind::null, {}});
    return true;
  }
  Step open(JsonKind kind, std::size_t begin) override {
    if (kind == JsonKind::array) {
      array_ = begin;
      return Step::over;
    }
    open_.push_back({begin, {}, {}, {}});
    return Step::into;
  }
  bool close(std::size_t end) override {
    if (array_) {
      add({text(*array_, end), false, false, {}});
      array_.reset();
      return true;
    }
    Open object = std::move(open_.back());
    open_.pop_back();
    add({text(object.begin, end), true, false, std::move(object.members)});
    return true;
  }

 private:
  struct Open {
    std::size_t begin;
    std::vector<Member> members;
    std::string name;
    std::string_view name_text;
  };

  std::string_view text(std::size_t begin, std::size_t end) const {
    return json_.substr(begin, end - begin);
  }

  void add(Node node) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& object = open_.back();
    object.members.push_back({std::move(object.name), object.name_text, std::move(node)});
  }

  const std::string_view json_;
  std::optional<std::size_t> array_;  // where the open array begins
  std::deque<Open> open_;             // open objects
  Node root_;
};

std::optional<Node> parse(std::string_view json, JsonWalk& walk) {
  TreeBuilder builder(json);
  if (walk.visit(json, builder)) return std::nullopt;
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
  JsonWalk walk;
  const std::optional<Node> target_root = parse(target, walk);
  const std::optional<Node> patch_root = parse(patch, walk);
  if (!target_root || !patch_root) return std::nullopt;
  std::string out;
  out.reserve(target.size() + patch.size());
  append_merged(out, &*target_root, *patch_root);
  return out;
}

}  // namespace syncrelay
