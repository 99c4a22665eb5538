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

@test "times are the longest, and what is no amount is kept or unknown" {
    one='{"schema":1,"event":"end","answered":2,"requests_ns":5,"size_bytes":64,
        "rtt_mean_ns":7,"rtt_min_ns":7,"rtt_max_ns":7,"rtt_buckets":[[7,2]]}'
    jq -c . <<<"$one" >one.json
    jq -c '.requests_ns = 9 | .size_bytes = 65' <<<"$one" >two.json
    exits 0 "$scripts/merge" one.json two.json
    jq -e '.answered == 4 and .requests_ns == 9 and .size_bytes == null
        and .rtt_buckets == [[7, 4]]' "$out" >/dev/null || fail "$(cat "$out")"
    for core in 0 1; do
        echo '{"schema":1,"event":"end","delivered":1,"cpu_by_client":'$core'}'
    done >cores
    exits 0 "$scripts/merge" cores
    jq -e '.delivered == 2 and .cpu_by_client == null' "$out" >/dev/null ||
        fail "$(cat "$out")"
}

@test "what does not add up is refused, in one line that says where" {
    echo '{"schema":1,"event":"end","delivered":3,"sent":3}' >stream
    echo '{"schema":1,"event":"end","late":0,"sent":3,"rtt_buckets":[]}' >ping
    echo '{"schema":1,"event":"end","received_bytes":3}' >asked
    echo '{"schema":2,"event":"end","delivered":3}' >future
    head -c 30 stream >short
    printf '\377\n64 bytes\n' >garbage
    for files in 'stream ping:.*different measurements: ping, stream' \
        'asked:no measurement' 'stream asked:.*different measurements' \
        'future:schema 2' 'short stream:short: .*no JSON' \
        'garbage:garbage: .*no JSON' '.:[.]: .*directory'; do
        # shellcheck disable=SC2086 # several words
        exits 1 "$scripts/merge" ${files%%:*}
        [ "$(wc -l <"$err")" -eq 1 ] || fail "$(cat "$err")"
        says "^merge: ${files#*:}"
    done
}

@test "fleet runs a measurement from each host, and adds up" {
    need parallel
    start udp_server --quiet 0
    exits 0 "$scripts/fleet" : udp_client --json --quiet --ping -n 20 -i 0 \
        "$host" "$port"
    jq -e '.merged == 1 and .received == 20' "$out" >/dev/null
}

@test "fleet says which host gave no result, and its sum is partial" {
    need parallel
    mkdir bin
    printf '#!/bin/sh\necho "ssh: no way there" >&2\nexit 255\n' >bin/ssh
    chmod +x bin/ssh
    start udp_server --quiet 0
    PATH=$PWD/bin:$PATH exits 1 "$scripts/fleet" :,far udp_client --json \
        --quiet --ping -n 2 -i 0 "$host" "$port"
    says '^fleet: 1 of 2 hosts gave no result: far'
    jq -e '.merged == 1 and .received == 2 and .partial' "$out" >/dev/null ||
        fail "$(cat "$out")"
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
