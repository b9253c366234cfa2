"""The fallbacks in subprojects/ build what a distribution does not have."""

import re
import subprocess
from pathlib import Path

import pytest

from fallback import ROOT, WRAPS

INCLUDE = Path("/usr/include")

# Per wrap: a program that uses the library, and where its headers lie in upstream's archive.
HEADER_ONLY = {
    "cli11": ("#include <CLI/CLI.hpp>\nint main() { CLI::App app; }\n",
              {"include/CLI": INCLUDE / "CLI"}),
    "cppzmq": ("#include <zmq.hpp>\nint main() { zmq::context_t context; }\n",
               {"zmq.hpp": INCLUDE / "zmq.hpp"}),
    "rapidjson": ("#include <rapidjson/reader.h>\nint main() { rapidjson::Reader reader; }\n",
                  {"include/rapidjson": INCLUDE / "rapidjson"}),
}

# Debian's spdlog leaves out the copy of fmt that upstream's archive has: a stand-in shows which
# folder the headers come from. doctest brings a Meson build of its own.
SPDLOG = "#include <spdlog/spdlog.h>\nint main() { return spdlog_stand_in(); }\n"
DOCTEST_BUILD = """project('doctest', 'cpp')
meson.override_dependency('doctest',
  declare_dependency(include_directories: include_directories('.')))
"""


def test_there_is_a_wrap_for_each_library_of_the_project():
    assert {path.stem for path in WRAPS} == {
        "cli11", "cppzmq", "doctest", "libwebsockets", "rapidjson", "spdlog", "sqlite"}


def test_a_wrap_is_complete(fallback):
    source = fallback.source
    assert source["source_url"].startswith("https://")
    assert re.fullmatch(r"[0-9a-f]{64}", source["source_hash"])
    version = source["directory"].rpartition("-")[2]
    assert version in source["source_url"] and version in source["source_filename"]
    if fallback.patch_directory:
        build = (fallback.patch_directory / "meson.build").read_text()
        [declared] = re.findall(r"version: '([0-9.]+)'", build)
        assert version in (declared, as_sqlite_counts(declared))
        assert f"override_dependency('{fallback.dependency}'" in build


def as_sqlite_counts(version):
    """3.53.4 is 3530400 in the name of its archive."""
    first, *rest = (int(part) for part in version.split("."))
    return f"{first}" + "".join(f"{part:02}" for part in [*rest, 0, 0][:3])


@pytest.mark.parametrize("fallback", [p for p in WRAPS if p.stem in HEADER_ONLY],
                         indirect=True, ids=lambda path: path.stem)
def test_a_header_only_library_builds_from_its_archive(fallback):
    program, archive = HEADER_ONLY[fallback.wrap.stem]
    fallback.lay_out(program, archive=archive)
    assert_builds(fallback)


@pytest.mark.parametrize("fallback", [ROOT / "subprojects/spdlog.wrap"], indirect=True)
def test_spdlog_builds_header_only(fallback, tmp_path):
    header = tmp_path / "spdlog.h"
    header.write_text("inline int spdlog_stand_in() { return 0; }\n")
    fallback.lay_out(SPDLOG, archive={"include/spdlog/spdlog.h": header})
    assert_builds(fallback)


@pytest.mark.parametrize("fallback", [ROOT / "subprojects/doctest.wrap"], indirect=True)
def test_doctest_builds_by_its_own_build_file(fallback):
    fallback.lay_out(
        "#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN\n#include <doctest/doctest.h>\n",
        archive={"doctest/doctest.h": INCLUDE / "doctest/doctest.h"}, build_file=DOCTEST_BUILD)
    assert_builds(fallback)


@pytest.mark.parametrize("fallback", [ROOT / "subprojects/libwebsockets.wrap"], indirect=True)
def test_libwebsockets_builds_by_cmake(fallback, tmp_path):
    """With a CMake project in its place that honours what the package file asks for."""
    cmake, header = tmp_path / "CMakeLists.txt", tmp_path / "libwebsockets.h"
    cmake.write_text(
        "cmake_minimum_required(VERSION 3.13)\nproject(libwebsockets C)\n"
        "set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib)\n"
        "file(WRITE ${PROJECT_BINARY_DIR}/lws_config.h \"#define LIBEV ${LWS_WITH_LIBEV}\\n\")\n"
        "file(WRITE ${PROJECT_BINARY_DIR}/lws.c \"int lws_stand_in(void) { return 0; }\\n\")\n"
        "add_library(websockets STATIC ${PROJECT_BINARY_DIR}/lws.c)\n")
    header.write_text('#include "lws_config.h"\nextern "C" int lws_stand_in(void);\n')
    fallback.lay_out(
        "#include <libwebsockets.h>\n#define ON 0\nint main() { return lws_stand_in() + LIBEV; }\n",
        archive={"CMakeLists.txt": cmake, "include/libwebsockets.h": header})
    assert_builds(fallback)


@pytest.mark.parametrize("fallback", [ROOT / "subprojects/sqlite.wrap"], indirect=True)
def test_sqlite_builds_from_its_one_source_file(fallback, tmp_path):
    """With a stand-in for that file: distributions install the header alone."""
    source = tmp_path / "sqlite3.c"
    source.write_text('#include "sqlite3.h"\nint sqlite3_threadsafe(void) { return SQLITE_THREADSAFE; }\n')
    fallback.lay_out(
        "#include <sqlite3.h>\nint main() { return sqlite3_threadsafe() == 2 ? 0 : 1; }\n",
        archive={"sqlite3.c": source, "sqlite3.h": INCLUDE / "sqlite3.h"})
    assert_builds(fallback)


def test_without_a_download_the_missing_archive_is_named(fallback):
    fallback.lay_out("int main() {}\n", archive={})
    (fallback.project / "subprojects/packagecache" / fallback.source["source_filename"]).unlink()
    done = fallback.setup("--wrap-mode=nodownload", f"--force-fallback-for={fallback.wrap.stem}")
    assert done.returncode != 0
    assert "Automatic wrap-based subproject downloading is disabled" in done.stdout
    assert f"fallback subproject for the dependency {fallback.dependency}" in done.stdout


def assert_builds(fallback):
    done = fallback.setup("--wrap-mode=forcefallback")
    assert done.returncode == 0, done.stdout
    done = fallback.build()
    assert done.returncode == 0, done.stdout
    subprocess.run([fallback.project / "build/trial"], check=True)
