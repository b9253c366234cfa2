# Runs test programs and adds up what they say about themselves. Sourced, not run.
# Each program's output goes to a log in build/reports and is shown when something in it failed.
# shellcheck shell=bash disable=SC2154

reports=build/reports
# A file for each part, in it a line for each program: NAME PASSED FAILED SKIPPED SECONDS. Parts run side by side.
results=$reports/results

# record NAME PASSED FAILED SKIPPED SECONDS: adds to the results of $part, and prints the line of this program.
record() {
    printf '%s %d %d %d %d\n' "$@" >>"$results/$part"
    local word=ok
    [ "$3" -eq 0 ] || word=FAILED
    printf '%-22s %-6s %4d passed %3d failed %3d skipped %5d s\n' "$1" "$word" "$2" "$3" "$4" "$5"
}

# name_failed NAME: the tests that failed, by the program's report, else by its output.
name_failed() {
    local report=$reports/$1.xml
    [ -e "$report" ] || report=$reports/$1.log
    /usr/bin/python3 scripts/lib/failed_tests.py "$report" || true
}

# show_log NAME: the end of a failed program's output.
show_log() {
    printf -- '---- %s (whole log: %s)\n' "$1" "$reports/$1.log"
    tail -n 60 "$reports/$1.log"
    printf -- '----\n'
}

# finish NAME STATUS PASSED FAILED SKIPPED START: a program that fails without naming a failed test
# (a crash, a sanitizer's report at exit, no test at all) counts as one failure.
finish() {
    local failed=$4
    if [ "$2" -ne 0 ] && [ "$failed" -eq 0 ]; then failed=1; fi
    if [ "$2" -eq 0 ] && [ $(($3 + $5)) -eq 0 ]; then failed=1; fi
    record "$1" "$3" "$failed" "$5" $((SECONDS - $6))
    [ "$failed" -ne 0 ] || return 0
    name_failed "$1"
    show_log "$1"
}

# run_check NAME COMMAND...: one command, one test.
run_check() {
    local name=$1 start=$SECONDS status=0
    shift
    "$@" >"$reports/$name.log" 2>&1 </dev/null || status=$?
    if [ "$status" -eq 0 ]; then finish "$name" 0 1 0 0 "$start"; else finish "$name" 1 0 1 0 "$start"; fi
}

# run_doctest NAME EXECUTABLE ARGUMENT...
run_doctest() {
    local name=$1 start=$SECONDS status=0 counts
    shift
    "$@" >"$reports/$name.log" 2>&1 </dev/null || status=$?
    counts=$(sed -n 's/.*test cases: *[0-9]* | *\([0-9]*\) passed | *\([0-9]*\) failed.*/\1 \2/p' \
        "$reports/$name.log" | tail -n 1)
    # shellcheck disable=SC2086 # two numbers
    set -- ${counts:-0 0}
    finish "$name" "$status" "$1" "$2" 0 "$start"
}

# run_pytest NAME ARGUMENT...
run_pytest() {
    local name=$1 start=$SECONDS status=0 suite total bad skipped
    shift
    rm -f "$reports/$name.xml"
    /usr/bin/python3 -m pytest -q -rs -p no:cacheprovider --junitxml="$reports/$name.xml" "$@" \
        >"$reports/$name.log" 2>&1 </dev/null || status=$?
    suite=$(grep -o '<testsuite [^>]*>' "$reports/$name.xml" 2>/dev/null | head -n 1)
    total=$(attribute tests "$suite")
    bad=$(($(attribute failures "$suite") + $(attribute errors "$suite")))
    skipped=$(attribute skipped "$suite")
    finish "$name" "$status" $((total - bad - skipped)) "$bad" "$skipped" "$start"
    sed -n "s/^SKIPPED \[[0-9]*\]/  skipped:/p" "$reports/$name.log"
}

# run_vitest NAME DIR: the tests of a JavaScript package.
run_vitest() {
    local name=$1 dir=$2 start=$SECONDS status=0 suites total bad skipped
    rm -f "$reports/$name.xml"
    (cd "$dir" && NO_COLOR=1 npx vitest run --reporter=default \
        --reporter=junit --outputFile.junit="$OLDPWD/$reports/$name.xml") \
        >"$reports/$name.log" 2>&1 </dev/null || status=$?
    suites=$(grep -o '<testsuites [^>]*>' "$reports/$name.xml" 2>/dev/null | head -n 1)
    total=$(attribute tests "$suites")
    bad=$(($(attribute failures "$suites") + $(attribute errors "$suites")))
    skipped=$(grep -c '<skipped' "$reports/$name.xml" 2>/dev/null || true)
    finish "$name" "$status" $((total - bad - ${skipped:-0})) "$bad" "${skipped:-0}" "$start"
}

# attribute NAME TAG: the number in an XML tag's attribute, 0 without it.
attribute() {
    local value
    value=$(sed -n "s/.* $1=\"\([0-9]*\)\".*/\1/p" <<<"$2")
    printf '%s' "${value:-0}"
}

# left_out NAME REASON: a part that cannot run here counts as one skipped test.
left_out() {
    record "$1" 0 0 1 0
    printf '  skipped: %s\n' "$2"
}

# failures: how many have been recorded in this part so far.
failures() { counted | awk '{ failed += $3 } END { print failed + 0 }'; }

counted() { cat "$results/$part" 2>/dev/null || true; }

# summary: the last line of the run; false when anything failed.
summary() {
    cat "$results"/* | awk '
        { passed += $2; failed += $3; skipped += $4 }
        END {
            printf "%d passed, %d failed", passed, failed
            if (skipped) printf ", %d skipped", skipped
            print ""
            exit failed > 0
        }'
}
