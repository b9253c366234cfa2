# All parts of scripts/test, several at a time. Sourced, not run.
#
# A lane does its steps one after another, and lanes run side by side: one computes; one waits (for clocks, for peers, for
# relays to start); one fetches (packages, images, browsers). The long suites that measure time are all in the lane
# that waits: they meet what computes, but not each other. A step's lines are printed at once when it has ended.
# shellcheck shell=bash disable=SC2154

computing=(
    asan_build bare:style bare:fuzz bare:wraps bare:python bare:example
    only_bare:readme_without_node bare:convergence
)
waiting=(e2e js proxies kubernetes readme bare:asan_chaos bare:cluster)
fetching=(bare packages compose browser asan_programs bare:tsan)

# side_by_side FUNCTION ARGUMENT...: calls it with each argument, all at a time; what each prints comes in one piece.
side_by_side() {
    local function=$1 argument children=()
    shift
    for argument in "$@"; do
        in_one_piece "$function" "$argument" &
        children+=($!)
    done
    wait "${children[@]}" || true
}

# in_one_piece COMMAND...: prints when it has ended.
in_one_piece() {
    local output
    output=$("$@" 2>&1) || true
    (
        flock 7
        [ -z "$output" ] || printf '%s\n' "$output"
    ) 7>"$reports/output.lock"
}

# step STEP: a part; after "bare:" in the bare root, if there is one; after "only_bare:" there or not at all.
step() {
    local name=${1#*:}
    case $1 in
        bare:* | only_bare:*)
            if bare_root_is_ready; then
                scripts/bare enter "$root" scripts/test --only "$name" </dev/null
            elif [[ $1 == bare:* ]]; then
                run_part "$name"
            fi
            ;;
        *) run_part "$1" ;;
    esac
}

# bare_root_is_ready: waits until that is known, which part bare says at its end.
bare_root_is_ready() {
    until [ -e "$reports/bare.state" ]; do sleep 0.2; done
    [ "$(cat "$reports/bare.state")" = ready ]
}

lane() {
    local step
    for step in "$@"; do
        in_one_piece measured_step "$step"
    done
}

# measured_step STEP: its last line says what it took of the cores, which is what a run's length comes from.
measured_step() {
    local costs=$reports/costs-${1#*:} start=$SECONDS
    step "$1"
    times >"$costs"
    awk -v name="${1#*:}" -v seconds=$((SECONDS - start)) \
        'NR == 2 {
            for (i = 1; i <= 2; ++i) { split($i, t, /[ms]/); cpu += t[1] * 60 + t[2] }
            printf "%-22s took %43d s, %d s of a core\n", name, seconds, cpu
        }' "$costs"
}

# run_lanes: each in a process group of its own, which an interruption ends.
run_lanes() {
    local lanes=()
    set -m
    lane "${fetching[@]}" &
    lanes+=($!)
    lane "${computing[@]}" &
    lanes+=($!)
    lane "${waiting[@]}" &
    lanes+=($!)
    set +m
    # shellcheck disable=SC2064 # now
    trap "end_lanes ${lanes[*]}" INT TERM HUP
    wait "${lanes[@]}" || true
    trap - INT TERM HUP
}

# end_lanes GROUP...: in a bare root only the last signal is heard; an engine has the time to stop its containers before.
end_lanes() {
    local lanes tenths
    trap '' INT TERM HUP
    echo "interrupted" >&2
    lanes=$(IFS=, && echo "$*")
    pkill -TERM -g "$lanes" || true
    for ((tenths = 0; tenths < 100; ++tenths)); do
        pgrep -r D,R,S,T -g "$lanes" >/dev/null || break
        sleep 0.1
    done
    pkill -KILL -g "$lanes" || true
    wait "$@" || true
    scripts/bare remove
    exit 130
}
