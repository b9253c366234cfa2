"""Where the parts of a confirmed command are, as its answer tells."""

from commands import inner, parts


def positions(made, answer):
    """For each of parts(made): (seq, epoch, versions), or None where a repetition's answer does not tell it."""
    if answer.get("duplicate"):
        return _of_a_repetition(made, answer)
    results = answer["results"] if made["op"] == "batch" else [answer]
    return [place for one, result in zip(inner(made), results, strict=True) for place in _of_one(one, result)]


def _of_one(one, result):
    if "channels" not in one:
        return [(result["seq"], result["epoch"], result.get("versions", {}))]
    told = result["positions"]
    return [(told[name]["seq"], told[name]["epoch"], {}) for name in one["channels"]]


def _of_a_repetition(made, answer):
    """The position of the last command's channel, behind all of it; of a list the first name's."""
    places = [None] * len(parts(made))
    last = len(places) - len(inner(made)[-1].get("channels", (None,)))
    places[last] = (answer["seq"], answer["epoch"], {})
    return places
