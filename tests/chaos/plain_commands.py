"""The commands of the backend that behaves, all in the default channel: what the n-th is, is decided by seed and n alone.

Every command that makes an event carries its tag in it, but for a delete. The key below "quiet:" changes without an event.
"""

import random

from commands import ITEMS, LARGE, SHARED_KEYS, tag

OPS = ("broadcast", "broadcast_set", "set", "merge", "delete", "quiet")
WEIGHTS = (8, 3, 3, 3, 1, 3)


def command(seed, backend, number):
    """As it goes to the relay."""
    draw = random.Random(f"{seed}/{backend}/{number}")
    name = tag(backend, number)
    key = draw.choice((*SHARED_KEYS, f"item:{draw.randrange(ITEMS)}"))
    op = draw.choices(OPS, WEIGHTS)[0]
    if op == "quiet":
        made = {"op": "set", "key": f"quiet:{backend}", "value": number, "notify": False}
    elif op == "delete":
        made = {"op": "delete", "key": key}
    elif op in ("set", "merge"):
        made = {"op": op, "key": key, "value": _value(draw, name)}
        if op == "merge":
            made["value"] |= {draw.choice("abc"): draw.choice((None, 1, {"deep": number}))}
    else:
        made = {"op": "broadcast", "type": "app:event", "data": _value(draw, name)}
        if op == "broadcast_set":
            made |= {"set": {key: _value(draw, name)}}
    return made | {"id": name}


def _value(draw, name):
    filler = "x" * draw.choice((0, 0, 20, 200, 200, LARGE if draw.random() < 0.05 else 500))
    return {"by": name, "n": draw.randrange(1000), "filler": filler}
