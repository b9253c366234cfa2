#include "syncrelay/json/json_parts.h"

#include <cstddef>

#include "syncrelay/json/json_walk.h"

namespace syncrelay {
namespace {

using Step = JsonVisitor::Step;

// Wants to know nothing but whether it is JSON.
class Nobody final : public JsonVisitor {
 public:
  void begin() override {}
  bool name(const JsonToken&) override { return true; }
  bool scalar(JsonKind, const JsonToken&) override { return true; }
  Step open(JsonKind, std::size_t) override { return Step::over; }
  bool close(std::size_t) override { return true; }
};

// Collects the parts of the outermost value, up to the one of the name that is wanted, if any.
class Parts final : public JsonVisitor {
 public:
  explicit Parts(std::string_view json, std::optional<std::string_view> wanted = std::nullopt)
      : json_(json), wanted_(wanted) {}

  std::vector<JsonPart>& found() { return found_; }

  void begin() override {
    found_.clear();
    name_ = {};
    depth_ = 0;
  }
  bool name(const JsonToken& token) override {
    name_ = without_quotes(json_.substr(token.begin, token.end - token.begin));
    return true;
  }
  bool scalar(JsonKind, const JsonToken& token) override {
    return depth_ == 0 || add(token.begin, token.end);
  }
  Step open(JsonKind, std::size_t begin) override {
    begin_ = begin;
    return depth_++ == 0 ? Step::into : Step::over;
  }
  bool close(std::size_t end) override { return --depth_ == 0 || add(begin_, end); }

 private:
  bool add(std::size_t begin, std::size_t end) {
    found_.push_back({name_, json_.substr(begin, end - begin)});
    return !wanted_ || name_ != *wanted_;
  }

  const std::string_view json_;
  const std::optional<std::string_view> wanted_;
  std::vector<JsonPart> found_;
  std::string_view name_;
  std::size_t begin_ = 0;
  std::size_t depth_ = 0;
};

class Content final : public JsonVisitor {
 public:
  const std::string& text() const { return text_; }

  void begin() override { text_.clear(); }
  bool name(const JsonToken&) override { return false; }
  bool scalar(JsonKind, const JsonToken& token) override {
    text_ = token.content;
    return true;
  }
  Step open(JsonKind, std::size_t) override { return Step::stop; }
  bool close(std::size_t) override { return false; }

 private:
  std::string text_;
};

}  // namespace

std::optional<JsonFault> json_fault(std::string_view text) {
  Nobody nobody;
  return JsonWalk().visit(text, nobody);
}

std::vector<JsonPart> json_parts(std::string_view json) {
  Parts parts(json);
  JsonWalk().visit(json, parts);
  return std::move(parts.found());
}

std::string_view json_member(std::string_view json, std::string_view name) {
  Parts parts(json, name);
  JsonWalk().visit(json, parts);
  const bool found = !parts.found().empty() && parts.found().back().name == name;
  return found ? parts.found().back().value : std::string_view();
}

std::string_view without_quotes(std::string_view value) {
  const bool quoted = value.size() >= 2 && value.front() == '"' && value.back() == '"';
  return quoted ? value.substr(1, value.size() - 2) : value;
}

std::string decoded_json_string(std::string_view value) {
  Content content;
  return JsonWalk().visit(value, content) ? std::string() : content.text();
}

}  // namespace syncrelay
