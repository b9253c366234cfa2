#include "syncrelay/cli/table.h"

#include <algorithm>

#include "syncrelay/cli/color.h"

namespace syncrelay {

std::string Table::text(bool color) const {
  Row titles;
  for (const Column& column : columns_) titles.push_back(column.title);
  std::string out = color::paint(line(titles), color::kBold, color) + '\n';
  for (const Row& row : rows_) out += line(row) + '\n';
  return out;
}

std::string Table::line(const Row& row) const {
  std::string out;
  for (std::size_t i = 0; i < row.size(); ++i) {
    const std::string padding(width(i) - row[i].size(), ' ');
    if (i > 0) out += "  ";
    out += columns_[i].align == Align::right ? padding + row[i] : row[i] + padding;
  }
  return out.substr(0, out.find_last_not_of(' ') + 1);
}

std::size_t Table::width(std::size_t column) const {
  std::size_t widest = columns_[column].title.size();
  for (const Row& row : rows_) widest = std::max(widest, row[column].size());
  return widest;
}

}  // namespace syncrelay
