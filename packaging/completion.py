"""Writes bash's completion of the program: its commands, its options, and files where an option takes one.

    completion.py build/syncrelay > /usr/share/bash-completion/completions/syncrelay
"""

import re
import subprocess
import sys

TEMPLATE = """\
# bash completion of syncrelay, made of its --help
_syncrelay() {{
    local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD - 1]}}
    case $before in
        {files}) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
{choices}    esac
    case $word in
        -*) mapfile -t COMPREPLY < <(compgen -W '{options}' -- "$word") ;;
        *) mapfile -t COMPREPLY < <(compgen -W '{commands}' -- "$word") ;;
    esac
}}
complete -F _syncrelay syncrelay
"""


def completion(help_text: str) -> str:
    found = re.findall(r"^  (?:-\w,)?(--[a-z-]+)(?: ([A-Z:]+))?\s+((?!--)\S.*)$", help_text, re.MULTILINE)
    commands = re.findall(r"^  ([a-z]+)\s", help_text.split("Subcommands:")[1], re.MULTILINE)
    files = [name for name, placeholder, _ in found if placeholder in ("FILE", "DIR")]
    choices = "".join(
        f"        {name}) mapfile -t COMPREPLY < <(compgen -W '{listed[1].replace(',', '')}' -- \"$word\"); return ;;\n"
        for name, _, said in found if (listed := re.search(r"\((\w+(?:, \w+)+); default \w+\)$", said)))
    return TEMPLATE.format(files="|".join(files), choices=choices, options=" ".join(name for name, *_ in found),
                           commands=" ".join(commands))


if __name__ == "__main__":
    shown = subprocess.run([sys.argv[1], "--help"], env={}, check=True, capture_output=True, text=True).stdout
    sys.stdout.write(completion(shown))
