# How build directories are made. Sourced, not run.
# shellcheck shell=bash

# quietly COMMAND...: shows the output only of a command that fails.
quietly() {
    local output status=0
    output=$("$@" 2>&1 </dev/null) || status=$?
    [ "$status" -eq 0 ] || printf '%s\n' "$output" >&2
    return "$status"
}

# configure DIR MESON_OPTION...: sets DIR up, or changes it where it was set up otherwise.
configure() {
    local dir=$1 wanted
    shift
    wanted="$*"
    if [ ! -f "$dir/build.ninja" ]; then
        quietly meson setup "$dir" "$@" || return 1
    elif [ "$(cat "$dir/.options" 2>/dev/null)" != "$wanted" ]; then
        quietly meson configure "$dir" "$@" || return 1
    fi
    printf '%s\n' "$wanted" >"$dir/.options"
}

# compile DIR [TARGET...]: builds what changed; progress goes to standard error.
compile() {
    local dir=$1
    shift
    ninja -C "$dir" "$@" </dev/null >&2
}

# For meson: the sources of a room are compiled as one, which takes less than half of the time.
# shellcheck disable=SC2034
whole_rooms=(--unity=on --unity-size=40)
