#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# What the programs print with --json is what docs/schema.json says, and
# nothing but: every program, every model, both families, with calls.
# Read next: validate.
# shellcheck disable=SC2154 # out and err are set by the helpers
load helpers

# has FILE EVENT...: FILE has these events. It is kept for all_valid.
has() {
    local file=$1 name
    shift
    cat "$file" >>all
    for name; do
        grep -q "\"event\":\"$name\"" "$file" ||
            fail "no event $name: $(cat "$file")"
    done
}

# log_has EVENT...: the same for the log of the server.
log_has() {
    printf '%s' "$log" >log
    has log "$@"
}

# All that a test has kept is valid: asked once, because Python starts slowly.
all_valid() {
    validate <all || fail "$seen"
}

# validate OPTION...: ./validate, by the first python3 in PATH or the system's,
# whichever has the module. Sets $seen to what it printed.
validate() {
    local script=$BATS_TEST_DIRNAME/validate input python status
    input=$(cat)
    for python in python3 /usr/bin/python3; do
        status=0
        seen=$("$python" "$script" "$@" <<<"$input") || status=$?
        [ "$status" -eq 77 ] || return "$status"
    done
    skip "no python module jsonschema here"
}

# The addresses that this machine has: IPv6 may be switched off.
loopbacks() {
    echo 127.0.0.1
    [ ! -e /proc/net/if_inet6 ] || echo ::1
}

@test "each model of tcp_server, and tcp_client, in both families" {
    for model in $(models tcp_server); do
        for address in $(loopbacks); do
            start tcp_server --json -v -m "$model" -n 1 "$address" 0
            exits 0 tcp_client --json --explain --ask hello "$host" "$port"
            has "$out" start call connected data closed end
            finish
            log_has start listening call connected closed end
        done
    done
    all_valid
}

@test "each model of udp_server, and udp_client, in both families" {
    for model in $(models udp_server); do
        for address in $(loopbacks); do
            start udp_server --json -v -m "$model" -n 1 "$address" 0
            exits 0 udp_client --json --explain --ask hello "$host" "$port"
            has "$out" start call datagram data end
            finish
            log_has start listening call datagram end
        done
    done
    all_valid
}

@test "UDP beside TCP, and the totals so far" {
    start tcp_server --json -m event --with-udp 0
    exits 0 udp_client --quiet --ask hello "$host" "$port"
    kill -USR1 "$server"
    await '"event":"report"'
    stop
    log_has start listening limit datagram report end
    all_valid
}

@test "endings that are not FIN: reset, time-out, refused, a signal" {
    start tcp_server --json -t 100ms 0
    exits 0 tcp_client --json --reset --ask hello "$host" "$port"
    has "$out" connected closed end
    exits 0 tcp_client --json --no-half-close "$host" "$port"
    stop
    log_has closed end
    event closed '.how == "reset" and .first_closer == "client"'
    event closed '.how == "timeout" and .first_closer == "server"'
    exits 4 udp_client --json -v --ask hello 127.0.0.1 1
    has "$out" start call end
    all_valid
}

@test "a load, and one that nobody answers" {
    start tcp_server --quiet -m event 0
    exits 0 tcp_client --json --load --requests 3 "$host" "$port"
    has "$out" start end
    stop
    exits 4 tcp_client --json --load --requests 3 127.0.0.1 1
    has "$out" start end
    all_valid
}

@test "ping, over both protocols, and without a reply" {
    for proto in tcp udp; do
        start "${proto}_server" --quiet 0
        exits 0 "${proto}_client" --json --ping -n 3 -i 1ms --report 1ms \
            "$host" "$port"
        has "$out" start reply report end
        stop
        exits 4 "${proto}_client" --json --ping -n 1 127.0.0.1 1
        has "$out" start end
    done
    all_valid
}

@test "streams, forward and reversed, in every model" {
    for proto in tcp udp; do
        for model in $(models "${proto}_server"); do
            start "${proto}_server" --json -m "$model" -s sink 0
            for direction in --verify --reverse; do # few: none is lost
                exits 0 "${proto}_client" --json --stream --bytes 28000 \
                    "$direction" "$host" "$port"
                has "$out" start end
            done
            stop
            log_has start listening end
        done
    done
    start udp_server --quiet 0
    exits 1 udp_client --json --stream --bytes 10K "$host" "$port"
    has "$out" start end
    all_valid
}

@test "bytes that are no text, and an argument that is none either" {
    start udp_server --json -v -n 1 0
    head -c 3000 /dev/urandom >bytes
    timeout "$PATIENCE" udp_client --json -v --block 3000 "$host" "$port" \
        <bytes >"$out"
    has "$out" data end
    jq -r 'select(.event == "data").base64' "$out" | base64 -d | cmp - bytes
    finish
    log_has call datagram end
    exits 5 udp_client --json --unconnected -t 10ms --ask $'\xff\x1b' \
        127.0.0.1 1
    has "$out" start end
    all_valid
}

@test "the lab's events, of TCP, UDP and ICMP" {
    local status=0
    [[ $WIRELAB_BIN != */san-thread/* ]] || skip "setns(2) wants no thread"
    # LeakSanitizer would want to trace the programs that the lab traces.
    export ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0
    timeout "$PATIENCE" wirelab --json --calls all \
        --rule 'drop client:data#1' -s 'tcp_server -n 1 server 9000' \
        -c 'tcp_client --ask hello server 9000' >"$out" 2>"$err" || status=$?
    [ "$status" -ne 77 ] || skip "$(tail -n 1 "$err")"
    [ "$status" -eq 0 ] || fail "$(cat "$err")"
    has "$out" start call frame state output exit end
    timeout "$PATIENCE" wirelab --json -6 -s 'udp_server -n 1 server 9000' \
        -c 'udp_client --ask hello server 9000' >"$out" 2>"$err"
    has "$out" start call frame output exit end
    timeout "$PATIENCE" wirelab --json --delay 1ms \
        -c 'udp_client --ask hello server 9000' >"$out" 2>"$err" || status=$?
    [ "$status" -eq 4 ]
    has "$out" frame exit end
    all_valid
}

@test "the schema notices each field that is missing or misnamed" {
    validate --strict <"$BATS_TEST_DIRNAME/../golden/events.json" ||
        fail "$seen"
}

@test "the schema notices values that are wrong" {
    validate --none <"$BATS_TEST_DIRNAME/../golden/not-events.json" ||
        fail "$seen"
}

@test "the results of scripts/compare, and the schema notices what they lack" {
    validate --strict <"$BATS_TEST_DIRNAME/../golden/compare.ndjson" ||
        fail "$seen"
}
