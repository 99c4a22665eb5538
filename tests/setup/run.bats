#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# tests/run counts honestly: what is tested here is the tester.

setup() {
    run="$BATS_TEST_DIRNAME/../run"
    cd "$BATS_TEST_TMPDIR" || return
}

# A test program that prints its arguments as lines, then runs stdin.
tap() {
    name=$1 && shift
    { echo '#!/bin/sh' && printf 'echo "%s"\n' "$@" && cat; } >"$name"
    chmod +x "$name"
}

totals() { [ "${lines[${#lines[@]} - 1]}" = "$1" ]; }

@test "passed, failed and skipped are counted, and a failure is shown" {
    tap one 1..3 'ok 1 - a' 'not ok 2 - b' '# because' 'ok 3 # SKIP no c' \
        </dev/null
    run "$run" "$PWD/one"
    [ "$status" -eq 1 ]
    totals '1 passed, 1 failed, 1 skipped'
    [[ $output == *"not ok 2 - b"*"# because"* ]]
}

@test "a skip of cmocka's is a skip" {
    tap skips 1..2 'ok 1 - a' 'not ok 2 # SKIP b' </dev/null
    run "$run" "$PWD/skips"
    [ "$status" -eq 0 ]
    totals '1 passed, 0 failed, 1 skipped'
}

@test "a program that dies has failed, and so have the tests it owed" {
    tap dies 1..4 'ok 1' <<<'echo oops >&2; kill -SEGV $$'
    run "$run" "$PWD/dies"
    [ "$status" -eq 1 ]
    totals '1 passed, 3 failed, 0 skipped'
    [[ $output == *"ended by signal 11"* ]]
    [[ $output == *"stderr: oops"* ]]
}

@test "a bad exit status fails a file whose tests passed" {
    tap leaks 1..1 'ok 1' <<<'exit 99'
    run "$run" "$PWD/leaks"
    [ "$status" -eq 1 ]
    totals '1 passed, 1 failed, 0 skipped'
    [[ $output == *"ended with status 99"* ]]
}

@test "nothing at all is a failure" {
    tap nothing '' </dev/null
    run "$run" "$PWD/nothing"
    [ "$status" -eq 1 ]
    totals '0 passed, 1 failed, 0 skipped'
    tap skips '1..0 # SKIP not here' </dev/null
    run "$run" "$PWD/skips"
    [ "$status" -eq 1 ]
    totals '0 passed, 0 failed, 1 skipped'
}

@test "a file that hangs is ended, and does not hold up the others" {
    tap hangs 1..1 <<<'sleep 60'
    tap quick 1..1 'ok 1' </dev/null
    FILE_LIMIT=1 run "$run" "$PWD/hangs" "$PWD/quick"
    [ "$status" -eq 1 ]
    totals '1 passed, 1 failed, 0 skipped'
    [[ $output == *"took too long"* ]]
}

@test "in CI a skipped lab test has failed, where it could have run" {
    unshare -n true || unshare -Urn true || skip "no namespaces here"
    mkdir -p tests/lab
    cp "$run" tests/run
    printf '@test "a" { skip "no lab"; }\n' >tests/lab/one.bats
    CI=true SAN='' run tests/run tests/lab/one.bats
    [ "$status" -eq 1 ]
    totals '0 passed, 1 failed, 0 skipped'
}

@test "what fails beside others is tried once more, alone, and named" {
    tap late 1..1 <<<"[ -e $PWD/mark ] && echo ok || { >$PWD/mark; exit 1; }"
    tap quick 1..1 'ok 1' </dev/null
    NO_RETRY='' run "$run" "$PWD/late" "$PWD/quick"
    [ "$status" -eq 0 ]
    totals '2 passed, 0 failed, 0 skipped'
    [[ $output == *"passed only when run alone: $PWD/late"* ]]
    rm mark
    NO_RETRY=1 run "$run" "$PWD/late"
    [ "$status" -eq 1 ]
}
