"""Backends on other hosts: what docs/operations.md says of keys, with relay, backend and shell on one."""

import re
import subprocess

from readme import ROOT

[ITEM] = re.findall(r"^- \*\*Backends on other hosts\*\*:.*?(?=^- |^## |\Z)", (ROOT / "docs/operations.md").read_text(),
                    re.MULTILINE | re.DOTALL)
CONFIRMS = "\nwith relay:\n    relay.set('radio', 7, confirm=True)\n"


def test_the_keys_of_the_page_let_in_who_has_them(reader, tmp_path):
    def here(text):
        for file in ("backend.key", "shell.key", "FILE"):
            text = text.replace(file, str(tmp_path / file))
        return text.replace("HOST", "127.0.0.1")

    makes = re.findall(r"`(syncrelay keygen \S+)`", ITEM)
    assert [line.split()[-1] for line in makes] == ["relay.key", "backend.key"]
    for line in (*makes, "syncrelay keygen shell.key"):
        reader.types("build/" + here(line))
    keys = [(tmp_path / f"{name}.key.pub").read_text() for name in ("backend", "shell")]
    (tmp_path / "FILE").write_text("".join(keys))

    [options] = re.findall(r"`(--commands tcp:.*?)`", ITEM)
    reader.starts_relay("build/syncrelay serve --port 8642 " + here(options))
    [expression] = re.findall(r"`(Relay\(.*?\))`", ITEM, re.DOTALL)
    program = f"from syncrelay import Curve, Relay\nrelay = {reader.adapted(here(expression))}{CONFIRMS}"
    subprocess.run(["/usr/bin/python3", "-c", program], env=reader.environment, check=True, timeout=60)
    [asks] = re.findall(r"`(syncrelay stats .*?)`", ITEM)
    assert re.search(r"^commands\S* +1$|\"commands\":1\b", reader.types("build/" + here(asks)), re.MULTILINE)
