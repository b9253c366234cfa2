"""Keys that go by themselves: when their time is over, not before, and told like a delete."""

from commands import parts, tag_in, tag_of

EARLY = 0.002  # seconds; times are told in microseconds, and lifetimes run in milliseconds
LEASE = "lease:"


def keys_of(made):
    return made["set"] if made["op"] == "broadcast" else (made["key"],)


def ttl_of(key, channel, name, command_of):
    """The ttl that the command with this tag gave the key."""
    for place, part in parts(command_of(name)):
        if place == channel and tag_in(part) == name and key in keys_of(part):
            return part["ttl"]
    raise LookupError(f"{name} sets no {key}")


def gone_keys(message):
    """The keys that a message takes away, lets them fall back to null."""
    if message.type == "sync:delete":
        return message.data
    if message.type == "sync:set":
        return [key for key, value in message.data.items() if value is None]
    return []


def set_keys(message):
    told = message.data if message.type in ("sync:set", "sync:merge") else message.body.get("set", {})
    return [key for key, value in told.items() if value is not None]


class Leases:
    """One channel's in one epoch, followed event by event."""

    def __init__(self, log, where, clock_is_true, command_of):
        self._log, self._where, self._clock_is_true, self._command_of = log, where, clock_is_true, command_of
        self._ends = {}  # key to the time at which it goes

    def check(self, events):
        before = 0
        for seq in sorted(events):
            if seq != before + 1:
                self._ends = None  # what nobody saw may have set it
            self._take(seq, events[seq])
            before = seq

    def _take(self, seq, message):
        for key in set_keys(message):
            if key.startswith(LEASE) and self._ends is not None:
                ttl = ttl_of(key, self._where[0], tag_of(message.body), self._command_of)
                self._ends[key] = message.body["ts"] + ttl
        for key in gone_keys(message):
            if key.startswith(LEASE) and self._ends is not None:
                self._check_end(seq, message, key, self._ends.pop(key, None))
            self._log.expect(not key.startswith("kept:"), f"{key} of {self._where} went at {seq}, and its ttl had ended")

    def _check_end(self, seq, message, key, end):
        self._log.expect(end is not None, f"{key} of {self._where} went at {seq}, and it was not there")
        if end is not None and self._clock_is_true:
            self._log.expect(message.body["ts"] >= end - EARLY,
                             f"{key} of {self._where} went at {seq}, {end - message.body['ts']:.3f} s too early")
