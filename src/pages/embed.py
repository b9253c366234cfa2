"""Turns the files of the pages into C++: embed.py OUTPUT LIST SOURCE PATH [SOURCE PATH …] [LIST …].

LIST is the name of a function of embedded_files.h with a colon behind it; the files that follow are its table. PATH is where a
file lies in the URL; with a plus in front pages of other origins may load it, too.
"""

import gzip
import hashlib
import sys
from pathlib import Path

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
BYTES_OF_LINE = 96
HEAD = """// Made by src/pages/embed.py. Do not edit.
#include "syncrelay/ws/embedded_files.h"

namespace syncrelay {
namespace {

using namespace std::string_view_literals;

"""


def literal(data: bytes) -> str:
    """String literals, each a line: what is not plain is an octal escape of three digits, which nothing behind can lengthen."""
    plain = set(range(0x20, 0x7F)) - set(b'"\\?')
    lines = [data[at:at + BYTES_OF_LINE] for at in range(0, len(data), BYTES_OF_LINE)] or [b""]
    return "\n".join('    "' + "".join(chr(b) if b in plain else f"\\{b:03o}" for b in line) + '"' for line in lines)


def constant(name: str, data: bytes) -> str:
    return f"constexpr char {name}[] =\n{literal(data)};\n"


def table(name: str) -> str:
    """The constant's name: kFirstPageFiles for first_page_files."""
    return "k" + "".join(word.title() for word in name.split("_"))


def entry(number: int, source: Path, path: str) -> tuple[str, str]:
    """What has to stand before the table, and the file's row in it."""
    data = source.read_bytes()
    small = gzip.compress(data, 9, mtime=0)
    etag = f'W/\\"{hashlib.sha256(data).hexdigest()[:16]}\\"'
    shared = "true" if path.startswith("+") else "false"
    texts = constant(f"kText{number}", data) + constant(f"kSmall{number}", small)
    row = (f'    {{"{path.lstrip("+")}"sv, "{TYPES[source.suffix]}"sv, {{kText{number}, {len(data)}}}, '
           f'{{kSmall{number}, {len(small)}}}, "{etag}"sv, {shared}}},\n')
    return texts, row


def main(output: str, *words: str) -> None:
    tables: dict[str, list[str]] = {}
    texts, rows = [], []
    arguments = iter(words)
    for number, word in enumerate(arguments):
        if word.endswith(":"):
            rows = tables.setdefault(word[:-1], [])
            continue
        text, row = entry(number, Path(word), next(arguments))
        texts.append(text)
        rows.append(row)
    parts = [HEAD, *texts]
    parts += [f"\nconstexpr EmbeddedFile {table(name)}[] = {{\n{''.join(rows)}}};\n" for name, rows in tables.items()]
    parts.append("\n}  // namespace\n\n")
    parts += [f"std::span<const EmbeddedFile> {name}() {{\n  return {table(name)};\n}}\n\n" for name in tables]
    Path(output).write_text("".join(parts) + "}  // namespace syncrelay\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
