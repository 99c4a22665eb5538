#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# stream: one-way bulk to a sink, over both protocols with the same options.
# What it says of a bad wire is tested in ../lab/measure.bats. Over UDP the
# runs are paced, so that no receive buffer overflows on a busy machine.
# Read next: udp.bats.
# shellcheck disable=SC2154 # set by helpers.bash
load helpers

# result FILTER: the jq filter holds for the `end` event that was printed.
result() {
    jq -es "map(select(.event == \"end\"))[0] | $1" "$out" >/dev/null ||
        fail "not '$1': $(tail -n 1 "$out")"
}

# sink PROTO MODEL OPTION...: starts one.
sink() {
    local program=$1_server model=$2
    shift 2
    start "$program" -m "$model" --quiet -s sink "$@" 0
}

@test "TCP: every byte arrives and is what was sent, in every model" {
    for model in $(models tcp_server); do
        sink tcp "$model"
        for reverse in '' --reverse; do
            for size in 36 1000 65537 1Mi; do
                # shellcheck disable=SC2086 # or nothing
                exits 0 tcp_client --json --stream $reverse --verify \
                    --bytes 300001 -l "$size" "$host" "$port"
                result '.lost == 0 and .corrupt == 0 and .duplicated == 0'
                result '.delivered_bytes == .sent_bytes'
                result '.sent_bytes >= 300001'
                result '.sent_bytes < 300001 + .size_bytes'
            done
        done
        stop
    done
}

# A busy machine may stall a receiver for longer than its buffer lasts: then
# the kernel drops, and exactly that is said.
@test "UDP: every datagram is accounted for, in every model" {
    for model in $(models udp_server); do
        sink udp "$model" --rcvbuf 4Mi
        for options in '' --reverse '--batch 16' '--reverse --batch 16'; do
            for size in 36 1000 9000; do
                status=0
                # shellcheck disable=SC2086 # several words
                timeout "$PATIENCE" udp_client --json --stream $options \
                    --verify --bytes 30K --rate 5mbit -l "$size" \
                    "$host" "$port" >"$out" 2>"$err" || status=$?
                result ".exit_status == $status"
                result '.sent * .size_bytes == .sent_bytes'
                result '.sent == .delivered + .lost'
                result '.delivered_bytes == .delivered * .size_bytes'
                result '.corrupt == 0 and .duplicated == 0'
                result '.lost <= .kernel_drops'
                result "(.lost == 0) == ($status == 0)"
            done
        done
        stop
    done
}

@test "UDP: what the receive buffer has no room for is the kernel's drop" {
    sink udp iterative --rcvbuf 4Ki
    for options in '--batch 64' '--reverse --rcvbuf 4Ki'; do
        status=0
        # shellcheck disable=SC2086 # several words
        timeout "$PATIENCE" udp_client -v --json --stream --bytes 5M -l 1000 \
            $options "$host" "$port" >"$out" 2>"$err" || status=$?
        [ "$status" -eq 6 ] || [ "$status" -eq 0 ] ||
            fail "$status $(cat "$err")"
        result '.sent == 5000 and .sent == .delivered + .lost'
        result '.lost <= .kernel_drops'
        # The receive waits itself: one call a datagram.
        result '(.reverse | not) or .syscalls_by_client < .delivered + 100'
        jq -es "any(.event == \"call\" and (.args | contains(\"RCVBUF\")))
            == (\"$options\" | contains(\"rcvbuf\"))" "$out" >/dev/null ||
            fail 'not the buffer that was asked for'
    done
}

# Unpaced, because only what is due can leave together. What the receiver has
# no room for is lost, and counted.
@test "UDP: a batch takes far fewer calls than datagrams, on both sides" {
    sink udp batch --rcvbuf 4Mi
    for reverse in '' --reverse; do
        status=0
        # shellcheck disable=SC2086 # or nothing
        timeout "$PATIENCE" udp_client --json --stream $reverse --batch 64 \
            --verify --bytes 20M -l 1000 "$host" "$port" >"$out" 2>"$err" ||
            status=$?
        result ".exit_status == $status"
        result '.sent == 20000 and .sent == .delivered + .lost'
        result '.delivered > 0 and .corrupt == 0 and .duplicated == 0'
        result '.mode == "gso" and .receive_mode == "gro"'
        result '10 * .syscalls_by_client < .sent'
        result '10 * .syscalls_by_server < .sent'
    done
}

@test "UDP: each side says how it sent or received, and nobody guesses" {
    sink udp iterative
    run_of=(exits 0 udp_client --json --stream --bytes 20K -l 1000
        --rate 5mbit --report 10ms)
    "${run_of[@]}" "$host" "$port"
    result '.mode == "send" and .receive_mode == "recv"'
    "${run_of[@]}" --batch 8 "$host" "$port"
    result '.mode == "gso" and .receive_mode == "recv"'
    "${run_of[@]}" -R --batch 8 "$host" "$port"
    result '.mode == "send" and .receive_mode == "gro"'
    jq -es 'map(select(.event == "report")) | length > 0
        and all(.mode == null and .receive_mode == null)' "$out" >/dev/null ||
        fail "$(grep report "$out")"
    stop
    sink udp batch --buffer 2000 # no room for a row
    "${run_of[@]}" "$host" "$port"
    result '.mode == "send" and .receive_mode == "recvmmsg"'
    "${run_of[@]}" -R "$host" "$port"
    result '.mode == "send" and .receive_mode == "recv"'
    "${run_of[@]}" -R --batch 1 "$host" "$port" # nothing to put together
    result '.mode == "sendmmsg" and .receive_mode == "gro"'
    stop
}

@test "UDP: batches of several at once are paced, and each gets its own" {
    sink udp batch --rcvbuf 4Mi
    exits 0 udp_client --json --stream -R --batch 16 -P 3 --verify \
        --bytes 60K -l 500 --rate 8mbit "$host" "$port"
    result '.sent == 360 and .delivered == 360 and .corrupt == 0'
    exits 0 udp_client --json --stream -R --batch 64 -l 1000 \
        --duration 500ms --rate 800kbit "$host" "$port"
    result '.sent >= 40 and .sent <= 52' # 100 a second
}

@test "parallel streams add up" {
    for proto in tcp udp; do
        sink "$proto" "$([ $proto = tcp ] && echo thread || echo iterative)"
        exits 0 "${proto}_client" --json --stream -P 3 --bytes 30K -l 1000 \
            --rate 8mbit "$host" "$port"
        result '.sent == 90 and .delivered == 90 and .streams == 3'
        stop
    done
}

# A UDP server has one thread and one socket for all: what they cost, and what
# was dropped there, is not counted once for each stream.
@test "parallel streams share what the server tells of itself" {
    sink udp iterative
    exits 0 udp_client --json --stream -P 4 --bytes 100K -l 1000 \
        --rate 4mbit "$host" "$port"
    result '.syscalls_by_server >= .delivered'
    result '.syscalls_by_server < 2 * .sent'
    stop
    sink udp iterative --rcvbuf 4Ki
    timeout "$PATIENCE" udp_client --json --stream -P 4 --bytes 5M -l 1000 \
        --batch 64 "$host" "$port" >"$out" 2>"$err" || true
    result '.lost <= .kernel_drops and .kernel_drops <= .sent'
    stop
}

# Time begins with the first message of each stream, so it is not in the rate:
# else three messages in two intervals would be half as fast again as the wire.
@test "the goodput leaves out the message that time begins with" {
    for proto in tcp udp; do
        sink "$proto" "$([ $proto = tcp ] && echo thread || echo iterative)"
        for options in '' --reverse '-P 2'; do
            # shellcheck disable=SC2086 # several words
            exits 0 "${proto}_client" --json --stream $options --bytes 3K \
                -l 1000 --rate 800kbit "$host" "$port"
            result '((.delivered_bytes - 1000 * .streams) * 8e9 / .elapsed_ns
                - .goodput_bps) | fabs <= 1'
        done
        exits 0 "${proto}_client" --json --stream --bytes 1K -l 1000 \
            "$host" "$port"
        result '.delivered == 1 and .goodput_bps == null'
        stop
    done
}

# paced CLIENT OPTION...: 100 messages a second, for half of one. What a busy
# machine delays is sent right after, but not what it delays to the end: so
# there are three tries not to be too slow.
paced() {
    local client=$1
    shift
    for _ in 1 2 3; do
        exits 0 "$client" --json --stream "$@" -l 1000 \
            --duration 500ms --rate 800kbit "$host" "$port"
        result '.sent <= 52'
        (result '.sent >= 40') && return
    done
    fail "too slow: $(tail -n 1 "$out")"
}

@test "it is paced, and says what it cost on both sides, in every model" {
    for proto in tcp udp; do
        for model in $(models "${proto}_server"); do
            sink "$proto" "$model"
            for reverse in '' --reverse; do
                paced "${proto}_client" $reverse
                result '.syscalls == .syscalls_by_client + .syscalls_by_server'
                result '.cpu_ns >= .cpu_ns_by_client'
            done
            stop
        done
    done
}

@test "a pace ends with its --duration, though the next is not due for long" {
    for proto in tcp udp; do
        sink "$proto" iterative
        for reverse in '' --reverse; do
            # shellcheck disable=SC2086 # or nothing
            exits 0 "${proto}_client" --json --stream $reverse -l 1000 \
                --duration 300ms --rate 1kbit "$host" "$port"
            result '.sent == 1 and .delivered == 1'
        done
        stop
    done
}

@test "between the datagrams of an unpaced stream the sink stays awake" {
    looks=()
    for options in '' '--rate 1mbit'; do
        start udp_server -s sink --explain --quiet 0
        # shellcheck disable=SC2086 # or nothing
        exits 0 udp_client --stream $options --bytes 5K -l 100 "$host" "$port"
        stop
        looks+=("$(grep -c MSG_DONTWAIT "$talk" || :)")
    done
    ((looks[0] > 0 && looks[1] == 0)) || fail "${looks[*]}"
}

@test "every event is valid, and reports come while it runs" {
    for proto in tcp udp; do
        sink "$proto" iterative
        for reverse in '' --reverse; do
            # shellcheck disable=SC2086 # or nothing
            exits 0 "${proto}_client" --json --stream $reverse -l 1000 \
                --duration 400ms --rate 1mbit --report 100ms "$host" "$port"
            jq -es 'map(select(.event == "report")) | length >= 2' "$out" \
                >/dev/null
            status=0
            validate <"$out" >"$err" 2>&1 || status=$?
            [ "$status" -eq 77 ] || [ "$status" -eq 0 ] || fail "$(cat "$err")"
        done
        stop
    done
}

@test "what is not known is not told as 0: in a report, at the end, in words" {
    for proto in tcp udp; do
        sink "$proto" iterative
        exits 0 "${proto}_client" --stream -l 1000 --duration 250ms \
            --rate 1mbit --report 100ms "$host" "$port"
        grep -qE '^[0-9.]+ s: [0-9]+ messages sent, [0-9.]+ Mbit/s$' "$out" ||
            fail "$(cat "$out")"
        lacks corrupt "$out"
        for reverse in '' --reverse; do
            # shellcheck disable=SC2086 # or nothing
            exits 0 "${proto}_client" --json --stream $reverse -l 1000 \
                --duration 250ms --rate 1mbit --report 100ms "$host" "$port"
            jq -es 'map(select(.event == "report")) | length > 0 and all(.[];
                .syscalls_by_client == null and .duplicated == null)' \
                "$out" >/dev/null || fail "$(cat "$out")"
        done
        stop
        start "${proto}_server" --quiet -s discard 0
        exits 5 "${proto}_client" --stream --verify --timeout 100ms \
            "$host" "$port"
        grep -q 'unknown delivered, unknown lost, .*, unknown corrupt$' "$out" ||
            fail "$(cat "$out")"
        stop
    done
}

@test "parallel streams to a server that serves one at a time: told" {
    sink tcp iterative
    exits 5 tcp_client --stream -P 2 --duration 500ms --timeout 200ms -l 1000 \
        --rate 100kbit "$host" "$port"
    says 'for --parallel with -m thread'
    stop
}

@test "a count that cannot be right is not believed" {
    start peer counts_wrongly
    exits 1 tcp_client --json --stream --bytes 8K -l 1000 "$host" "$port"
    says 'cannot be right: 9 came of 8'
    result '.sent == 8 and .delivered == null and .lost == null and .partial'
}

@test "a server that is no sink is found out: at once where it speaks" {
    for proto in tcp udp; do
        for service in echo chargen daytime; do
            start "${proto}_server" --quiet -s "$service" 0
            exits 1 "${proto}_client" --stream --timeout 10s "$host" "$port"
            says 'not a sink'
            stop
        done
        start "${proto}_server" --quiet -s discard 0
        exits 5 "${proto}_client" --json --stream --timeout 300ms \
            "$host" "$port"
        result '.partial and .delivered == null and .exit_status == 5'
        stop
    done
}

@test "nobody is there: status 4" {
    sink udp iterative
    stop
    exits 4 udp_client --stream "$host" "$port"
    exits 4 tcp_client --stream "$host" "$port"
}

@test "strangers and garbage change nothing; a sink never answers with more" {
    need socat
    sink udp iterative
    printf 'hello' | socat -t 0.1 - "UDP:$host:$port" >"$out"
    prints ''
    printf 'WLAB\1\3%252s' '' | socat -t 0.1 - "UDP:$host:$port" >"$out"
    prints ''
    exits 0 udp_client --json --stream --bytes 10K -l 1000 --rate 8mbit \
        "$host" "$port"
    result '.delivered == 10'
    stop
    sink tcp iterative
    printf 'WLAB\1\3 and so on: this is no message' |
        socat -t 1 - "TCP:$host:$port" >"$out"
    [ "$(wc -c <"$out")" -le 260 ] || fail "more than a greeting"
    exits 0 tcp_client --json --stream --bytes 10K "$host" "$port"
    result '.delivered == 1'
}

@test "a run that is over gives its place back" {
    sink udp iterative
    for options in '' --reverse '--rate 1kbit --duration 10s'; do
        # shellcheck disable=SC2086 # several words
        timeout -s INT 0.5 udp_client --stream -P 64 -l 100 --bytes 100 \
            $options "$host" "$port" >"$out" 2>"$err" || true
        [[ $(<"$err") != *'too many'* ]] || fail "$options: $(cat "$err")"
    done
    exits 0 udp_client --stream -P 64 -l 100 --bytes 100 "$host" "$port"
}

@test "the server is killed: status 6 with what is known, in both directions" {
    for reverse in '' --reverse; do
        sink udp iterative
        # shellcheck disable=SC2086 # or nothing
        udp_client --json --stream $reverse --duration 60s --rate 1mbit \
            -l 1000 --report 50ms "$host" "$port" >"$out" 2>"$err" &
        client=$!
        until grep -q '"event":"report"' "$out"; do sleep 0.05; done
        kill -KILL "$server"
        status=0
        wait "$client" || status=$?
        [ "$status" -eq 6 ] || fail "$reverse: status $status: $(cat "$err")"
        result '.partial and .exit_status == 6'
        wait "$server" || server=
    done
}

@test "a signal ends it with what is known" {
    for proto in tcp udp; do
        sink "$proto" iterative
        timeout --foreground -s INT 1 "${proto}_client" --json --stream --duration 60s \
            --rate 1mbit -l 1000 "$host" "$port" >"$out" 2>"$err" || true
        result '.partial and .exit_status == 130 and .sent > 0'
        stop
    done
}

@test "what does not go together is refused" {
    for proto in tcp udp; do
        for options in '--bytes 3' '-R' '-P 2' '--verify' \
            '--stream --bytes 3 --duration 1s' '--stream -P 0' '--stream -n 3' \
            '--stream --rate x' '--stream --ask x' '--stream --busy-poll'; do
            # shellcheck disable=SC2086 # several words
            exits 2 "${proto}_client" $options 127.0.0.1 9
        done
    done
    exits 2 udp_client --batch 3 127.0.0.1 9
    exits 2 udp_client --stream --unconnected 127.0.0.1 9
    exits 2 udp_server -m event --batch 3 0
    exits 2 udp_server --busy-poll -t 1s 0
}
