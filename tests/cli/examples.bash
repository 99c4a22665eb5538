# SPDX-License-Identifier: MIT
#
# Runs the examples of a page of the documentation and compares what they
# print; ../session says how they are written.
# shellcheck shell=bash

# The N-th block fenced as ```console.
example_of_markdown() {
    awk -v n="$2" '/^```/ { shown = 0 }
        shown { print }
        /^```console/ { shown = ++count == n }' "$1"
}

# Runs the session SESSION. Two hosts at work at once do not always come first
# in the same order: a picture has three tries to be as it is shown.
run_session() {
    local tries=1 status=1
    [[ $1 != *'wirelab '* ]] || tries=3
    while [ "$status" -eq 1 ] && [ $((tries--)) -gt 0 ]; do
        status=0
        timeout 30 tests/session <<<"$1" || status=$?
    done
    return "$status"
}

# Runs all examples of FILE, which FUNCTION cuts out; prints those that fail.
run_examples() {
    local n=1 text status failed=0
    while text=$("$1" "$2" "$n") && [ -n "$text" ]; do
        status=0
        run_session "$text" || status=$?
        [ "$status" -ne 77 ] || skip "the lab cannot run here"
        [ "$status" -eq 0 ] || {
            failed=1
            echo "example $n of $2 does not print this (-) but that (+)"
        }
        n=$((n + 1))
    done
    return "$failed"
}
