"""Writes the configuration file of the Debian package: every option of the program, commented out, with its default.

    default_config.py build/syncrelay > syncrelay.toml

What it says of them is what --help and --print-config of that program say.
"""

import re
import subprocess
import sys
import textwrap
from dataclasses import dataclass

# Set, since a service has folders of its own.
OF_THE_SERVICE = {"runtime-dir": '"/run/syncrelay"', "data": '"/var/lib/syncrelay"'}
# Not for a file: who starts it says so.
LEFT_OUT = {"parent"}

HEADER = """\
# Configuration of syncrelay as a service. After a change: systemctl restart syncrelay
# (keys, certificates and lists of keys are read again when they change, and by systemctl reload syncrelay).
#
# What is commented out shows the default. `syncrelay --config /etc/syncrelay/syncrelay.toml --print-config`
# shows what is in force.
"""


@dataclass(frozen=True)
class Option:
    group: str
    name: str
    help: str
    default: str  # as TOML


def said(binary: str, option: str) -> str:
    """By the program, without an environment."""
    return subprocess.run([binary, option], env={}, check=True, capture_output=True, text=True).stdout


def helps(text: str) -> dict[str, str]:
    """Of --help, by option."""
    found = re.findall(r"^  --([a-z-]+)(?: [A-Z:]+)?\s+((?!--)\S.*)$", text, re.MULTILINE)
    return {name: line.strip() for name, line in found}


def options(binary: str) -> list[Option]:
    """Those of a file, in their order."""
    help_of = helps(said(binary, "--help"))
    found, group = [], ""
    for line in said(binary, "--print-config").splitlines():
        if line.startswith("# "):
            group = line[2:]
        elif match := re.fullmatch(r"([a-z-]+) = (.*)  # default", line):
            found.append(Option(group, match[1], help_of[match[1]], match[2]))
    return [option for option in found if option.name not in LEFT_OUT]


def lines(option: Option) -> list[str]:
    explained = textwrap.wrap(option.help, 110, initial_indent="# ", subsequent_indent="#   ", break_on_hyphens=False)
    value = OF_THE_SERVICE.get(option.name)
    default = default_of_service(option)
    return [*explained, f"#{option.name} = {default}" if value is None else f"{option.name} = {value}", ""]


def default_of_service(option: Option) -> str:
    """Sockets lie in the runtime directory, whose default is another for each user."""
    return re.sub(r"/tmp/syncrelay-\d+", "/run/syncrelay", option.default)


def default_config(binary: str) -> str:
    text, group = [HEADER], ""
    for option in options(binary):
        if option.group != group:
            group = option.group
            text += [f"## {group}", ""]
        text += lines(option)
    return "\n".join(text)


if __name__ == "__main__":
    sys.stdout.write(default_config(sys.argv[1]))
