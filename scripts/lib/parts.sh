# The parts of scripts/test. Sourced, not run. A part may run beside others, in a process of its own.
# shellcheck shell=bash disable=SC2154

fuzz_seconds=8
# Line numbers are all that a sanitizer's report needs; more would double the time of compiling.
sanitize=(--buildtype=debug -Dcpp_args=-g1 -Db_lundef=false "${whole_rooms[@]}")

# build DIR TARGETS MESON_OPTION...: once a run, whichever part asks first, and everything for TARGETS "all". What does
# not build counts as a failed test.
build() {
    local dir=$1 name status=0 lock
    name=build-$(basename "$dir")
    exec {lock}>"$reports/$name.lock"
    flock "$lock"
    if [ ! -e "$reports/$name.state" ]; then
        build_now "$name" "$@" || true
    fi
    [ "$(cat "$reports/$name.state")" = built ] || status=1
    exec {lock}>&-
    return "$status"
}

# build_now NAME DIR TARGETS MESON_OPTION...
build_now() {
    local name=$1 dir=$2 targets=$3 start=$SECONDS
    shift 3
    # shellcheck disable=SC2086 # a list of targets
    if (configure "$dir" "$@" && compile "$dir" $targets) >"$reports/$name.log" 2>&1; then
        echo built >"$reports/$name.state"
        printf '%-22s built %42d s\n' "$name" $((SECONDS - start))
    else
        echo failed >"$reports/$name.state"
        finish "$name" 1 0 1 0 "$start"
    fi
}

# As who calls meson without options gets it: each file by itself, so that each says what it needs.
release() { build build syncrelay --buildtype=release --unity=off -Dtests=true; }

# With the places where tests make the relay crash.
asan_build() {
    build build/asan all "${sanitize[@]}" -Doptimization=g -Dtests=true -Db_sanitize=address,undefined \
        -Dcrash_points=true
}

# Not optimized, so without the compiler's guards: in their headers recv has a body, for clang a second one beside ours.
part_style() {
    quietly configure build/tidy -Doptimization=0 "${whole_rooms[@]}" || return
    quietly compile build/tidy generated_sources || return
    run_pytest style -n 2 tests/style
}

part_wraps() { run_pytest wraps tests/wraps; }

# The optimized build. A whole run leaves these two to the sanitized one, which has the same tests (part asan).
part_unit() { release_program unit unit_tests; }

part_component() { release_program component component_tests; }

release_program() {
    local program=tests/$1/$2
    release && run_check "build-$1" compile build "$program" && [ "$(failures)" -eq 0 ] || return
    run_doctest "$1" "build/$program"
}

part_e2e() {
    release || return
    SYNCRELAY_BINARY=$root/build/syncrelay run_pytest e2e -n 4 tests/e2e
    SYNCRELAY_BINARY=$root/build/syncrelay run_pytest chaos tests/chaos
    # Seeds of three relays, which the sanitized one (part convergence) is too slow for.
    SYNCRELAY_BINARY=$root/build/syncrelay run_pytest cluster-seeds -n 2 tests/convergence/test_cluster.py
}

part_python() {
    release || return
    run_check mypy /usr/bin/python3 -m mypy --strict --cache-dir build/mypy clients/python/src
    SYNCRELAY_UNDER_TEST=1 SYNCRELAY_BINARY=$root/build/syncrelay run_pytest python clients/python/tests
}

part_js() {
    local major lock
    major=$(node -p 'process.versions.node.split(".")[0]' 2>/dev/null || echo 0)
    if [ "$major" -lt 20 ] || ! command -v npm >/dev/null; then
        left_out js "clients/js needs Node 20 or newer, and npm"
        return
    fi
    release || return
    exec {lock}<clients/js # where scripts/package packs: one at a time
    flock "$lock"
    run_check js-install npm --prefix clients/js ci --no-audit --no-fund
    run_check js-lint npm --prefix clients/js run lint
    run_check js-build npm --prefix clients/js run build
    run_check js-reference node scripts/lib/site/typescript_api.mjs --check
    run_check js-bundle cmp clients/js/dist/syncrelay.min.js examples/backend/page/syncrelay.js
    SYNCRELAY_BINARY=$root/build/syncrelay run_vitest js clients/js
    exec {lock}<&-
}

part_example() {
    release || return
    SYNCRELAY_BINARY=$root/build/syncrelay run_pytest example tests/example
    SYNCRELAY_BINARY=$root/build/syncrelay run_pytest monitoring -n 2 tests/monitoring
}

part_readme() {
    install_missing "${site_packages[@]}"
    release || return
    SYNCRELAY_UNDER_TEST=1 run_pytest readme tests/readme
    run_pytest docs -n 2 tests/docs
}

# Without Node, which README's browser code needs: for a bare root.
part_readme_without_node() {
    install_missing "${site_packages[@]}"
    release || return
    SYNCRELAY_UNDER_TEST=1 run_pytest readme-without-node tests/readme -k "not javascript and not wscat"
    run_pytest docs-without-node -n 2 tests/docs -k "not javascript"
}

part_asan() {
    part_asan_programs && part_asan_chaos && part_asan_e2e
}

part_asan_build() { asan_build; }

part_asan_programs() {
    asan_build || return
    local -x ASAN_OPTIONS=detect_stack_use_after_return=1
    local -x UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
    run_doctest asan-unit build/asan/tests/unit/unit_tests
    run_doctest asan-component build/asan/tests/component/component_tests
}

part_asan_chaos() {
    with_asan_relay asan-chaos tests/chaos
    with_asan_relay asan-crashes -n 2 tests/e2e/test_durability.py tests/e2e/test_formats.py tests/e2e/test_messages.py
}

# A whole run leaves these to scripts/soak, but those that make the relay crash: the plain relay has passed them.
part_asan_e2e() { with_asan_relay asan-e2e -n 4 tests/e2e; }

# with_asan_relay NAME PYTEST_ARGUMENT...
with_asan_relay() {
    asan_build || return
    local -x SYNCRELAY_BINARY=$root/build/asan/syncrelay
    local -x SYNCRELAY_CRASH_BINARY=$SYNCRELAY_BINARY
    local -x ASAN_OPTIONS=detect_stack_use_after_return=1
    local -x UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
    run_pytest "$@"
}

part_convergence() {
    asan_build || return
    SYNCRELAY_CRASH_BINARY=$root/build/asan/syncrelay run_pytest convergence -n 2 tests/convergence
}

# The log that relays share, against real Redis processes.
part_cluster() {
    asan_build || return
    SYNCRELAY_LOG_DRIVER=$root/build/asan/tests/cluster/log_driver run_pytest cluster -n 2 tests/cluster
}

part_tsan() {
    build build/tsan tests/component/component_tests "${sanitize[@]}" -Doptimization=1 -Dtests=true \
        -Db_sanitize=thread || return
    TSAN_OPTIONS="suppressions=$root/tests/tsan.supp:second_deadlock_stack=1" \
        run_doctest tsan-component build/tsan/tests/component/component_tests
}

# Two at a time: a fuzzer has one thread.
part_fuzz() {
    local source targets=()
    for source in tests/fuzz/*_fuzz.cpp; do
        targets+=("tests/fuzz/$(basename "$source" .cpp)")
    done
    CXX=clang++ build build/fuzz "${targets[*]}" "${sanitize[@]}" -Doptimization=1 -Dfuzz=true \
        -Dtests=false || return
    while [ ${#targets[@]} -gt 0 ]; do
        side_by_side fuzz "${targets[@]::2}"
        targets=("${targets[@]:2}")
    done
}

# fuzz TARGET: from the corpus that is kept, for some seconds; what it finds anew stays under build.
fuzz() {
    local name found
    name=$(basename "$1")
    found=$reports/fuzz/$name
    mkdir -p "$found"
    run_check "$name" "build/fuzz/$1" -max_total_time="$fuzz_seconds" -timeout=5 \
        -rss_limit_mb=1024 -artifact_prefix="$found-" "$found" "tests/fuzz/corpus/$name"
}

part_browser() {
    [ "${CI:-}" != true ] || install_missing "${browser_packages[@]}"
    install_node_modules "${browser_modules[@]}"
    release && SYNCRELAY_BINARY=$root/build/syncrelay run_pytest browser tests/browser
}

part_proxies() {
    [ "${CI:-}" != true ] || install_missing "${proxy_packages[@]}"
    release && SYNCRELAY_BINARY=$root/build/syncrelay run_pytest proxies -n 2 tests/proxies
}

# The example's manifests, by Kubernetes' own types; no Kubernetes runs.
part_kubernetes() {
    [ "${CI:-}" != true ] || install_missing python3-yaml
    install_node_modules "${kubernetes_modules[@]}"
    release && SYNCRELAY_BINARY=$root/build/syncrelay run_pytest kubernetes tests/kubernetes
}

part_compose() {
    if [ "${CI:-}" = true ] && ! docker info >/dev/null 2>&1; then
        install_missing "${engine_packages[@]}"
    fi
    run_pytest compose tests/compose
}

# What users install, made by scripts/package, and used; in a bare root where one can be made. A whole run saves two
# minutes of compiling: its Debian package has the program that the other parts test, and the wheel's is less optimized.
# By name, and in a release, both are compiled as users get them.
part_packages() {
    local names=(client wheel deb)
    local -x BUILT_PROGRAM='' OPTIMIZATION=3
    if command -v npm >/dev/null; then names+=(npm); fi
    [ "${CI:-}" = true ] || [ -z "$(missing_packages "${static_packages[@]}" "${deb_packages[@]}")" ] || {
        left_out packages "scripts/package installs what it needs; here that is done where CI=true"
        return
    }
    if [ "$whole_run" = yes ]; then
        release || return
        BUILT_PROGRAM=$root/build/syncrelay OPTIMIZATION=1
    fi
    run_check package scripts/package "${names[@]}"
    [ "$(failures)" -eq 0 ] && part_made
}

# What lies in dist/. scripts/release asks for it, of the files that it tags.
part_made() { run_pytest packages tests/packages; }

# Both commands of the README on a Debian that has nothing else. The root stays for the parts that run in it.
part_bare() {
    [ "${CI:-}" != true ] || command -v debootstrap >/dev/null || install_missing debootstrap
    run_pytest bare tests/bare
    if [ "$(failures)" -eq 0 ] && scripts/bare possible >/dev/null; then
        echo ready >"$reports/bare.state"
    else
        echo none >"$reports/bare.state"
    fi
}

# run_part PART: a part that stops early without having said why is a failure, too.
run_part() {
    part=$1
    rm -f "$results/$part"
    if ! "part_$part" && [ "$(failures)" -eq 0 ]; then
        record "$part" 0 1 0 0
    fi
}
