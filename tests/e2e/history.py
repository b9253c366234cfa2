"""What one client was sent, checked message by message against the contract."""

import json
import re
import time
from dataclasses import dataclass

from fold import MEMBER_EVENTS, apply_member_event, apply_message

TIMESTAMP = re.compile(r'"ts":\d{10}\.\d{6}[,}]')
EVENT_MEMBERS = {"type", "data", "ts", "seq"}
HEARTBEAT = '{"type":"ping"}'


@dataclass(frozen=True)
class Message:
    text: str
    body: dict
    arrived: float  # this machine's clock, as the relay's `ts`

    @property
    def type(self):
        return self.body["type"]

    @property
    def data(self):
        return self.body["data"]

    @property
    def seq(self):
        return self.body["seq"]

    @property
    def members(self):
        """Their names, but for that of the channel."""
        return set(self.body) - {"channel"}

    @property
    def is_event(self):
        return self.type not in ("sync:full", "sync:resume", "ping")


class History:
    """Position, replica of the state and all messages of one channel. `keep` False forgets the messages."""

    def __init__(self, keep=True):
        self.messages = []
        self.channel = None  # as the first message says; None: the default one
        self.seq = None
        self.epoch = None
        self.state = None  # unknown after a resume
        self.people = None  # the channel's members by id; unknown after a resume, and where none are kept
        self.skipped = 0
        self._keep = keep

    @property
    def first(self):
        return self.messages[0]

    @property
    def position(self):
        return {"epoch": self.epoch, "seq": self.seq}

    def events(self):
        return [m for m in self.messages if m.is_event]

    def record(self, text):
        message = Message(text, json.loads(text), time.time())
        if message.type == "ping":
            assert text == HEARTBEAT, text
            assert self.seq is not None, "a heartbeat before the first message"
        else:
            self._check(message)
            self.seq = message.seq
            self.state = self._replica(message)
            self.people = self._members_behind(message)
        if self._keep or not self.messages:
            self.messages.append(message)
        return message

    def _replica(self, message):
        if message.type == "sync:resume" or (self.state is None and message.type != "sync:full"):
            return self.state
        return apply_message(self.state, message.body)

    def _members_behind(self, message):
        if message.type == "sync:full":
            return message.body.get("members")
        if message.type not in MEMBER_EVENTS or self.people is None:
            return self.people
        return apply_member_event(self.people, message.body)

    def _check(self, message):
        if self.seq is None:
            self.channel = message.body.get("channel")
        assert message.body.get("channel") == self.channel, message.text[:300]
        assert self.channel is None or list(message.body)[1] == "channel", message.text[:300]
        assert TIMESTAMP.search(message.text), f"ts without microseconds: {message.text[:300]}"
        if message.type == "sync:full":
            self._check_snapshot(message)
        elif message.type == "sync:resume":
            self._check_resume(message)
        else:
            self._check_event(message)

    def _check_snapshot(self, message):
        members = {"type", "data", "ts", "seq", "epoch"}
        if "members" in message.body:
            names = [name for name in message.body if name != "channel"]
            assert names[:4] == ["type", "data", "members", "ts"], message.text[:300]
            members = members | {"members"}
        if self.seq is None:
            assert message.members == members, message.text[:300]
        else:
            assert message.members == members | {"skipped"}, message.text[:300]
            assert message.body["epoch"] == self.epoch
            assert message.body["skipped"] == message.seq - self.seq > 0
            self.skipped += message.body["skipped"]
        self.epoch = message.body["epoch"]

    def _check_resume(self, message):
        assert self.seq is None, "a resume that is not the first message"
        assert message.members == {"type", "data", "ts", "seq", "epoch"}, message.text
        assert message.data["from"] == message.seq + 1
        assert message.data["to"] >= message.seq
        self.epoch = message.body["epoch"]

    def _check_event(self, message):
        assert self.seq is not None, f"an event before the first message: {message.text[:300]}"
        assert message.seq == self.seq + 1, f"{message.seq} after {self.seq}"
        assert message.members - {"set", "from", "trace"} == EVENT_MEMBERS, message.text[:300]
