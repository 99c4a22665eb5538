#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# How connections and servers end, in every model: who closes first, by FIN or
# by RST, the peer's faults, signals, and what must be left over: nothing.
# Read next: tcp_client.bats.
# shellcheck disable=SC2030,SC2031,SC2034,SC2094,SC2154 # set by helpers.bash
load helpers

# Asserts a `closed` event: who, how, bytes in, bytes out (jq conditions).
closed() {
    event closed ".first_closer == \"$1\" and .how == \"$2\" and
        (.received_bytes | $3) and (.sent_bytes | $4)"
}

@test "the client closes first" {
    for model in $(models tcp_server); do
        start tcp_server -m "$model" --json 0
        exits 0 tcp_client --json "$host" "$port" <<<hello
        stop
        closed client fin '. == 6' '. == 6'
        log=$(<"$out") # for closed
        closed client fin '. == 6' '. == 6'
    done
}

@test "half-close: after the client's FIN everything still comes back" {
    head -c 3000000 /dev/urandom >in
    for model in $(models tcp_server); do
        start tcp_server -m "$model" --json 0
        exits 0 tcp_client "$host" "$port" <in
        cmp in "$out"
        stop
        closed client fin '. == 3000000' '. == 3000000'
    done
}

@test "--close-first: the server closes after its first answer" {
    for model in $(models tcp_server); do
        start tcp_server -m "$model" --close-first --json 0
        exits 0 tcp_client --until-peer "$host" "$port" \
            < <(input hello)
        prints hello
        says 'the server closed first \(FIN\); closing too'
        stop
        closed server fin '. == 5' '. == 5'
    done
}

@test "--close-first: the client may still end its own direction later" {
    for model in $(models tcp_server); do
        start tcp_server -m "$model" --close-first --json 0
        exits 0 tcp_client --ask hello --json "$host" "$port"
        stop
        closed server fin '. == 6' '. == 6'
    done
}

@test "--close-delay: the client's FIN comes long before the server's" {
    for model in $(models tcp_server); do
        start tcp_server -m "$model" --close-delay 150ms --json 0
        exits 0 tcp_client "$host" "$port" <<<hello
        prints $'hello\n'
        stop
        closed client fin '. == 6' '. == 6'
        event closed '.duration_ns >= 150000000'
    done
}

@test "--reset: the server ends with RST, and the client says so with 6" {
    for model in $(models tcp_server); do
        start tcp_server -m "$model" --reset --close-first --json 0
        exits 6 tcp_client "$host" "$port" < <(input hello)
        says 'Connection reset by peer'
        stop
        closed server reset '. == 5' '. == 5'
    done
}

@test "a client that resets ends itself alone" {
    for model in $(models tcp_server); do
        start tcp_server -m "$model" --json 0
        peer resets "$host" "$port"
        exits 0 tcp_client --ask 'still there?' "$host" "$port"
        prints $'still there?\n'
        stop
        closed client reset '. == 5' '. == 5'
    done
}

@test "a client that closes with an answer unread sends RST" {
    for model in $(models tcp_server); do
        start tcp_server -m "$model" --json 0
        peer leaves_unread "$host" "$port"
        exits 0 tcp_client --ask 'still there?' "$host" "$port"
        stop
        closed client reset '. == 5' '. == 5'
    done
}

@test "tcp_client --reset" {
    for model in $(models tcp_server); do
        start tcp_server -m "$model" --json 0
        exits 0 tcp_client --reset --ask hello "$host" "$port"
        prints $'hello\n'
        exits 0 tcp_client --ask 'still there?' "$host" "$port"
        stop
        closed client reset '. == 6' '. == 6'
    done
}

@test "a client that is killed: the kernel sends FIN for it" {
    for model in $(models tcp_server); do
        start tcp_server -m "$model" --json 0
        hold "$host" "$port"
        await connected
        kill -KILL "$held"
        wait "$held" || true
        await closed
        exits 0 tcp_client --ask 'still there?' "$host" "$port"
        stop
        closed client fin '. == 0' '. == 0'
    done
}

@test "a client that never reads is given up, and costs no memory" {
    for model in $(models tcp_server); do
        start tcp_server -m "$model" -t 300ms --json 0
        peer never_reads "$host" "$port" 3>&- &
        await closed
        exits 0 tcp_client --ask 'still there?' "$host" "$port"
        [ "$(peak_kb "$server")" -lt 100000 ]
        stop
        closed server timeout '. > 0' '. > 0'
    done
}

@test "SIGTERM and SIGINT end a server in good order: idle" {
    for model in $(models tcp_server); do
        for signal in TERM INT; do
            start tcp_server -m "$model" --json 0
            stop "$signal"
            event end '.exit_status == 0 and .partial == true'
        done
    done
}

@test "SIGTERM and SIGINT end a server in good order: clients connected" {
    for model in $(models tcp_server); do
        for signal in TERM INT; do
            start tcp_server -m "$model" --json 0
            hold "$host" "$port"
            await connected
            stop "$signal"
            wait "$held" || true
            closed server fin '. == 0' '. == 0'
            event end '.exit_status == 0 and .open == 0 and .connections == 1'
        done
    done
}

@test "SIGTERM ends a server in good order: in the middle of a stream" {
    for model in $(models tcp_server); do
        start tcp_server -m "$model" -s chargen --json 0
        peer never_reads "$host" "$port" 3>&- &
        await connected
        stop
        event end '.exit_status == 0 and .open == 0'
    done
}

@test "SIGTERM ends a server in good order: during --close-delay" {
    for model in $(models tcp_server); do
        start tcp_server -m "$model" --close-delay 30s --json 0
        tcp_client --ask hello "$host" "$port" >"$out" 2>&1 3>&- &
        client=$!
        await connected
        until grep -q hello "$out"; do :; done
        stop
        wait "$client"
        event end '.exit_status == 0 and .open == 0'
    done
}

@test "SIGTERM ends a server in good order: while more clients wait" {
    for model in $(models tcp_server); do
        limit=(--max-clients 1)
        [ "$model" = iterative ] && limit=()
        start tcp_server -m "$model" "${limit[@]}" --json 0
        hold "$host" "$port"
        await connected
        hold "$host" "$port"
        hold "$host" "$port"
        stop
        event end '.exit_status == 0 and .open == 0'
    done
}

@test "a port in use: status 3, and who has it" {
    for model in $(models tcp_server); do
        start tcp_server -m "$model" 0
        exits 3 tcp_server -m "$model" "$port"
        says "^tcp_server: bind $host:$port: Address already in use$"
        says "^tcp_server: tcp_server \(process $server\) has this port"
        prints ''
        stop
    done
}

@test "--no-reuseaddr: an old connection in TIME_WAIT keeps the port" {
    for model in $(models tcp_server); do
        start tcp_server -m "$model" -n 1 --close-first 0
        exits 0 tcp_client --until-peer "$host" "$port" \
            < <(input hello)
        finish
        exits 3 tcp_server -m "$model" --no-reuseaddr "$port"
        says 'Address already in use'
        says 'an old connection to 127.0.0.1:[0-9]+ is in TIME_WAIT'
        start tcp_server -m "$model" "$port"
        stop
    done
}

@test "fifty clients leave no descriptor, thread or process behind" {
    need ps
    for model in $(models tcp_server); do
        start tcp_server -m "$model" --quiet 0
        exits 0 tcp_client --ask first "$host" "$port"
        before=$(belongings "$server")
        for _ in {1..50}; do
            tcp_client --ask hello "$host" "$port" >/dev/null
        done
        # What the last client had is gone as soon as its end was noted.
        for _ in {1..100}; do
            after=$(belongings "$server")
            [ "$after" != "$before" ] || break
        done
        [ "$after" = "$before" ] || fail "before: $before; after: $after"
        stop
    done
}

# How many descriptors, threads and children a process has.
belongings() {
    local descriptors threads children
    descriptors=$(find "/proc/$1/fd" | wc -l)
    threads=$(find "/proc/$1/task" -mindepth 1 -maxdepth 1 | wc -l)
    children=$(ps --ppid "$1" -o stat= | wc -l)
    echo "$descriptors descriptors, $threads threads, $children children"
}

# As many servers do that others wrote: [::] with IPv4 in it.
@test "who has the port is found among the sockets of both families too" {
    grep -q . /proc/net/if_inet6 || skip "no IPv6 here"
    start peer holds_both
    for address in 127.0.0.1 0.0.0.0 ::; do
        exits 3 tcp_server "$address" "$port"
        says "process $server\\) has this port"
    done
    stop_peer
}

@test "out of descriptors: the server says so, waits, and goes on" {
    for model in $(models tcp_server); do
        start bash -c "ulimit -n 24 && exec tcp_server -m $model 0"
        clients=()
        for _ in {1..30}; do
            hold "$host" "$port"
            clients+=("$held")
        done
        for client in "${clients[@]}"; do
            let_go "$client"
        done
        exits 0 tcp_client --ask 'still there?' "$host" "$port"
        prints $'still there?\n'
        stop
        logged 'total tcp: 31 connections, 0 open'
        # Once, though it stays so: what is said ten times a second hides all.
        [ "$(grep -cE 'Too many open files|most there can be' "$talk")" -le 1 ]
    done
}

@test "out of processes: a client is turned away, and the server goes on" {
    as_ordinary_user
    # The search for leaks would need a process of its own.
    export ASAN_OPTIONS="${ASAN_OPTIONS-}:detect_leaks=0"
    start "${as_user[@]}" bash -c "ulimit -u 1 && exec tcp_server -m fork 0"
    for _ in 1 2; do
        exits 6 tcp_client --ask hello "$host" "$port"
    done
    stop
    grep -q '^tcp_server: fork: Resource temporarily unavailable' "$talk"
    logged '^total tcp: 2 connections, 0 open, 2 failed'
}

@test "a child that is killed ends its own client alone" {
    start tcp_server -m fork --json 0
    hold "$host" "$port"
    await connected
    kill -KILL "$(ps --ppid "$server" -o pid= | tr -d ' ')"
    wait "$held" || true
    exits 0 tcp_client --ask 'still there?' "$host" "$port"
    stop
    event end '.exit_status == 0 and .open == 0 and .connections == 2'
}

@test "nobody reads the log any more: the clients are served all the same" {
    for model in $(models tcp_server); do
        start tcp_server -m "$model" 0
        exec {log_fd}<&-
        for i in 1 2; do
            exits 0 tcp_client --ask "$i" "$host" "$port"
            prints "$i"$'\n'
        done
        kill "$server"
        status=0
        wait "$server" || status=$?
        [ "$status" -eq 1 ]
        grep -q '^tcp_server: write stdout: Broken pipe' "$talk"
    done
}

@test "stdout full or closed: the ready line cannot be read, so status 1" {
    for model in $(models tcp_server); do
        exits 1 bash -c "tcp_server -m $model 0 >/dev/full"
        says '^tcp_server: write stdout: No space left on device$'
        exits 1 bash -c "tcp_server -m $model 0 >&-"
        says '^tcp_server: write stdout: Bad file descriptor$'
    done
}
