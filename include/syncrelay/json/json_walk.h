#pragma once

#include <cstddef>
#include <limits>
#include <memory>
#include <optional>
#include <string_view>

#include "syncrelay/json/json_fault.h"
#include "syncrelay/json/json_visitor.h"

namespace syncrelay {

// The one way in which JSON is read here: tells a visitor where the parts of a text lie, and checks
// the text on its way (RFC 8259, UTF-8, whole surrogate pairs). Numbers are text and may be larger
// than any double. Nesting costs no stack. Keeps its buffers from one walk to the next; one thread
// at a time.
class JsonWalk {
 public:
  static constexpr std::size_t kAnyDepth = std::numeric_limits<std::size_t>::max();

  // Objects and arrays nested deeper than `max_depth` are a fault.
  explicit JsonWalk(std::size_t max_depth = kAnyDepth);
  ~JsonWalk();
  JsonWalk(const JsonWalk&) = delete;
  JsonWalk& operator=(const JsonWalk&) = delete;

  // Nothing when the text is one JSON value and the visitor has heard all of it.
  std::optional<JsonFault> visit(std::string_view text, JsonVisitor& visitor);

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
};

}  // namespace syncrelay
