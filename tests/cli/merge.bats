#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# merge and fleet: the results of many runs added up. What is added are counts
# and buckets, so that the sum of one result is that result, percentiles and
# all, and nothing is lost in a sum of several.
# Read next: ping.bats.
# shellcheck disable=SC2154 # set by helpers.bash
load helpers

scripts=$BATS_TEST_DIRNAME/../../scripts

@test "the merge of one result is that result" {
    for proto in tcp udp; do
        start "${proto}_server" --quiet 0
        for count in 1 2 10 500; do
            exits 0 "${proto}_client" --json --quiet --ping -n "$count" -i 0 \
                "$host" "$port"
            cmp <(jq -S 'select(.event == "end")' "$out") \
                <("$scripts/merge" "$out" | jq -S 'del(.merged)')
        done
        stop
    done
}

@test "counts and buckets add up, extremes stay" {
    start udp_server --quiet 0
    for run in 1 2 3; do
        exits 0 udp_client --json --quiet --ping -n "${run}00" -i 0 \
            "$host" "$port"
        grep '"event":"end"' "$out" >"end.$run"
    done
    "$scripts/merge" end.* >sum
    jq -es '.[0] as $sum | .[1:] as $all
        | $sum.merged == 3 and $sum.sent == 600 and $sum.received == 600
        and $sum.rtt_min_ns == ($all | map(.rtt_min_ns) | min)
        and $sum.rtt_max_ns == ($all | map(.rtt_max_ns) | max)
        and ($sum.rtt_buckets | map(.[1]) | add) == 600
        and $sum.rtt_p50_ns >= ($all | map(.rtt_p50_ns) | min)
        and $sum.rtt_p50_ns <= ($all | map(.rtt_p50_ns) | max)' sum end.* \
        >/dev/null || fail "$(cat sum)"
}

@test "what one does not know, the sum does not know; its status is kept" {
    start udp_server --quiet -s sink 0
    exits 0 udp_client --json --stream --bytes 10K -l 1000 --rate 8mbit \
        "$host" "$port"
    cp "$out" known
    stop
    start udp_server --quiet -s discard 0
    exits 5 udp_client --json --stream --timeout 200ms "$host" "$port"
    "$scripts/merge" known "$out" >sum
    jq -e '.delivered == null and .partial and .exit_status == 5' sum \
        >/dev/null || fail "$(cat sum)"
}

@test "no result is an error, not an empty sum" {
    exits 1 "$scripts/merge" </dev/null
    exits 1 "$scripts/merge" <<<'{"event":"start"}'
}

@test "fleet runs a measurement from each host, and adds up" {
    need parallel
    start udp_server --quiet 0
    exits 0 "$scripts/fleet" : udp_client --json --quiet --ping -n 20 -i 0 \
        "$host" "$port"
    jq -e '.merged == 1 and .received == 20' "$out" >/dev/null
}

@test "fleet and merge say how they are used" {
    exits 2 "$scripts/fleet" :
    says '^Usage: scripts/fleet HOSTS COMMAND'
    exits 0 "$scripts/fleet" --help
    grep -q '^Usage: scripts/fleet HOSTS COMMAND' "$out"
    exits 0 "$scripts/merge" --help
    grep -q '^Usage: scripts/merge FILE' "$out"
    exits 1 "$scripts/merge" </dev/null
    says '^merge: no .end. event'
    exits 1 "$scripts/merge" none
    says '^merge: none: '
}
