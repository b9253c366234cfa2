"""Makes a C++ file of docs/openapi.json: embed.py INPUT OUTPUT."""

import json
import sys
from pathlib import Path

LINE = 80  # bytes of text in one line of the table


def literal(text: str) -> str:
    """The text as C++ string literals, one behind the other."""
    lines = [text[at:at + LINE] for at in range(0, len(text), LINE)]
    return "\n".join(f"    {json.dumps(line)}" for line in lines)


def main() -> None:
    document = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    text = json.dumps(document, separators=(",", ":"))  # ASCII only
    Path(sys.argv[2]).write_text(f"""#include "syncrelay/door/openapi.h"

namespace syncrelay {{
namespace {{

constexpr char kText[] =
{literal(text)};

}}  // namespace

std::string_view openapi_text() {{
  return {{kText, sizeof kText - 1}};
}}

}}  // namespace syncrelay
""", encoding="utf-8")


if __name__ == "__main__":
    main()
