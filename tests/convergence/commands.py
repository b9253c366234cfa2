"""What the n-th command of a backend is: decided by seed, backend and n alone, so that a restarted backend goes on.

Every command that makes an event carries its tag "backend:n" in it, which is how the log is compared with what was
sent. Keys below "quiet:" change without an event; each of them belongs to one backend and only grows.
"""

import random

SHARED_KEYS = ("comparison", "radio", "playback", "devices")
ITEMS = 100  # keys that are seldom overwritten
LARGE = 40_000
OPS = ("broadcast", "broadcast_set", "set", "merge", "delete", "quiet")
WEIGHTS = (8, 3, 3, 3, 1, 3)


def tag(backend, number):
    return f"{backend}:{number}"


def _value(draw, name):
    filler = "x" * draw.choice((0, 0, 20, 200, 200, LARGE if draw.random() < 0.05 else 500))
    return {"by": name, "n": draw.randrange(1000), "filler": filler}


def command(seed, backend, number, style):
    """As it goes to the relay. A delete cannot carry a tag, so only a confirmed one can be found in the log; the order
    of a pipeline's commands is not certain, so its quiet values would not only grow."""
    draw = random.Random(f"{seed}/{backend}/{number}")
    name = tag(backend, number)
    key = draw.choice((*SHARED_KEYS, f"item:{draw.randrange(ITEMS)}"))
    confirmed = style != "pushed"
    op = draw.choices(OPS, WEIGHTS)[0]
    if op == "quiet" and style != "pipelined":
        made = {"op": "set", "key": f"quiet:{backend}", "value": number, "notify": False}
    elif op == "delete" and confirmed:
        made = {"op": "delete", "key": key}
    elif op in ("set", "merge"):
        made = {"op": op, "key": key, "value": _value(draw, name)}
        if op == "merge":
            made["value"] |= {draw.choice("abc"): draw.choice((None, 1, {"deep": number}))}
    else:
        made = {"op": "broadcast", "type": "app:event", "data": _value(draw, name)}
        if op == "broadcast_set":
            made |= {"set": {key: _value(draw, name)}}
    return made | ({"id": name} if confirmed else {})


def is_quiet(made):
    return made["op"] == "set" and not made.get("notify", True)


def tag_of(event):
    """The tag in an event's message; None for a delete, for `app:done` and for what is none of ours."""
    if event["type"] in ("sync:set", "sync:merge"):
        value, = event["data"].values()
        return value.get("by") if isinstance(value, dict) else None
    return event["data"]["by"] if event["type"] == "app:event" else None
