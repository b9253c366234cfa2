# What the project needs from the distribution, and how it gets there. Sourced, not run.
# Package names are those of Debian 12 and newer and of Ubuntu. Nothing here is asked for twice: what is
# installed already costs one dpkg-query, no apt-get and no network.
# shellcheck shell=bash disable=SC2034

build_packages=(
    cppzmq-dev g++ libcli11-dev libev-dev libhiredis-dev libspdlog-dev libsqlite3-dev libssl-dev
    libwebsockets-dev libwebsockets-evlib-ev libzmq3-dev meson ninja-build pkg-config rapidjson-dev zlib1g-dev
)

# For scripts/package: the static binary of the wheel; the Debian package.
static_packages=(binutils cmake dpkg-dev libcap-dev libsodium-dev libfmt-dev python3-build python3-setuptools python3-wheel)
deb_packages=(debhelper help2man lintian man-db systemd)

test_packages=(
    clang clang-format clang-tidy cmake curl doctest-dev git gunicorn iproute2 libclang-rt-dev make
    mypy nftables procps prometheus python3-build python3-celery python3-cryptography python3-django
    python3-eventlet python3-fastapi python3-flask python3-gevent python3-jwt python3-pip python3-pydantic python3-pytest
    python3-pytest-asyncio python3-pytest-xdist python3-setuptools python3-uvicorn python3-venv
    python3-websockets python3-wheel python3-yaml python3-zmq redis-sentinel redis-server shellcheck
)

# What builds the documentation (scripts/docs).
site_packages=(git mkdocs mkdocs-material python3-pymdownx python3-yaml)

# Installed by scripts/test only where CI=true: a user's machine gets no Docker engine, no browser and no proxy.
engine_packages=(debootstrap docker-compose docker.io)
browser_packages=(chromium firefox-esr)
proxy_packages=(apache2-bin caddy haproxy nginx)
browser_modules=(
    playwright-core@1.65.1 puppeteer-core@24.43.1 react-dom@19.3.1 react@19.3.1 vite@8.3.8
)
kubernetes_modules=(kubernetes-models@5.1.0 typescript@7.0.2)

say() { printf '== %s\n' "$*" >&2; }

fail() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# as_root COMMAND...: runs it as root, by sudo where this user is not root.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        say "asking sudo for: $*"
        sudo "$@"
    else
        fail "this needs root and there is no sudo; as root, run: $*"
    fi
}

# missing_packages NAME...: prints those that are not installed. dpkg-query fails for a name it has never
# heard of, which is an answer, too.
missing_packages() {
    local name installed
    installed=" $({ dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null || true; } |
        sed -n 's/^installed //p' | tr '\n' ' ')"
    for name in "$@"; do
        case $installed in *" $name "*) ;; *) printf '%s\n' "$name" ;; esac
    done
}

# install_missing NAME...: installs what is not there yet, without asking questions.
install_missing() {
    local missing
    if ! command -v apt-get >/dev/null; then
        say "no apt-get here; this relies on your having installed what these packages hold: $*"
        return
    fi
    missing=$(missing_packages "$@")
    [ -n "$missing" ] || return 0
    # shellcheck disable=SC2086 # a list of names
    set -- $missing
    say "installing $*"
    as_root apt-get update -qq </dev/null >&2
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        -o DPkg::Lock::Timeout=300 "$@" </dev/null >&2
}

# install_node_modules PACKAGE@VERSION...: into build/npm, where npm is there; tests that need them are
# skipped without. Two parts that do so at a time wait for each other.
install_node_modules() {
    local package lock
    command -v npm >/dev/null || return 0
    mkdir -p build/npm
    exec {lock}>build/npm/.lock
    flock "$lock"
    for package in "$@"; do
        [ -d "build/npm/node_modules/${package%@*}" ] && continue
        npm install --prefix build/npm --no-audit --no-fund --silent "$package" </dev/null >&2 ||
            say "npm could not install $package"
    done
    exec {lock}>&-
}
