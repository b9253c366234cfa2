"""The relay's rules for commands and queries, in memory."""

from __future__ import annotations

import json
import secrets
import time
from typing import Any, Iterable

from .answer import Client
from .memory_channel import MemoryChannel
from .memory_clients import MemoryClients
from .memory_inbox import MemoryInbox
from .memory_notices import MemoryNotices


class Refused(Exception):
    """``error`` is the answer's."""

    def __init__(self, **error: Any) -> None:
        super().__init__(error)
        self.error = error


class MemoryRelay:
    """Not thread-safe. Takes commands that CommandEncoder made, so it does not check them again. Its clock moves only by
    ``advance``."""

    def __init__(self, state_keys: Iterable[str]) -> None:
        self._configured = frozenset(state_keys)
        self.commands: list[dict[str, Any]] = []
        self.events: list[dict[str, Any]] = []  # of all channels, in the relay's order
        self.clients = MemoryClients()
        self.closed: list[dict[str, Any]] = []  # what backends disconnected
        self._version = int(time.time() * 1e6)  # as the relay: no number comes a second time
        self._now = 0.0
        self.inbox = MemoryInbox()
        self.notices = MemoryNotices()
        self.restart()

    def restart(self) -> None:
        """As without ``--data``. What was recorded for the test stays."""
        self.epoch = secrets.token_hex(8)
        self.inbox = MemoryInbox(self.inbox.last)
        self.notices.restart()
        self._channels = {"": self._new_channel("", 0)}
        self._gone: dict[str, int] = {}  # where the numbers of channels that were forgotten go on
        self._answered: dict[str, int] = {}  # by id; the position
        for name, clients in self.clients.followers.items():
            if clients:
                self._made(name)

    def advance(self, seconds: float) -> None:
        """What ends meanwhile does so in order."""
        target = self._now + seconds
        while True:
            ends = [(end, name) for name, each in self._channels.items() if (end := each.next_end()) is not None]
            if not ends or min(ends)[0] > target:
                break
            self._now, name = min(ends)
            channel = self._channels[name]
            for event in channel.expire(self._now):
                self._publish(event)
            self._forget_if_empty(channel)
        self._now = target

    def events_of(self, channel: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event.get("channel", "") == channel]

    def state_of(self, channel: str) -> dict[str, Any]:
        return self._found(channel).state

    def follow(self, channel: str, clients: Iterable[Client]) -> None:
        """Instead of those before."""
        gone = self.clients.follow(channel, clients)
        for client in self.clients.of(channel):
            self.notices.seen(client.id, self.time, client.identity, client.address)
        for number in gone:
            self.notices.gone(number, self.time, 1006)
        if self.clients.of(channel):
            self._made(channel)
        elif channel in self._channels:
            self._forget_if_empty(self._channels[channel])

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        name = request.get("channel", "")
        op = request["op"]
        if op == "state":
            return self._state(self._found(name), request.get("key"))
        if op == "clients":
            return self._accepted(name, clients=[vars(each) for each in self.clients.of(request.get("channel"))])
        if op == "channels":
            return self._list(request)
        if op == "members":
            return self._accepted(name, members=self._found(name).members.known)
        if op == "disconnect":
            return self._accepted("", closed=self._disconnect(request))
        if op == "receive":
            return self._receive(request.get("events", ["message"]), request["max"])
        if op in ("done", "release", "extend"):
            self._settle(op, request)
            return self._accepted("")
        if op == "stats":
            return self._accepted("", stats={"commands": len(self.commands), "events": len(self.events)})
        return self._take(request)

    @property
    def time(self) -> float:
        """In seconds since 1970; goes on by itself, and by ``advance``."""
        return time.time() + self._now

    def say(self, event: dict[str, Any]) -> None:
        """``event``: of ``said``."""
        self.notices.seen(event["connection"], self.time, event.get("id"))
        self.inbox.add({**event, "ts": self.time})

    def publish(self, command: dict[str, Any], connection: int) -> None:
        """A client's event: a broadcast that no backend has sent."""
        self.notices.seen(connection, self.time, command.get("from"))
        self._apply(command)

    def hang_up(self, connection: int, code: int) -> bool:
        """False: nothing is known of it."""
        self.clients.remove(connection)
        return self.notices.gone(connection, self.time, code)

    def join(self, channel: str, id: str, info: dict[str, Any]) -> None:
        made = self._made(channel)
        event = made.members.join(id, info, self.time)
        if event is None:
            return
        if event["type"] == "sync:joined":
            self.notices.joined(channel, self.time, id, info)
        self._publish(made.numbered(event))

    def leave(self, channel: str, id: str) -> None:
        """The will, too. One that is refused does nothing."""
        made = self._made(channel)
        left = made.members.leave(id)
        if left is not None:
            event, commands = left
            self.notices.left(channel, self.time, id)
            self._publish(made.numbered(event))
            try:
                self._apply_batch({"commands": commands})
            except Refused:
                pass
        self._forget_if_empty(self._made(channel))

    def _receive(self, kinds: list[str], most: int) -> dict[str, Any]:
        notices, dropped = self.notices.take(kinds, most)
        messages = self.inbox.take(most - len(notices)) if "message" in kinds else []
        told = {"notices_dropped": dropped} if dropped else {}
        return self._accepted("", events=[*notices, *messages], **told)

    def _will(self, command: dict[str, Any]) -> None:
        if not self._found(command.get("channel", "")).members.will(command["id"], command["commands"]):
            raise Refused(code="no_such_member", message="that identity is no member of the channel", offset=0)

    def _settle(self, op: str, request: dict[str, Any]) -> None:
        if op == "done":
            self.inbox.done(request["n"])
        elif op == "release":
            self.inbox.release(request["n"], request.get("untried", False))

    def _disconnect(self, query: dict[str, Any]) -> int:
        self.closed.append({name: value for name, value in query.items() if name != "op"})
        if "id" not in query:
            return int(self.hang_up(query["connection"], query["code"]))
        numbers = self.notices.of_identity(query["id"])
        for number in numbers:
            self.hang_up(number, query["code"])
        return len(numbers) or int(any(query["id"] in each.members.known for each in self._channels.values()))

    def _take(self, command: dict[str, Any]) -> dict[str, Any]:
        id = None if command["op"] == "will" else command.pop("id", None)
        name = _first_channel(command)
        if id is not None and id in self._answered:
            return {**self._accepted(name, duplicate=True), "seq": self._answered[id]}
        try:
            effect = self._apply_batch(command) if command["op"] == "batch" else self._apply(command)
        except Refused as refused:
            return {"ok": False, "error": refused.error}
        self.commands.append(command)
        answer = self._accepted(name, **effect)
        if id is not None:
            self._answered[id] = answer["seq"]
        return answer

    def _apply_batch(self, batch: dict[str, Any]) -> dict[str, Any]:
        before = {name: channel.copy() for name, channel in self._channels.items()}
        gone, followers, events = dict(self._gone), dict(self.clients.followers), len(self.events)
        results = []
        for index, command in enumerate(batch["commands"]):
            try:
                results.append(self._result(command, self._apply(command)))
            except Refused as refused:
                self._channels, self._gone, self.clients.followers = before, gone, followers
                del self.events[events:]
                raise Refused(**refused.error, index=index) from None
        return {"results": results}

    def _apply(self, command: dict[str, Any]) -> dict[str, Any]:
        """Returns what the answer has of it alone."""
        if command["op"] == "drop":
            self._drop(command["channel"])
            return {}
        if command["op"] == "will":
            self._will(command)
            return {}
        names = command.get("channels", [command.get("channel", "")])
        for name in names:
            self._check(self._found(name), command.get("if", {}), {"channel": name} if "channels" in command else {})
        positions: dict[str, dict[str, Any]] = {}
        changed: dict[str, int] = {}
        for name in names:
            channel = self._made(name)
            event = channel.apply(command, self._now)
            if event is not None:
                self._publish(event)
            changed = channel.versions([command["key"]] if "key" in command else command.get("set", {}))
            positions[name] = {**self._position(name), **({"versions": changed} if changed else {})}
            self._forget_if_empty(channel)
        if "channels" in command:
            return {"positions": positions}
        return {"versions": changed} if changed else {}

    def _check(self, channel: MemoryChannel, conditions: dict[str, int], where: dict[str, str]) -> None:
        current = channel.conflicts(conditions)
        if current:
            key, entry = next(iter(current.items()))
            there = f"has version {entry['version']}" if entry["version"] else "is not there"
            what = f'key "{key}" {there}; "if" names version {conditions[key]}'
            raise Refused(code="conflict", message=what, offset=0, current=current, **where)

    def _drop(self, name: str) -> None:
        channel = self._channels.pop(name, None)
        self.clients.followers.pop(name, None)
        if channel is not None:
            self._gone[name] = channel.seq + 1

    def _publish(self, event: dict[str, Any]) -> None:
        seq = event.pop("seq")
        self.events.append({**event, "ts": self.time, "seq": seq})

    def _new_channel(self, name: str, seq: int) -> MemoryChannel:
        return MemoryChannel(name, seq, () if name else self._configured, self._next_version)

    def _found(self, name: str) -> MemoryChannel:
        """Of one that is not there, what there would be of it."""
        return self._channels.get(name) or self._new_channel(name, self._gone.get(name, 0))

    def _made(self, name: str) -> MemoryChannel:
        return self._channels.setdefault(name, self._found(name))

    def _forget_if_empty(self, channel: MemoryChannel) -> None:
        if channel.name and channel.is_empty and not self.clients.of(channel.name):
            self._gone[channel.name] = channel.seq
            self._channels.pop(channel.name, None)

    def _next_version(self) -> int:
        self._version += 1
        return self._version

    def _list(self, query: dict[str, Any]) -> dict[str, Any]:
        after, limit = query.get("after"), query["limit"]
        names = sorted(name for name in self._channels if name.startswith(query.get("prefix", "")))
        names = [name for name in names if after is None or name > after]
        return self._accepted("", channels=[self._info(name) for name in names[:limit]], more=len(names) > limit)

    def _info(self, name: str) -> dict[str, Any]:
        channel = self._channels[name]
        state = channel.state
        size = sum(len(key.encode()) + len(_json(value)) for key, value in state.items())
        subscribers = len(self.clients.of(name))
        return {"name": name, **self._position(name), "subscribers": subscribers, "keys": len(state), "bytes": size}

    def _state(self, channel: MemoryChannel, key: str | None) -> dict[str, Any]:
        state = channel.state
        if key is not None:
            state = {key: state[key]} if key in state else {}
        return self._accepted(channel.name, state=state, versions=channel.versions(state))

    def _result(self, command: dict[str, Any], effect: dict[str, Any]) -> dict[str, Any]:
        if "channels" in command:
            return effect
        name = command.get("channel", "")
        return {**({"channel": name} if name else {}), **self._position(name), **effect}

    def _position(self, name: str) -> dict[str, Any]:
        return {"seq": self._found(name).seq, "epoch": self.epoch}

    def _accepted(self, name: str, **members: Any) -> dict[str, Any]:
        return {"ok": True, **self._position(name), "clients": len(self.clients.of(name)), **members}


def _first_channel(command: dict[str, Any]) -> str:
    """That the answer's position is in."""
    if command["op"] == "batch":
        command = command["commands"][-1]
    name: str = command["channels"][0] if "channels" in command else command.get("channel", "")
    return name


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
