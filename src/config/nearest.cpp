#include "syncrelay/config/nearest.h"

#include <algorithm>
#include <cstddef>
#include <limits>

namespace syncrelay::config {
namespace {

constexpr std::size_t kMaxWord = 40;  // longer than any name there is

using Row = std::vector<std::size_t>;

// The distance table's next row from the two before it (`older` is used for swaps only).
Row next_row(std::string_view a, std::string_view b, std::size_t i, const Row& older,
             const Row& old) {
  Row row(b.size() + 1);
  row[0] = i;
  for (std::size_t j = 1; j <= b.size(); ++j) {
    const std::size_t replace = old[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
    row[j] = std::min({replace, old[j] + 1, row[j - 1] + 1});
    const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
    if (swapped) row[j] = std::min(row[j], older[j - 2] + 1);
  }
  return row;
}

std::size_t distance(std::string_view a, std::string_view b) {
  Row older;
  Row old(b.size() + 1);
  for (std::size_t j = 0; j < old.size(); ++j) old[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    Row row = next_row(a, b, i, older, old);
    older = std::move(old);
    old = std::move(row);
  }
  return old.back();
}

}  // namespace

std::string_view nearest(std::string_view word, const std::vector<std::string_view>& candidates) {
  std::string_view best;
  std::size_t least = std::numeric_limits<std::size_t>::max();
  word = word.substr(0, kMaxWord);
  for (const std::string_view candidate : candidates) {
    // The lengths alone tell how many steps there are at least.
    const std::size_t longer = std::max(word.size(), candidate.size());
    if (longer - std::min(word.size(), candidate.size()) >= least) continue;
    const std::size_t steps = distance(word, candidate);
    if (steps >= least) continue;
    least = steps;
    best = candidate;
  }
  return best;
}

std::string_view near(std::string_view word, const std::vector<std::string_view>& candidates) {
  const std::string_view best = nearest(word, candidates);
  word = word.substr(0, kMaxWord);
  return 2 * distance(word, best) <= word.size() ? best : std::string_view();
}

}  // namespace syncrelay::config
