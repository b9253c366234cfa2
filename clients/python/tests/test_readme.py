"""Every Python example of the README runs, in order, against a real relay."""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
from pathlib import Path
from typing import Any

import pytest
from modules import require
from real_relay import RealRelay

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
    monkeypatch.setenv("SYNCRELAY_RUNTIME_DIR", str(directory))
    for name in ("SYNCRELAY_COMMANDS", "SYNCRELAY_CONTROL"):
        monkeypatch.delenv(name, raising=False)
    for module in ("fastapi", "celery", "django", "jwt"):
        require(module)
    use_a_database()
    real.start()
    assert len(EXAMPLES) == 22
    for example in EXAMPLES:
        names: dict[str, Any] = dict(GIVEN)
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
