#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# scripts/demo: one picture of forty lines or so; a key only on a terminal.

load ../lab/lab

setup() {
    demo="$BATS_TEST_DIRNAME/../../scripts/demo"
    loopback="$BATS_TEST_DIRNAME/../../scripts/loopback-demo"
    bin=${WIRELAB_BIN:-$BATS_TEST_DIRNAME/../../build/bin}
}

need_lab() {
    "$bin/wirelab" -q >/dev/null 2>&1 || skip "no two-host lab here"
}

fits() {
    [ "${#lines[@]}" -le "$1" ] || { echo "${#lines[@]} lines" && false; }
    for line in "${lines[@]}"; do
        [ "${#line}" -le 80 ] || { echo "too long: $line" && false; }
    done
}

@test "off a terminal it draws one conversation in forty lines, and ends" {
    need_lab
    run "$demo" </dev/null
    [ "$status" -eq 0 ]
    [[ $output == *"[SYN_SENT]|- SYN seq=x"*"[TIME_WAIT]"*"11 segments"* ]]
    [[ $output != *$'\e'* ]]
    fits 40
}

@test "on a terminal it offers what is next, and q ends it" {
    need_lab
    command -v script >/dev/null || skip "no script(1) here"
    cd /
    run script -qec "'$demo'" /dev/null < <(printf '\nq\n')
    [ "$status" -eq 0 ]
    [[ $output == *"Enter: the same over UDP"*"2 datagrams"* ]]
}

@test "two at once do not meet" {
    need_lab
    "$demo" </dev/null >"$BATS_TEST_TMPDIR/one" &
    "$demo" </dev/null >"$BATS_TEST_TMPDIR/two"
    wait $!
    grep -q '11 segments' "$BATS_TEST_TMPDIR/one"
    grep -q '11 segments' "$BATS_TEST_TMPDIR/two"
}

@test "without the lab: both conversations on loopback, explained" {
    run "$loopback" "$bin" </dev/null
    [ "$status" -eq 0 ]
    [[ $output == *"listening tcp 127.0.0.1:"*"listening udp 127.0.0.1:"* ]]
    [ "$(grep -c '^hello$' <<<"$output")" -eq 2 ]
    fits 80
}
