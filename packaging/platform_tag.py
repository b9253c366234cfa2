"""The platform tag of a binary, by the versions of glibc's symbols that it uses; or why it cannot have one.

    platform_tag.py build/package/static/syncrelay     -> manylinux_2_35_x86_64

A manylinux tag says: runs wherever glibc is at least that new (PEP 600), and needs no other library.
"""

import re
import subprocess
import sys

# What belongs to glibc, so is there wherever it is.
OF_GLIBC = re.compile(r"(ld-linux[\w-]*|lib(c|m|rt|dl|pthread|resolv|anl|util))\.so\.\d+$")
MACHINES = {"Advanced Micro Devices X86-64": "x86_64", "AArch64": "aarch64"}


def readelf(option: str, binary: str) -> str:
    return subprocess.run(["readelf", "--wide", option, binary], check=True, capture_output=True, text=True).stdout


def needed(binary: str) -> list[str]:
    return re.findall(r"\(NEEDED\).*\[(.+)\]", readelf("--dynamic", binary))


def foreign_libraries(binary: str) -> list[str]:
    """Those it needs that are no part of glibc."""
    return [name for name in needed(binary) if not OF_GLIBC.match(name)]


def undefined_versions(binary: str) -> set[str]:
    """Of the symbols that others have to bring: {"GLIBC_2.34", …}. Weak ones count as well: they are there, or something
    less good happens."""
    return set(re.findall(r" UND \S+@(\w+_[\d.]+|\w+)\b", readelf("--dyn-syms", binary)))


def newest_glibc(binary: str) -> tuple[int, int]:
    versions = undefined_versions(binary)
    numbers = [tuple(map(int, found.groups())) for name in versions if (found := re.match(r"GLIBC_(\d+)\.(\d+)", name))]
    others = sorted(name for name in versions if not name.startswith("GLIBC_"))
    if others:
        raise ValueError(f"{binary} needs symbols of {', '.join(others)}, which are not glibc's")
    major, minor = max(numbers)
    return major, minor


def machine(binary: str) -> str:
    [name] = re.findall(r"Machine:\s+(.+)", readelf("--file-header", binary))
    return MACHINES[name.strip()]


def platform_tag(binary: str) -> str:
    """Raises ValueError for one that needs more than glibc."""
    foreign = foreign_libraries(binary)
    if foreign:
        raise ValueError(f"{binary} needs {', '.join(foreign)}: link that statically (meson -Dstatic=true)")
    major, minor = newest_glibc(binary)
    return f"manylinux_{major}_{minor}_{machine(binary)}"


if __name__ == "__main__":
    try:
        print(platform_tag(sys.argv[1]))
    except ValueError as fault:
        sys.exit(f"error: {fault}")
