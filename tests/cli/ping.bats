#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# ping: numbered messages and their replies, over both protocols with the same
# options. What it says of a bad wire is tested in ../lab/measure.bats.
# Read next: stream.bats.
# shellcheck disable=SC2154 # set by helpers.bash
load helpers

# result FILTER: the jq filter holds for the `end` event that was printed.
result() {
    jq -es "map(select(.event == \"end\"))[0] | $1" "$out" >/dev/null ||
        fail "not '$1': $(tail -n 1 "$out")"
}

@test "a line a reply, the totals and a histogram, in every model" {
    for proto in tcp udp; do
        for model in $(models "${proto}_server"); do
            start "${proto}_server" -m "$model" --quiet 0
            exits 0 "${proto}_client" --ping -n 5 -i 1ms "$host" "$port"
            [ "$(grep -c "^64 bytes from $host:$port: number [0-4], " "$out")" \
                -eq 5 ] || fail "$(cat "$out")"
            grep -q '^5 sent, 5 received, 0 lost, 0 duplicated, 0 reor' "$out"
            grep -q '^round trip min .* p50 .* p90 .* p99 .* max ' "$out"
            grep -q '^  < .* %' "$out"
            stop
        done
    done
}

@test "the totals fit into 80 columns, in every language" {
    for proto in tcp udp; do
        for lang in en zh_CN; do
            start "${proto}_server" --quiet 0
            exits 0 "${proto}_client" --lang "$lang" --ping -n 20 -i 1ms \
                "$host" "$port"
            columns 79 <"$out"
            stop
            start "${proto}_server" --quiet -s sink 0
            exits 0 "${proto}_client" --lang "$lang" --stream --verify \
                --bytes 100K -l 1000 --rate 50mbit "$host" "$port"
            columns 79 <"$out"
            stop
        done
    done
}

@test "TCP tells its handshake apart, UDP has none" {
    start tcp_server --quiet 0
    exits 0 tcp_client --ping -n 1 "$host" "$port"
    grep -q '^handshake .*, apart' "$out"
    exits 0 tcp_client --json --ping -n 1 "$host" "$port"
    result '.connect_ns > 0'
    stop
    start udp_server --quiet 0
    exits 0 udp_client --json --ping -n 1 "$host" "$port"
    result '.connect_ns == null'
}

@test "every size, every interval; the buckets hold every round trip" {
    for proto in tcp udp; do
        start "${proto}_server" --quiet 0
        for size in 36 64 1472 9000 60000; do
            exits 0 "${proto}_client" --json --ping -n 20 -i 0 -l "$size" \
                "$host" "$port"
            result '.received == 20 and .lost == 0 and .late == 0'
            result '(.rtt_buckets | map(.[1]) | add) == 20'
            result '.rtt_min_ns <= .rtt_p50_ns and .rtt_p50_ns <= .rtt_p99_ns'
            result '.rtt_p99_ns <= .rtt_max_ns and .size_bytes == '"$size"
            jq -es 'map(select(.event == "reply").number) == [range(20)]' \
                "$out" >/dev/null
        done
        exits 0 "${proto}_client" --json --quiet --ping -n 20 -i 0 \
            --busy-poll --cpu 0 "$host" "$port"
        result '.received == 20 and .busy_poll and .cpu == "0"'
        lacks '"event":"reply"' "$out"
        exits 2 "${proto}_client" --ping -l 35 "$host" "$port"
        exits 2 "${proto}_client" --ping -l 70000 "$host" "$port"
        stop
    done
}

@test "every event is valid, and reports come while it runs" {
    for proto in tcp udp; do
        start "${proto}_server" --quiet 0
        exits 0 "${proto}_client" --json --ping -n 30 -i 10ms --report 50ms \
            "$host" "$port"
        jq -es 'map(select(.event == "report")) | length >= 2' "$out" >/dev/null
        status=0
        validate <"$out" >"$err" 2>&1 || status=$?
        [ "$status" -eq 77 ] || [ "$status" -eq 0 ] || fail "$(cat "$err")"
        stop
    done
}

@test "nobody answers: 5; nobody is there: 4; somebody else: said" {
    start udp_server --quiet -s discard 0
    exits 5 udp_client --ping -n 3 -i 1ms --timeout 50ms "$host" "$port"
    says 'no reply'
    stop
    start tcp_server --quiet -s discard 0
    exits 5 tcp_client --ping -n 3 -i 1ms --timeout 50ms "$host" "$port"
    stop
    exits 4 tcp_client --ping -n 3 -i 1ms "$host" "$port"
    exits 4 udp_client --ping -n 3 -i 10ms "$host" "$port"
    start tcp_server --quiet -s chargen 0
    exits 1 tcp_client --ping -n 3 -i 1ms "$host" "$port"
    says 'no echo server'
}

@test "a server that takes nothing: 5, and said so" {
    start tcp_server --quiet --accept-delay 1h 0
    exits 5 tcp_client --ping -n 10000 -i 1us -l 64Ki --timeout 100ms "$host" \
        "$port"
    says 'the server took nothing for the --timeout'
    stop
}

@test "behind its schedule it still takes the replies that come" {
    start tcp_server --quiet 0
    exits 0 tcp_client --json --quiet --ping -n 20000 -i 1us -l 1000 \
        --timeout 60s "$host" "$port"
    result '.received == 20000 and .lost == 0'
    stop
    for proto in tcp udp; do
        start "${proto}_server" --quiet 0
        status=0
        timeout "$PATIENCE" "${proto}_client" --json -v --ping -n 1000 -i 1us \
            "$host" "$port" >"$out" 2>"$err" || status=$?
        jq -es 'map(select(.event == "call").name)
            | index("recv") < rindex("send")' "$out" >/dev/null ||
            fail "all was sent before anything was received"
        stop
    done
}

@test "what its own receive buffer has no room for is said" {
    start tcp_server --quiet 0
    exits 0 tcp_client --ping --json -n 3 -i 0 "$host" "$port"
    result '.retransmits == 0 and .voluntary_switches_by_client != null'
    stop
    start peer udp_saves_up
    for _ in 1 2 3; do # the kernel may wake the client at once
        udp_client --ping --json -n 30 -i 1ms -l 1000 --rcvbuf 1 -t 500ms \
            "$host" "$port" >"$out" 2>"$err" || true
        result '.lost == .kernel_drops and .retransmits == null'
        (result '.lost > 0') && return
    done
    result '.lost > 0'
}

@test "a late reply ends nothing, over TCP too" {
    start peer echoes_late
    for interval in 0 300ms; do
        exits 0 tcp_client --json --quiet --ping -n 4 -i "$interval" \
            --timeout 200ms "$host" "$port"
        result '.sent == 4 and .received == 4 and .lost == 0 and .late >= 1'
    done
}

@test "the server ends in between: status 6, partial" {
    start tcp_server --quiet --close-first 0
    exits 6 tcp_client --json --ping -n 3 -i 100ms "$host" "$port"
    result '.partial and .exit_status == 6 and .received == 1'
    stop
    start udp_server --quiet -n 3 0
    exits 6 udp_client --json --ping -n 10 -i 50ms "$host" "$port"
    result '.partial and .exit_status == 6 and .received == 3'
}

@test "a signal ends it with what is known" {
    for proto in tcp udp; do
        start "${proto}_server" --quiet 0
        timeout --foreground -s INT 1 "${proto}_client" --json --ping -n 1000 -i 100ms \
            "$host" "$port" >"$out" 2>"$err" || status=$?
        result '.partial and .exit_status == 130 and .received > 0'
        stop
    done
}

@test "what does not go together is refused" {
    for proto in tcp udp; do
        for options in '--ping --stream' '-n 3' '-i 1s' '--busy-poll' \
            '--ping -R' '--ping -P 2' '--ping --bytes 3' '--ping --ask x' \
            '--ping --duration 1s' '--ping -n 0' '--report 1s' \
            '--ping --timeout 0' '--stream --timeout 0' \
            '--ping --cpu x' '--ping --verify' '--ping --rate 1mbit'; do
            # shellcheck disable=SC2086 # several words
            exits 2 "${proto}_client" $options 127.0.0.1 9
        done
    done
}
