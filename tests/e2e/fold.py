"""The model: what the state is after commands, and what a client may conclude from events."""

MEMBER_EVENTS = ("sync:joined", "sync:changed", "sync:left")


def merge_patch(target, patch):
    """RFC 7396, section 2."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merge_patch(result.get(name), value)
    return result


def apply_command(state, command, configured=("comparison", "radio")):
    """The state after the command; says nothing about events."""
    op, key = command["op"], command.get("key")
    if op == "set":
        return {**state, key: command["value"]}
    if op == "merge":
        return {**state, key: merge_patch(state.get(key), command["value"])}
    if op == "delete":
        rest = {k: v for k, v in state.items() if k != key}
        return {**rest, key: None} if key in configured else rest
    return {**state, **command.get("set", {})}


def makes_event(command):
    return command["op"] == "broadcast" or command.get("notify", True)


def apply_message(state, message):
    """A client's replica after a message; equals the relay's state when no change was silent."""
    kind, data = message["type"], message.get("data")
    if kind == "sync:full":
        return dict(data)
    if kind == "sync:set":
        return {**state, **data}
    if kind == "sync:merge":
        return {**state, **{k: merge_patch(state.get(k), patch) for k, patch in data.items()}}
    if kind == "sync:delete":
        return {k: v for k, v in state.items() if k not in data}
    return {**state, **message.get("set", {})}


def apply_member_event(members, message):
    """A channel's members after one came, changed or went; fails where that could not be."""
    kind, data = message["type"], message["data"]
    id, was = data["id"], members.get(data["id"])
    if kind == "sync:left":
        assert was is not None and set(data) == {"id"}, message
        return {k: v for k, v in members.items() if k != id}
    now = {"info": data["info"], "since": data["since"]}
    if kind == "sync:joined":
        assert was is None and data["since"] == message["ts"], message
    else:
        assert was is not None and was["since"] == now["since"], message
    return {**members, id: now}
