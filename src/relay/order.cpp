#include "syncrelay/relay/order.h"

#include <utility>

namespace syncrelay {

std::optional<Order::Ordered> LocalOrder::next() {
  if (!waiting_) return std::nullopt;
  Ordered ordered{clock_.wall(), *std::move(waiting_)};
  waiting_.reset();
  return ordered;
}

}  // namespace syncrelay
