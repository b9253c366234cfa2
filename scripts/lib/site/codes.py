"""The page of close codes and reasons, from the tables of the code; what a line of docs/protocol.md says of a name is
told with it."""

from __future__ import annotations

import re
from pathlib import Path

HEADERS = "include/syncrelay"
ROW = re.compile(r"^\s*\| ((?:`\w+`(?:, )?)+) \| (.*?) \|$", re.MULTILINE)  # of names that have it in common, perhaps


def page(root: Path, generated: str) -> str:
    rows = ROW.findall((root / "docs/protocol.md").read_text())
    said = {name: text for names, text in rows for name in re.findall(r"\w+", names)}
    header = {name: (root / HEADERS / name).read_text() for name in (
        "protocol/close_cause.h", "protocol/refused_message.h", "protocol/refused_subscription.h",
        "protocol/rejection.h", "metrics/stats.h")}
    parts = [
        "# Codes\n", generated.format("the tables in `include/syncrelay`"),
        "\nWhat they mean for who gets them: [wire contract](../protocol.md).\n",
        "## Ends of connections\n",
        "The label `cause` of the metrics and of the log, and the WebSocket close code that goes with it (1005 and 1006 are "
        "never on the wire).\n",
        _table(("cause", "close code", ""), _close_causes(header["protocol/close_cause.h"])),
        "\n## Refused commands\n", "Of backends: the `code` of an answer, `CommandRejected.code` in Python.\n",
        _table(("code", ""), _rejections(header["protocol/rejection.h"], said)),
        "\n## Refused messages of clients\n", "The `code` of a `sync:error`.\n",
        _table(("code", ""), _named(header["protocol/refused_message.h"], "RefusedMessage")),
        "\n## Refused channels\n", "The `code` of a `sync:refused`.\n",
        _table(("code", ""), _named(header["protocol/refused_subscription.h"], "RefusedSubscription")),
        "\n## Refused connections\n", "The label `reason` of `syncrelay_clients_refused_total`.\n",
        _table(("reason",), [(f"`{name}`",) for name in _names(header["metrics/stats.h"], "kRefusalReasonNames")]),
    ]
    return "\n".join(parts) + "\n"


def _table(titles: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    assert rows, f"no rows of {titles}: has the table in the code another form?"
    lines = [titles, tuple("---" for _ in titles), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _enum(text: str, name: str) -> dict[str, tuple[str, str]]:
    """{member: (value, comment)}; a comment may go on in the lines below."""
    [body] = re.findall(rf"enum class {name} .*?\{{(.*?)\n\}};", text, re.DOTALL)
    body = re.sub(r"\n\s*//", "", body)
    return {member: (value, comment.strip().replace("|", "\\|"))
            for member, value, comment in re.findall(r"^\s*(\w+)(?: = (\d+))?,? *(?://(.*))?$", body, re.MULTILINE)}


def _names(text: str, table: str) -> list[str]:
    [body] = re.findall(rf"{table} = \{{(.*?)\}};", text, re.DOTALL)
    return re.findall(r'"(\w+)"', body)


def _close_causes(text: str) -> list[tuple[str, ...]]:
    comments, values = _enum(text, "CloseCause"), _enum(text, "CloseCode")
    rows = re.findall(r'\{CloseCause::(\w+),\s*"(\w+)",\s*CloseCode::(\w+)\}', text)
    return [(f"`{name}`", values[code][0], _options(comments[cause][1])) for cause, name, code in rows]


def _rejections(text: str, said: dict[str, str]) -> list[tuple[str, ...]]:
    comments = _enum(text, "RejectReason")
    return [(f"`{name}`", said.get(name) or _options(comments.get(name, ("", ""))[1]))
            for name in _names(text, "kRejectReasonNames")]


def _named(text: str, enum: str) -> list[tuple[str, ...]]:
    rows = re.findall(rf'\{{{enum}::\w+,\s*"(\w+)",\s*((?:"[^"]*"\s*)+)\}}', text)
    return [(f"`{name}`", _options("".join(re.findall(r'"([^"]*)"', said)))) for name, said in rows]


def _options(text: str) -> str:
    return re.sub(r"(--[a-z][a-z-]*[a-z])", r"`\1`", text)
