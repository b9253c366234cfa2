"""The wire examples of tests/vectors, which C++ and Python both read."""

import json
import pathlib

FOLDER = pathlib.Path(__file__).resolve().parents[1] / "vectors"


def load(name):
    return json.loads((FOLDER / f"{name}.json").read_text())["vectors"]


def command_bytes(vector):
    if "command_hex" in vector:
        return bytes.fromhex(vector["command_hex"])
    return vector["command"].encode()


def name_of(vector):
    """For pytest's ids: one word."""
    return "".join(c if c.isascii() and c.isalnum() else "-" for c in vector["name"])[:60]
