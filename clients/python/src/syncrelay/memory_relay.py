"""The relay's rules for commands and queries, in memory."""

from __future__ import annotations

import secrets
import time
from typing import Any, Iterable

from .answer import Client
from .merge_patch import merge_patch


class MemoryRelay:
    """Not thread-safe. Takes commands that CommandEncoder made, so it does not check them again."""

    def __init__(self, state_keys: Iterable[str]) -> None:
        self._configured = frozenset(state_keys)
        self.commands: list[dict[str, Any]] = []
        self.events: list[dict[str, Any]] = []
        self.clients: list[Client] = []
        self.restart()

    def restart(self) -> None:
        """As without ``--data``. What was recorded for the test stays."""
        self.epoch = secrets.token_hex(8)
        self.seq = 0
        self.state: dict[str, Any] = dict.fromkeys(sorted(self._configured))
        self._answered: dict[str, int] = {}  # by id; the position

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        op = request["op"]
        if op == "state":
            return self._accepted(state=self._part_of_state(request.get("key")))
        if op == "clients":
            return {**self._accepted(), "clients": [vars(client) for client in self.clients]}
        if op == "stats":
            return self._accepted(stats={"commands": len(self.commands), "events": len(self.events)})
        return self._take(request)

    def _take(self, command: dict[str, Any]) -> dict[str, Any]:
        id = command.pop("id", None)
        if id in self._answered:
            return {**self._accepted(duplicate=True), "seq": self._answered[id]}
        self.commands.append(command)
        self._apply(command)
        if id is not None:
            self._answered[id] = self.seq
        return self._accepted()

    def _apply(self, command: dict[str, Any]) -> None:
        op, key, value = command["op"], command.get("key", ""), command.get("value")
        event: dict[str, Any] = {"type": f"sync:{op}", "data": {key: value}}
        if op == "set":
            self.state[key] = value
        elif op == "merge":
            self.state[key] = merge_patch(self.state.get(key), value)
        elif op == "broadcast":
            event = {"type": command["type"], "data": command.get("data")}
            self.state.update(command.get("set", {}))
            if "set" in command and command.get("notify", True):
                event["set"] = command["set"]
        elif key in self._configured:
            self.state[key] = None
            event = {"type": "sync:set", "data": {key: None}}
        else:
            self.state.pop(key, None)
            event["data"] = [key]
        if op == "broadcast" or command.get("notify", True):
            self._publish(event)

    def _publish(self, event: dict[str, Any]) -> None:
        self.seq += 1
        self.events.append({**event, "ts": time.time(), "seq": self.seq})

    def _part_of_state(self, key: str | None) -> dict[str, Any]:
        if key is None:
            return self.state
        return {key: self.state[key]} if key in self.state else {}

    def _accepted(self, **members: Any) -> dict[str, Any]:
        return {"ok": True, "seq": self.seq, "epoch": self.epoch, "clients": len(self.clients), **members}
