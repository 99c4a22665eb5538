#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# tcp_client: both directions at once, every way to end, and peers that
# misbehave. The bad peers are in the file peer.
# Read next: udp.bats.
# shellcheck disable=SC2030,SC2031,SC2034,SC2094,SC2154 # set by helpers.bash
load helpers

# Runs tcp_client in the background and goes on when its stderr (-v) fits REGEX.
# Sets $client. Usage: client_until REGEX ARGS... <stdin
client_until() {
    local regex=$1
    shift
    : >"$err" # what an earlier client said must not be taken for this one's
    tcp_client -v "$@" <&0 >"$out" 2>"$err" 3>&- &
    client=$!
    wait_for "$regex" "$err"
}

# ends STATUS: the client in the background does.
ends() {
    local status=0
    wait "$client" || status=$?
    [ "$status" -eq "$1" ] || fail "status $status: $(cat "$err")"
}

@test "the server closes first: said, and our direction goes on" {
    start peer closes_first
    exits 0 tcp_client --json "$host" "$port" \
        < <(wait_for 'closed first' "$err" && echo late)
    says 'the server closed first \(FIN\); this side ends with its input'
    log=$(<"$out")
    event closed '.first_closer == "server" and .sent_bytes == 5 and
        .received_bytes == 4 and .how == "fin"'
}

@test "--until-peer ends with the server, whatever is left to say" {
    start peer closes_first
    exits 0 tcp_client --until-peer "$host" "$port" < <(input '')
    prints $'bye\n'
}

@test "the server closes at once and reads nothing" {
    start peer closes_at_once
    exits 0 tcp_client "$host" "$port" </dev/null
    prints ''
}

@test "--no-half-close sends no FIN at the end of input" {
    start tcp_server -t 100ms --json 0
    exits 0 tcp_client -v --no-half-close "$host" "$port" <<<hello
    prints $'hello\n'
    lacks shutdown "$err"
    stop
    event closed '.first_closer == "server" and .how == "timeout"'
}

@test "--fin-with-data holds the last bytes back until FIN" {
    start tcp_server 0
    exits 0 tcp_client -v --fin-with-data "$host" "$port" <<<hello
    prints $'hello\n'
    says '^send\([0-9]+, "hello\\n", 6, MSG_DONTWAIT\|MSG_MORE\) = 6$'
    [[ $(grep -A1 '^send' "$err") == *$'\nshutdown('*', SHUT_WR) = 0' ]]
    head -c 300000 /dev/urandom >in
    exits 0 tcp_client --fin-with-data "$host" "$port" <in
    cmp in "$out"
    exits 0 tcp_client --fin-with-data --ask hello "$host" "$port"
    prints $'hello\n'
    exits 2 tcp_client --fin-with-data --no-half-close "$host" "$port"
    stop
}

@test "--nodelay and --congestion reach the kernel" {
    start tcp_server 0
    exits 0 tcp_client -v --nodelay --congestion reno --ask x "$host" "$port"
    says 'TCP_NODELAY, 1\) = 0'
    says 'TCP_CONGESTION, "reno"\) = 0'
    exits 1 tcp_client --congestion no-such-thing --ask x "$host" "$port"
    says 'tcp_available_congestion_control'
    stop
}

@test "--source: the address, and the port, that the server sees" {
    start tcp_server 0
    exits 0 tcp_client --source 127.0.0.2 --ask x "$host" "$port"
    await '#1 127\.0\.0\.2:[0-9]+ connected'
    exits 2 tcp_client --source ::1 --ask x "$host" "$port"
    says "not of the server's address family"
    for bad in '' 127.0.0.1: 127.0.0.1:65536 127.0.0.1:x name '[::1'; do
        exits 2 tcp_client --source "$bad" --ask x "$host" "$port"
    done
    exits 3 tcp_client --source 192.0.2.1 --ask x "$host" "$port"
    says 'bind 192.0.2.1:0: Cannot assign requested address'
    says 'address of this machine'
    stop
}

@test "a socket that meets itself is no server" {
    start peer holds # a port that was free just now
    stop_peer
    exits 4 tcp_client --source "$host:$port" --ask x "$host" "$port"
    says 'nobody listens there; the socket met itself'
}

@test "refused: status 4, one line, and what to do" {
    start peer holds
    exits 4 tcp_client "$host" "$port" </dev/null
    says "^tcp_client: connect $host:$port: Connection refused$"
    says '^tcp_client: is the server running'
    [ "$(wc -l <"$err")" -eq 2 ]
    prints ''
}

# With a list of names of our own, which nobody else sees.
@test "each address of a name is tried, and the one that fails is named" {
    unshare -rmn true 2>/dev/null || skip "no namespaces here"
    need ip
    [ -e /etc/hosts ] || skip "no /etc/hosts here"
    printf '%s\n' '::1 two' '127.0.0.1 two' >hosts
    # shellcheck disable=SC2016 # that bash expands them
    exits 0 unshare -rmn bash -ec '
        ip link set lo up
        mount --bind hosts /etc/hosts
        tcp_server 127.0.0.1 19000 >log &
        until grep -qs listening log; do sleep 0.05; done
        tcp_client --ask hello two 19000
        tcp_client -4 --ask four two 19000
        tcp_client -6 --ask six two 19000 || echo "status $?"
        kill $!
        wait'
    prints $'hello\nfour\nstatus 4\n'
    says 'connect \[::1\]:19000: Connection refused; trying 127.0.0.1:19000$'
    [ "$(grep -c '; trying' "$err")" -eq 1 ]
}

@test "--connect-timeout: no answer to any SYN" {
    start peer full
    exits 5 tcp_client --connect-timeout 100ms "$host" "$port" </dev/null
    says "connect $host:$port: Connection timed out"
}

@test "--timeout: a silence ends it with 5" {
    start peer says_nothing
    exits 5 tcp_client --timeout 100ms "$host" "$port" \
        < <(input x)
    says 'silence'
}

@test "--ask: the reply, up to its newline or the server's FIN" {
    start peer answers_in_bits
    exits 0 tcp_client --ask 'one byte a segment' "$host" "$port"
    prints $'one byte a segment\n'
    start peer closes_first
    exits 0 tcp_client --ask x "$host" "$port"
    prints $'bye\n'
    start tcp_server 0
    exits 0 tcp_client --ask '' "$host" "$port"
    prints $'\n'
    stop
}

@test "--ask: no reply is no success" {
    start peer closes_at_once
    exits 6 tcp_client --ask x "$host" "$port"
    start peer says_nothing
    exits 5 tcp_client --timeout 100ms --ask x "$host" "$port"
    says 'no reply within the --timeout'
    start peer resets_at_once
    exits 6 tcp_client --ask x "$host" "$port"
    start tcp_server -s discard 0
    exits 5 tcp_client --timeout 100ms --ask x "$host" "$port"
    stop
}

@test "reset in the middle: status 6, and what had come is there" {
    start peer says_then_resets
    exits 6 tcp_client --json "$host" "$port" \
        < <(input x)
    says '^tcp_client: recv: Connection reset by peer$'
    log=$(<"$out")
    event data '.base64 == "cGFydGlhbA=="'
    event closed '.how == "reset" and .received_bytes == 7'
    event end '.exit_status == 6 and .partial == true'
}

@test "a server that is killed: FIN, and what had come is there" {
    start peer floods
    tcp_client "$host" "$port" < <(input '') \
        > >(head -c 1000000 >"$out" && kill -KILL "$server" && cat >/dev/null) \
        2>"$err" 3>&- &
    client=$!
    wait_for 'the server closed first' "$err"
    kill "$client"
    ends 143
    [ "$(wc -c <"$out")" -eq 1000000 ]
}

@test "a server that reads nothing does not keep us from reading" {
    start peer reads_nothing
    exits 5 tcp_client --timeout 200ms "$host" "$port" </dev/zero
    prints $'hello\n'
}

@test "stdin closed is the end of input" {
    start tcp_server 0
    exits 0 tcp_client "$host" "$port" <&-
    prints ''
    stop
    logged '0 bytes in, 0 out'
}

@test "stdin that cannot be read: status 1" {
    start tcp_server 0
    exits 1 tcp_client "$host" "$port" </
    says '^tcp_client: read stdin: Is a directory$'
    stop
}

@test "stdout full, closed, or a pipe without a reader: status 1, one line" {
    for model in $(models tcp_server); do
        start tcp_server -m "$model" 0
        exits 1 bash -c "tcp_client --ask hello $host $port >/dev/full"
        says '^tcp_client: write stdout: No space left on device$'
        [ "$(wc -l <"$err")" -eq 1 ]
        exits 1 bash -c "tcp_client $host $port <<<hello >/dev/full"
        exits 1 bash -c "tcp_client $host $port <<<hello >&-"
        says '^tcp_client: write stdout: Bad file descriptor$'
        exits 1 bash -c "tcp_client --json $host $port <<<hello >/dev/full"
        stop
    done
    start tcp_server -s chargen 0
    exits 1 bash -c "tcp_client $host $port </dev/null | true
        exit \${PIPESTATUS[0]}"
    says '^tcp_client: write stdout: Broken pipe$'
    stop
}

@test "a peer's bytes cannot steer the terminal" {
    need script
    start peer steers
    exits 0 script -qec "tcp_client --until-peer $host $port" /dev/null \
        </dev/null
    lacks $'\e' "$out"
    lacks $'[\a\b]' "$out"
    lacks $'\u9b' "$out"
    grep -qF '\x1b[31mred\x1b]0;title\a\x1b]52;c;aGk=\a\r\b\x9b2J' "$out"
    grep -qF '\xc2\x9b2J\xe2\x80\xaeé €' "$out"
}

@test "at a terminal it says what to do now, and nowhere else" {
    need script
    for client in tcp_client udp_client; do
        start "${client%client}server" -s discard 0
        exits 0 script -qec "$client -t 2s $host $port; true" /dev/null \
            </dev/null
        grep -q "^$client: .* Ctrl-D ends it" "$out"
        exits 0 script -qec "$client --quiet -t 2s $host $port; true" \
            /dev/null </dev/null
        lacks Ctrl-D "$out"
        echo hello | "$client" -t 1s "$host" "$port" 2>"$err" || true
        lacks Ctrl-D "$err"
        stop
    done
}

@test "--raw, and a pipe, get the bytes as they are" {
    need script
    start peer steers
    exits 0 script -qec "tcp_client --raw --until-peer $host $port" /dev/null \
        </dev/null
    grep -qF $'\e[31mred' "$out"
    start peer steers
    exits 0 tcp_client --until-peer "$host" "$port" </dev/null
    grep -qF $'\e[31mred' "$out"
}

@test "messages cannot steer the terminal either" {
    exits 2 tcp_client $'\e[31m' ''
    lacks $'\e' "$err"
    exits 2 tcp_client 127.0.0.1 $'\e[31m'
    lacks $'\e' "$err"
    exits 2 tcp_client $'--\e[31m' 127.0.0.1 1
    lacks $'\e' "$err"
    exits 2 tcp_server -m $'\e[31m' 0
    lacks $'\e' "$err"
    exits 2 tcp_client --source $'\e[31m' 127.0.0.1 1
    lacks $'\e' "$err"
    exits 2 tcp_client --timeout $'\e[31m' 127.0.0.1 1
    lacks $'\e' "$err"
    exits 1 tcp_client $'\e[31m' 1
    lacks $'\e' "$err"
}

@test "SIGINT and SIGTERM while it connects" {
    start peer full
    for signal in INT:130 TERM:143; do
        client_until 'socket\(' --connect-timeout 10s "$host" "$port" </dev/null
        kill "-${signal%:*}" "$client"
        ends "${signal#*:}"
        client_until 'socket\(' "$host" "$port" </dev/null
        kill "-${signal%:*}" "$client"
        ends "${signal#*:}"
        prints ''
    done
}

@test "SIGINT and SIGTERM while it waits" {
    for signal in INT:130 TERM:143; do
        start peer says_nothing
        client_until '^shutdown' "$host" "$port" <<<x
        kill "-${signal%:*}" "$client"
        ends "${signal#*:}"
        start peer says_nothing
        client_until '^send' --ask x "$host" "$port"
        kill "-${signal%:*}" "$client"
        ends "${signal#*:}"
    done
}

@test "SIGINT and SIGTERM in the middle of a transfer: the rest is told" {
    for signal in INT:130 TERM:143; do
        start peer floods
        tcp_client --json "$host" "$port" </dev/null >"$out" 3>&- &
        client=$!
        wait_for '"event":"data"' "$out"
        kill "-${signal%:*}" "$client"
        ends "${signal#*:}"
        log=$(<"$out")
        event end ".partial == true and .exit_status == ${signal#*:} and
            .received_bytes > 0"
        [ "$(jq -s 'map(.bytes // 0) | add' "$out")" -eq \
            "$(jq 'select(.event == "end").received_bytes' "$out")" ]
    done
}

@test "SIGTERM while nobody takes what it prints" {
    mkfifo stuck
    exec {reader}<>stuck # opens it, and never reads
    for how in '' --json --ask=x; do
        start peer floods
        # shellcheck disable=SC2086 # none is none
        tcp_client $how "$host" "$port" </dev/null >stuck 2>"$err" 3>&- &
        client=$!
        wait_until_blocked "$client"
        kill "$client"
        ends 143
    done
}

@test "stopped and continued: nothing is lost" {
    start tcp_server 0
    head -c 2000000 /dev/urandom >in
    tcp_client "$host" "$port" < <(head -c 1000000 in &&
        wait_for go go && tail -c 1000000 in) >"$out" 2>"$err" 3>&- &
    client=$!
    wait_for . "$out"
    kill -STOP "$client"
    echo go >go
    kill -CONT "$client"
    ends 0
    cmp in "$out"
    says nothing
    stop
}
