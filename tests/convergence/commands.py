"""What the n-th command of a backend is: decided by seed, backend and n alone, so that a restarted backend goes on. Only
what an increment adds to is known no earlier than it is sent (counting.py).

Every command that makes an event carries its tag "backend:n" in it ("backend:n/i" the i-th of a batch), which is how the
log is compared with what was sent. Keys below "quiet:" change without an event; each of them belongs to one backend and
only grows. Keys below "lease:" are never set without a ttl, "kept:" ones lose theirs in the batch that gives it.
"""

import random

ROOMS = tuple(f"room:{number}" for number in range(11))  # never dropped
TEMPS = tuple(f"temp:{number}" for number in range(4))  # dropped now and then, and forgotten where the window is small
CHANNELS = ("", *ROOMS, *TEMPS)
OPEN_CHANNELS = ("--open-channels", "room:*", "--open-channels", "temp:*")
SHARED_KEYS = ("comparison", "radio", "playback", "devices")
CONFIGURED = ("comparison", "radio", "lease:0")  # of the default channel
COUNT = "count"
COUNTED = ("", "room:0")  # channels that have a counter
ITEMS = 100  # keys that are seldom overwritten
LARGE = 40_000
TTLS = (0.02, 0.1, 0.4)
OPS = ("broadcast", "broadcast_set", "set", "merge", "delete", "quiet", "lease")
WEIGHTS = (8, 3, 3, 3, 1, 3, 2)
KINDS = ("single", "list", "batch", "kept", "doomed", "increment")
KIND_WEIGHTS = (60, 7, 12, 3, 3, 15)
NO_VERSION = 2**53 - 1


def tag(backend, number):
    return f"{backend}:{number}"


def number_of(name):
    return int(name.split("/")[0].split(":")[1])


def backend_of(name):
    return name.split(":")[0]


class _Maker:
    """A delete cannot carry a tag, so only a confirmed one can be found in the log, and a drop only by its answer; the
    order of a pipeline's commands is not certain, so its quiet values would not only grow and it does not count."""

    def __init__(self, draw, backend, number, style):
        self._draw, self._backend, self._number, self._style = draw, backend, number, style
        self._tag = tag(backend, number)

    def command(self):
        kind = self._draw.choices(KINDS, KIND_WEIGHTS)[0]
        if kind == "increment" and self._style != "sequential":
            kind = "single"
        return getattr(self, "_" + kind)()

    def _single(self, name=None):
        place = self._draw.choices(("", ROOMS, TEMPS), (8, 10, 2))[0]
        channel = self._draw.choice(place) if place else ""
        made = self._in_temp(name or self._tag) if channel in TEMPS else self._anywhere(name or self._tag, channel)
        return made | ({"channel": channel} if channel else {})

    def _anywhere(self, name, channel):
        key = self._draw.choice((*SHARED_KEYS, f"item:{self._draw.randrange(ITEMS)}"))
        op = self._draw.choices(OPS, WEIGHTS)[0]
        if op == "quiet" and self._style != "pipelined" and name == self._tag and not channel:
            return {"op": "set", "key": f"quiet:{self._backend}", "value": self._number, "notify": False}
        if op == "delete" and self._style != "pushed":
            return {"op": "delete", "key": key}
        if op == "lease":
            return self._lease(name)
        if op in ("set", "merge"):
            made = {"op": op, "key": key, "value": self._value(name)}
            if op == "merge":
                made["value"] |= {self._draw.choice("abc"): self._draw.choice((None, 1, {"deep": self._number}))}
            return made
        return self._broadcast(name) | ({"set": {key: self._value(name)}} if op == "broadcast_set" else {})

    def _in_temp(self, name):
        """No state that stays, so that the channel can be forgotten."""
        if self._style != "pushed" and self._draw.random() < 0.25:
            return {"op": "drop"}
        return self._lease(name) if self._draw.random() < 0.25 else self._broadcast(name)

    def _lease(self, name):
        key, ttl = f"lease:{self._draw.randrange(2)}", self._draw.choice(TTLS)
        how = self._draw.randrange(4)
        if how == 0:
            return {"op": "set", "key": f"quiet:lease:{self._backend}", "value": 1, "notify": False, "ttl": ttl}
        if how == 1:
            return self._broadcast(name) | {"set": {key: self._value(name)}, "ttl": ttl}
        return {"op": self._draw.choice(("set", "merge")), "key": key, "value": self._value(name), "ttl": ttl}

    def _broadcast(self, name):
        return {"op": "broadcast", "type": "app:event", "data": self._value(name)}

    def _list(self, name=None):
        names = self._draw.sample(("", *ROOMS, *TEMPS), self._draw.randint(2, 6))
        return self._broadcast(name or self._tag) | {"channels": names}

    def _batch(self):
        return {"op": "batch", "commands": self._parts(self._draw.randint(2, 7))}

    def _parts(self, count):
        names = (f"{self._tag}/{index}" for index in range(count))
        return [self._list(name) if self._draw.random() < 0.1 else self._single(name) for name in names]

    def _kept(self):
        key = f"kept:{self._draw.randrange(3)}"
        sets = [{"op": "set", "key": key, "value": self._value(f"{self._tag}/{index}"), "channel": "room:1"}
                for index in range(2)]
        return {"op": "batch", "commands": [sets[0] | {"ttl": min(TTLS)}, sets[1]]}

    def _doomed(self):
        """A batch that can only be refused, by its last command."""
        count = self._draw.randint(1, 4)
        never = {"op": "set", "key": "never", "value": self._value(f"{self._tag}/{count}"), "if": {"never": NO_VERSION}}
        return {"op": "batch", "commands": [*self._parts(count), never | {"channel": "room:2"}]}

    def _increment(self):
        channel = self._draw.choice(COUNTED)
        made = {"op": "set", "key": COUNT, "value": {"by": self._tag, "n": None}, "if": {COUNT: None}}
        made |= {"channel": channel} if channel else {}
        if self._draw.random() < 0.6:
            return made
        count = self._draw.randint(1, 3)
        made["value"]["by"] = f"{self._tag}/{count}"
        return {"op": "batch", "commands": [*self._parts(count), made]}

    def _value(self, name):
        draw = self._draw
        filler = "x" * draw.choice((0, 0, 20, 200, 200, LARGE if draw.random() < 0.05 else 500))
        return {"by": name, "n": draw.randrange(1000), "filler": filler}


def command(seed, backend, number, style):
    """As it goes to the relay, but for what an increment adds to."""
    made = _Maker(random.Random(f"{seed}/{backend}/{number}"), backend, number, style).command()
    return made | ({"id": tag(backend, number)} if style != "pushed" else {})


def inner(made):
    return made["commands"] if made["op"] == "batch" else [made]


def parts(made):
    """[(channel, command)]: what it does in which channel, in this order."""
    return [(channel, each) for each in inner(made) for channel in each.get("channels", (each.get("channel", ""),))]


def increment_in(made):
    """The increment in it, or None; it is the last of a batch."""
    last = inner(made)[-1]
    return last if COUNT in last.get("if", ()) else None


def is_doomed(made):
    return "never" in inner(made)[-1].get("if", ())


def is_quiet(made):
    """Whether this single command makes no event."""
    return made["op"] == "drop" or not made.get("notify", True)


def tag_in(made):
    """The tag that a single command's event carries; None for a delete, and where there is no event."""
    if is_quiet(made) or made["op"] == "delete":
        return None
    return made.get("data", made.get("value"))["by"]


def event_of(channel, made):
    """What clients hear of a single command, but for time and position; None when they hear nothing."""
    if is_quiet(made):
        return None
    if made["op"] == "broadcast":
        return {"type": made["type"], "data": made["data"], **({"set": made["set"]} if "set" in made else {})}
    if made["op"] == "delete":
        back_to_null = not channel and made["key"] in CONFIGURED
        return {"type": "sync:set", "data": {made["key"]: None}} if back_to_null else \
            {"type": "sync:delete", "data": [made["key"]]}
    return {"type": "sync:" + made["op"], "data": {made["key"]: made["value"]}}


def tag_of(event):
    """The tag in an event's message; None for a delete, for `app:done` and for what is none of ours."""
    if event["type"] in ("sync:set", "sync:merge"):
        value, = event["data"].values()
        return value.get("by") if isinstance(value, dict) else None
    return event["data"]["by"] if event["type"] == "app:event" else None
