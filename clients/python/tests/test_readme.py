"""Every Python example of the README runs, in order, against a real relay."""

from __future__ import annotations

import ast
import asyncio
import inspect
import json
import re
from pathlib import Path
from typing import Any

import pytest
from modules import require
from real_relay import BINARY, RealRelay

from syncrelay import Relay

README = (Path(__file__).parent.parent / "README.md").read_text()
EXAMPLES = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
GIVEN = {"pair": [1, 2], "prefetched": None, "now_playing": {"track": 7}}  # what examples take from a backend


def use_a_database() -> None:
    from django.conf import settings

    if not settings.configured:
        settings.configure(DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}})


def test_every_example_runs(
    directory: Path, real: RealRelay, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SYNCRELAY_BINARY", str(BINARY.resolve()))
    for name in ("SYNCRELAY_COMMANDS", "SYNCRELAY_CONTROL"):
        monkeypatch.delenv(name, raising=False)
    for module in ("fastapi", "celery", "django", "jwt"):
        require(module)
    use_a_database()
    real.start()
    assert len(EXAMPLES) == 25
    for example in EXAMPLES:
        names: dict[str, Any] = dict(GIVEN)
        # A relay that an example starts is another one.
        monkeypatch.setenv("SYNCRELAY_RUNTIME_DIR", str(directory / "run" if "syncrelay.run(" in example else directory))
        result = eval(compile(example, "README.md", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), names)
        if inspect.iscoroutine(result):
            asyncio.run(result)
        if "sync_manager" in names:
            names["sync_manager"]._devices.end_grace()
            names["sync_manager"].relay.close()
            names["sync_manager"]._slot.clear()
        for relay in [value for value in names.values() if isinstance(value, Relay)]:
            relay.close()
    lines = capsys.readouterr().out.splitlines()
    expected = [
        r"\d [0-9a-f]{16}",  # the example before may still be on its way, over another socket
        r"None \[\] \d",
        r"\{'topic': 'Harbours'\} \[\]",
        r"room:42 3 0 1 15",
        r"room:43 1 0 0 0",
        r"\[9, \d+, \d+\]",
        r"\d+",
    ]
    assert len(lines) == len(expected), lines
    for line, pattern in zip(lines, expected):
        assert re.fullmatch(pattern, line), (line, pattern)


async def answer_of(
    app: Any, method: str, path: str, query: str = "", cookie: str = ""
) -> tuple[int, dict[str, str], bytes]:
    said: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    async def send(message: dict[str, Any]) -> None:
        said.append(message)

    scope = {
        "type": "http", "http_version": "1.1", "method": method, "path": path, "query_string": query.encode(),
        "headers": [(b"cookie", cookie.encode())] if cookie else [],
    }  # fmt: skip
    await app(scope, receive, send)
    headers = {name.decode(): value.decode() for name, value in said[0]["headers"]}
    return said[0]["status"], headers, b"".join(message.get("body", b"") for message in said)


async def first_messages(port: int, token: str) -> list[Any]:
    import websockets

    url = f"ws://127.0.0.1:{port}/ws/sync"
    async with websockets.connect(url, extra_headers={"Authorization": f"Bearer {token}"}) as client:
        return [json.loads(await asyncio.wait_for(client.recv(), 10)) for _ in range(2)]


def test_who_has_signed_in_gets_a_token_that_the_relay_takes(
    directory: Path, real: RealRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("fastapi", "jwt", "websockets"):
        require(module)
    monkeypatch.chdir(directory)
    (directory / "token.key").write_text("0123456789abcdef" * 4 + "\n")
    real.options = ("--token-key", "token.key")
    real.start()
    [example] = [example for example in EXAMPLES if "/sign-in" in example]
    names: dict[str, Any] = {}
    exec(example, names)
    app = names["app"]
    assert asyncio.run(answer_of(app, "GET", "/relay-token", cookie="session=x"))[0] == 401
    _, headers, _ = asyncio.run(answer_of(app, "POST", "/sign-in", "name=ada"))
    status, _, body = asyncio.run(answer_of(app, "GET", "/relay-token", cookie=headers["set-cookie"].partition(";")[0]))
    assert status == 200
    told = asyncio.run(first_messages(real.port, json.loads(body)))
    assert {message.get("channel", "") for message in told} == {"", "@ada"}
