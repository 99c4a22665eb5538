#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# scripts/demo: short, and waiting for a key on a terminal only.

setup() {
    demo="$BATS_TEST_DIRNAME/../../scripts/demo"
}

@test "off a terminal it shows both conversations and ends" {
    run "$demo" </dev/null
    [ "$status" -eq 0 ]
    [[ $output == *"listening tcp 127.0.0.1:"*"listening udp 127.0.0.1:"* ]]
    [ "$(grep -c '^hello$' <<<"$output")" -eq 2 ]
    [[ $output != *$'\e'* ]]
}

@test "each conversation is forty lines or so, and fits 80 columns" {
    run "$demo" </dev/null
    [ "${#lines[@]}" -le 80 ]
    for line in "${lines[@]}"; do
        [ "${#line}" -le 80 ] || { echo "too long: $line" && false; }
    done
}

@test "on a terminal q ends it after TCP, from any directory" {
    command -v script >/dev/null || skip "no script(1) here"
    cd /
    run script -qec "'$demo'" /dev/null <<<q
    [ "$status" -eq 0 ]
    [[ $output == *"Enter: the same over UDP   q: quit"* ]]
    [[ $output != *"listening udp"* ]]
}

@test "two at once do not meet" {
    "$demo" </dev/null >"$BATS_TEST_TMPDIR/one" &
    "$demo" </dev/null >"$BATS_TEST_TMPDIR/two"
    wait $!
    grep -q '^listening udp' "$BATS_TEST_TMPDIR/one"
    grep -q '^listening udp' "$BATS_TEST_TMPDIR/two"
}
