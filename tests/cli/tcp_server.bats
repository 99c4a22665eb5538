#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# tcp_server: each service and each option, in every model that --models lists.
# Read next: tcp_closing.bats, about how connections end.
# shellcheck disable=SC2030,SC2031,SC2034,SC2094,SC2154 # set by helpers.bash
load helpers

@test "every model and every service is listed, a line each" {
    exits 0 tcp_server --models
    for model in iterative fork thread; do
        grep -qE "^$model +[a-z]" "$out"
    done
    exits 0 tcp_server --services
    for service in 'echo .*RFC 862' 'discard .*863' 'chargen .*864' \
        'daytime .*867'; do
        grep -qE "^$service" "$out"
    done
}

@test "echo sends back what comes (RFC 862)" {
    for model in $(models tcp_server); do
        start tcp_server -m "$model" -s echo 0
        exits 0 tcp_client "$host" "$port" < <(printf 'a\0b\r\n\377 no newline')
        cmp "$out" <(printf 'a\0b\r\n\377 no newline')
        stop
        logged 'closed by the client \(FIN\), 17 bytes in, 17 out$'
    done
}

@test "discard throws away what comes (RFC 863)" {
    for model in $(models tcp_server); do
        start tcp_server -m "$model" -s discard 0
        exits 0 tcp_client "$host" "$port" <<<hello
        prints ''
        stop
        logged 'closed by the client \(FIN\), 6 bytes in, 0 out$'
    done
}

# The pattern of RFC 864: so many lines of 72 of the 95 printable characters.
pattern() {
    awk -v lines="$1" 'BEGIN {
        for (i = 32; i < 127; i++) all = all sprintf("%c", i)
        all = all all
        for (i = 0; i < lines; i++)
            printf "%s\r\n", substr(all, i % 95 + 1, 72)
    }'
}

@test "chargen sends lines, each a character further on (RFC 864)" {
    for model in $(models tcp_server); do
        start tcp_server -m "$model" -s chargen --quiet 0
        tcp_client "$host" "$port" </dev/null 2>/dev/null |
            head -c 74000 >"$out" || true
        cmp "$out" <(pattern 1000)
        stop
    done
}

# More than the buffers between them hold: of a server that only sent the client
# would never get rid of it. The output is read until that has happened.
@test "chargen throws away what it is sent" {
    for model in $(models tcp_server); do
        start tcp_server -m "$model" -s chargen 0
        rm -f all over
        { head -c 20000000 /dev/zero && touch all; touch over; } |
            timeout "$PATIENCE" tcp_client "$host" "$port" 2>/dev/null |
            { until [ -e over ]; do head -c 74000; done; } |
            tail -c 74 >"$out" || true
        [ -e all ]
        [ -s "$out" ]
        stop
        logged '[0-9]{7} bytes in'
    done
}

@test "daytime sends one line and closes (RFC 867)" {
    for model in $(models tcp_server); do
        start tcp_server -m "$model" -s daytime 0
        exits 0 env LC_ALL=C tcp_client --until-peer "$host" "$port" </dev/null
        grep -qE "^[A-Z][a-z]+day, .* $(date +%Y) [0-9:]{8}-.*"$'\r$' "$out"
        [ "$(wc -l <"$out")" -eq 1 ]
        stop
        logged 'closed by the (server|client) \(FIN\), 0 bytes in, [0-9]+ out$'
    done
}

@test "-n 2: the server ends after two connections" {
    for model in $(models tcp_server); do
        start tcp_server -m "$model" -n 2 0
        exits 0 tcp_client --ask one "$host" "$port"
        exits 0 tcp_client --ask two "$host" "$port"
        prints $'two\n'
        finish
        [ "$status" -eq 0 ]
        logged '^total tcp: 2 connections, 0 open, 0 failed, 8 bytes in, 8 out$'
    done
}

@test "-n 1: the connection that is open ends before the server does" {
    for model in $(models tcp_server); do
        start tcp_server -m "$model" -n 1 0
        hold "$host" "$port"
        await '#1 .*connected'
        let_go
        finish
        [ "$status" -eq 0 ]
        logged '#1 .* closed by the client \(FIN\)'
    done
}

@test "a client too many waits until another leaves" {
    for model in $(models tcp_server); do
        limit=(--max-clients 1)
        [ "$model" = iterative ] && limit=()
        start tcp_server -m "$model" "${limit[@]}" 0
        hold "$host" "$port"
        await '#1 .*connected \(1 open\)'
        tcp_client --ask second "$host" "$port" >second 2>&1 3>&- &
        second=$!
        let_go
        wait "$second"
        [ "$(<second)" = second ]
        stop
        [ "$(grep -cE 'connected \(1 open\)' <<<"$log")" -eq 2 ]
    done
}

@test "many clients at once, each served" {
    for model in $(models tcp_server); do
        start tcp_server -m "$model" 0
        clients=()
        for i in {1..20}; do
            tcp_client --ask "client $i" "$host" "$port" >"answer.$i" 3>&- &
            clients+=($!)
        done
        for client in "${clients[@]}"; do
            wait "$client"
        done
        stop
        for i in {1..20}; do
            [ "$(<"answer.$i")" = "client $i" ]
        done
        logged '^total tcp: 20 connections, 0 open, 0 failed'
    done
}

@test "a group has no TCP server: status 3, and the other protocol" {
    for group in 224.0.0.1 239.1.2.3 ff02::1%lo; do
        exits 3 tcp_server "$group" 0
        says "^tcp_server: bind .*:0: a multicast group"
        says 'udp_server --join'
        prints ''
    done
}

@test "--backlog: so many and one more may wait for accept, the next may not" {
    for model in $(models tcp_server); do
        limit=(--max-clients 1)
        [ "$model" = iterative ] && limit=()
        start tcp_server -m "$model" "${limit[@]}" --backlog 1 0
        hold "$host" "$port"
        await '#1 .*connected'
        hold "$host" "$port"
        hold "$host" "$port"
        exits 5 tcp_client --connect-timeout 100ms --ask x "$host" "$port"
        says "connect $host:$port: Connection timed out"
        stop
    done
}

@test "--idle-timeout closes a silent connection" {
    for model in $(models tcp_server); do
        start tcp_server -m "$model" -t 50ms 0
        exits 0 tcp_client --no-half-close --until-peer "$host" "$port" </dev/null
        says 'the server closed first \(FIN\)'
        stop
        logged 'timed out, closed by the server, 0 bytes in, 0 out$'
        logged '^total tcp: 1 connections, 0 open, 1 failed'
    done
}

@test "--idle-timeout leaves one that speaks now and then" {
    for model in $(models tcp_server); do
        start tcp_server -m "$model" -t 500ms 0
        peer drips "$host" "$port"
        stop
        logged 'closed by the client \(FIN\), 5 bytes in, 5 out$'
    done
}

@test "--accept-delay, --read-rate and --busy-poll are the iterative model's alone" {
    for model in $(models tcp_server); do
        [ "$model" = iterative ] && continue
        exits 2 tcp_server -m "$model" --accept-delay 1ms 0
        says 'accept-delay needs --model iterative'
        exits 2 tcp_server -m "$model" --read-rate 10 0
        says 'read-rate needs --model iterative'
        exits 2 tcp_server -m "$model" --busy-poll 0
        says 'busy-poll needs --model iterative'
    done
    exits 2 tcp_server -m iterative --max-clients 2 0
    says 'one at a time'
}

@test "--accept-delay: connected at once, accepted later" {
    began=$(date +%s%N)
    start tcp_server --accept-delay 200ms -n 3 0
    for _ in 1 2 3; do
        exits 0 tcp_client --connect-timeout 10s --ask hello "$host" "$port"
    done
    finish
    [ $(($(date +%s%N) - began)) -ge 600000000 ]
}

@test "--nodelay reaches the kernel" {
    start tcp_server -v --nodelay 0
    stop
    grep -qF 'TCP_NODELAY, 1) = 0' "$talk" || fail "not set"
}

@test "--read-rate: the client is held back, and loses nothing" {
    start tcp_server --read-rate 1M 0
    head -c 250000 /dev/urandom >in
    exits 0 tcp_client --json "$host" "$port" <in
    jq -rs 'map(select(.event == "data").base64)[]' "$out" | base64 -d | cmp - in
    # 100 kB at a time, ten times a second: two waits at least.
    jq -es 'any(.event == "closed" and .duration_ns > 200000000)' "$out"
    stop
}

@test "--busy-poll never sleeps, and keeps the time-out; it sees a signal" {
    start tcp_server --busy-poll -v -t 20ms 0
    exits 0 tcp_client --no-half-close --until-peer "$host" "$port" </dev/null
    stop
    logged 'timed out, closed by the server, 0 bytes in, 0 out$'
    grep -qF 'MSG_DONTWAIT) = -1 EAGAIN' "$talk"

    start tcp_server --busy-poll -t 0 0
    exits 0 tcp_client --ask hello "$host" "$port"
    prints $'hello\n'
    tcp_client "$host" "$port" < <(input hello) >"$out" &
    wait_for hello "$out"
    stop
    logged 'closed by the server \(FIN\), 5 bytes in, 5 out$'
}

@test "--cpu: on this core, and on none that there is not" {
    for model in $(models tcp_server); do
        start tcp_server -m "$model" --cpu 0 0
        grep -qE '^Cpus_allowed_list:[[:space:]]+0$' "/proc/$server/status"
        stop
    done
    exits 2 tcp_server --cpu x 0
    exits 2 tcp_server --cpu 1023 0
    says '^tcp_server: --cpu 1023: not one of the [0-9]+ cores '
}

@test "--congestion chooses, and an unknown name is refused with advice" {
    for model in $(models tcp_server); do
        start tcp_server -m "$model" -v --congestion reno 0
        exits 0 tcp_client --ask hello "$host" "$port"
        stop
        grep -qF 'TCP_CONGESTION, "reno") = 0' "$talk"
    done
    exits 1 tcp_server --congestion no-such-thing 0
    says 'setsockopt.*No such file'
    says 'tcp_available_congestion_control'
}

@test "--quiet keeps the ready line alone" {
    for model in $(models tcp_server); do
        start tcp_server -m "$model" --quiet 0
        exits 0 tcp_client --ask hello "$host" "$port"
        stop
        [ "$log" = "$ready"$'\n' ]
    done
}

@test "-v shows each call of each model, and escapes what the peer sent" {
    for model in $(models tcp_server); do
        start tcp_server -m "$model" -v 0
        exits 0 tcp_client "$host" "$port" < <(printf '\e[31m\n\303\202')
        stop
        calls=("socket(AF_INET, SOCK_STREAM, 0) = " "listen(")
        # libevent makes the others itself, and tells nobody.
        [ "$model" = bufferevent ] || calls+=("accept(" '"\x1b[31m\n\xc3\x82"')
        for call in "${calls[@]}"; do
            grep -qF -- "$call" "$talk" || fail "no '$call'"
        done
        lacks $'\e' "$talk"
    done
}

@test "--explain says why, below each call" {
    for model in $(models tcp_server); do
        start tcp_server -m "$model" --explain 0
        stop
        grep -q '^    names the socket' "$talk"
        grep -q '^    from now on the kernel shakes hands' "$talk"
    done
}

@test "--with-udp: both protocols on one port, in one loop" {
    start tcp_server -m event --with-udp --json 0
    await '"event":"listening","proto":"udp".*"port":'"$port,"
    hold "$host" "$port" # a connection that waits holds up no datagram
    exits 0 udp_client --ask udp "$host" "$port"
    prints $'udp\n'
    exits 0 tcp_client --ask tcp "$host" "$port"
    prints $'tcp\n'
    exits 0 udp_client --chomp -t 100ms --json "$host" "$port" <<<''
    jq -es 'any(.event == "datagram" and .bytes == 0)' "$out"
    stop
    event end '.connections == 2 and .datagrams_in == 2 and
        .datagrams_out == 2 and .received_bytes == 4'
    for model in $(models tcp_server); do
        [ "$model" = event ] && continue
        exits 2 tcp_server -m "$model" --with-udp 0
        says 'with-udp.*model event'
    done
}

@test "every service that is listed can be served, in every model" {
    for service in $(tcp_server --services | cut -d ' ' -f 1); do
        for model in $(models tcp_server); do
            start tcp_server -m "$model" -s "$service" 0
            stop
        done
        start udp_server -s "$service" 0
        stop
    done
}
