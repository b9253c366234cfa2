# libwebsockets and libzmq as static libraries, for the binary that goes into the Python wheel. Sourced, not run.
#
# Debian's own archives of the two cannot be used: its libwebsockets has libev only as a plugin that is loaded at run time
# (and brings a second libwebsockets along), its libzmq.a wants Kerberos, of which there is no static library, besides
# PGM and NORM. So they are built of Debian's sources, patches included, with what the relay uses. All the others
# (OpenSSL, SQLite, zlib, libev, hiredis, libsodium) are the archives of their -dev packages.
# shellcheck shell=bash

# static_libraries DIR: makes DIR/prefix, where it is not there yet for the versions that apt has.
static_libraries() {
    local dir=$1 versions
    mkdir -p "$dir"
    dir=$(cd "$dir" && pwd)
    versions="$(source_version libwebsockets-dev) $(source_version libzmq3-dev) $(cksum <"${BASH_SOURCE[0]}")"
    [ "$(cat "$dir/prefix/.versions" 2>/dev/null)" != "$versions" ] || return 0
    say "building libwebsockets and libzmq of Debian's sources"
    rm -rf "${dir:?}"/*
    (
        cd "$dir" || exit
        quietly fetch_sources libwebsockets zeromq3
        quietly static_library libwebsockets-* \
            -DDISABLE_WERROR=ON -DLWS_WITH_SHARED=OFF -DLWS_WITH_STATIC=ON -DLWS_WITH_LIBEV=ON \
            -DLWS_WITH_EVLIB_PLUGINS=OFF -DLWS_IPV6=ON -DLWS_UNIX_SOCK=ON -DLWS_WITH_ZLIB=ON \
            -DLWS_WITHOUT_EXTENSIONS=OFF -DLWS_WITH_SSL=ON -DLWS_WITH_HTTP2=OFF \
            -DLWS_WITH_SECURE_STREAMS=OFF -DLWS_WITHOUT_TESTAPPS=ON -DLWS_WITH_MINIMAL_EXAMPLES=OFF
        quietly static_library zeromq3-* \
            -DBUILD_SHARED=OFF -DBUILD_STATIC=ON -DBUILD_TESTS=OFF -DWITH_DOCS=OFF -DWITH_PERF_TOOL=OFF \
            -DENABLE_CPACK=OFF -DENABLE_WS=OFF -DENABLE_CURVE=ON -DWITH_LIBSODIUM=ON \
            -DWITH_LIBSODIUM_STATIC=ON -DWITH_LIBBSD=OFF -DCMAKE_UNITY_BUILD=ON -DCMAKE_UNITY_BUILD_BATCH_SIZE=1000
        pkgconfig_files prefix
        printf '%s\n' "$versions" >prefix/.versions
    )
}

source_version() { apt-cache policy "$1" | sed -n 's/^  Candidate: //p'; }

# fetch_sources NAME...: unpacked into this directory, from the mirrors that apt has its packages from, checked by its keys.
# The machine's own list of sources stays as it is.
fetch_sources() {
    local file options
    mkdir -p apt/parts apt/lists/partial apt/cache/archives/partial
    for file in /etc/apt/sources.list.d/*.sources; do
        [ ! -e "$file" ] || sed 's/^Types: deb$/Types: deb-src/' "$file" >"apt/parts/$(basename "$file")"
    done
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
        [ ! -e "$file" ] || sed -n 's/^deb /deb-src /p' "$file" >"apt/parts/$(basename "$file" .list).list"
    done
    options=(-q -o Dir::Etc::SourceList="$PWD/apt/none" -o Dir::Etc::SourceParts="$PWD/apt/parts"
        -o Dir::State::Lists="$PWD/apt/lists" -o Dir::Cache="$PWD/apt/cache" -o APT::Sandbox::User=root)
    apt-get "${options[@]}" update
    apt-get "${options[@]}" source --download-only "$@"
    for file in *.dsc; do dpkg-source --no-check -x "$file"; done
}

# static_library SOURCES CMAKE_OPTION...: built, and installed into ./prefix.
static_library() {
    local sources=$1
    shift
    [ -d "$sources" ] || return 1
    cmake -S "$sources" -B "$sources/static" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX="$PWD/prefix" \
        -DCMAKE_INSTALL_LIBDIR=lib -DCMAKE_POSITION_INDEPENDENT_CODE=ON -DCMAKE_POLICY_VERSION_MINIMUM=3.5 "$@"
    ninja -C "$sources/static" install
}

# pkgconfig_files PREFIX: what CMake writes of the two forgets the libraries that they need.
pkgconfig_files() {
    local prefix=$PWD/$1 folder=$1/lib/pkgconfig
    rm -rf "$folder"
    mkdir -p "$folder"
    pkgconfig_file libwebsockets '-lwebsockets -lev -lssl -lcrypto -lcap -lz' libwebsockets-*/
    pkgconfig_file libzmq '-lzmq -lsodium -lrt' zeromq3-*/
}

# pkgconfig_file NAME LIBS SOURCES
pkgconfig_file() {
    local version
    version=$(basename "$3" | sed 's/.*-//')
    printf 'Name: %s\nDescription: static\nVersion: %s\nLibs: -L%s/lib %s\nCflags: -I%s/include\n' \
        "$1" "$version" "$prefix" "$2" "$prefix" >"$folder/$1.pc"
}
