#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# scripts/demo: wirelab demo, two pictures of fifty lines or so, and a table of
# fifty; a key only on a terminal.

load ../lab/lab

setup() {
    export WIRELAB_LANG=en # the words that are compared
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
        line=${line/san-address-undefined\//} # readers have a shorter path
        [ "${#line}" -le 80 ] || { echo "too long: $line" && false; }
    done
}

# Both conversations, and then the table of the quick comparison, to its end.
is_whole() {
    [[ $1 == *"bin/wirelab demo"*"11 segments"*"2 datagrams"* ]]
    [[ $1 == *"2 datagrams"*"scripts/compare --quick"*"TCP and UDP, the same messages"* ]]
    [[ $1 == *"no loss, delay 10ms"*"loss 5%, delay 10ms"* ]]
    [[ ${1%$'\r'} == *"How to read this: docs/comparing.md" ]]
}

@test "on a terminal, at each Enter the next; off one all; two do not meet" {
    need_lab
    command -v script >/dev/null || skip "no script(1) here"
    "$demo" </dev/null >"$BATS_TEST_TMPDIR/off" 2>"$BATS_TEST_TMPDIR/err" &
    off=$! # <() has a process too
    cd /
    run script -qec "'$demo'" /dev/null < <(printf '\n\n')
    [ "$status" -eq 0 ]
    is_whole "$output"
    [[ $output == *"Enter: the same over UDP"*"2 datagrams"* ]]
    [[ $output == *"2 datagrams"*"Enter: TCP beside UDP under loss"*"1 of 20: "* ]]

    wait "$off" || { cat "$BATS_TEST_TMPDIR/err" && false; }
    run cat "$BATS_TEST_TMPDIR/off"
    is_whole "$output"
    [[ $output == *"[SYN_SENT]|- SYN seq=x"*"[TIME_WAIT]"*"11 segments"* ]]
    [[ $output != *$'\e'* ]]
    fits 120
}

@test "on a terminal q ends it at once" {
    need_lab
    command -v script >/dev/null || skip "no script(1) here"
    run script -qec "'$demo'" /dev/null < <(printf 'q\n')
    [ "$status" -eq 0 ]
    [[ $output == *"11 segments"*"q: quit"* ]]
    [[ $output != *compare* ]]
}

@test "each script for a person answers --help, and then does nothing else" {
    cd "$BATS_TEST_DIRNAME/../../scripts"
    for name in demo check setup compare report models fleet merge lint lang \
        recordings record-labs; do
        run timeout 10 ./$name --help
        [ "$status" -eq 0 ] || { echo "$name: $output" && false; }
        [[ ${lines[0]} == "Usage: scripts/$name"* ]] || {
            echo "$name: $output" && false
        }
        [[ $output == *Status:* ]]
        run timeout 10 ./$name --nosuch
        [ "$status" -eq 2 ] || { echo "$name: $output" && false; }
    done
}

@test "without the lab: both conversations on loopback, explained" {
    run "$loopback" "$bin" </dev/null
    [ "$status" -eq 0 ]
    [[ $output == *"listening tcp 127.0.0.1:"*"listening udp 127.0.0.1:"* ]]
    [ "$(grep -c '^hello$' <<<"$output")" -eq 2 ]
    fits 80
}
