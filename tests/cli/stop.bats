#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# SIGTERM ends a program wherever it waits: also in a write that nobody reads.
# Read next: contracts.bats.
# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # set by helpers.bash
load helpers

# Fills the pipe that is the server's stdout, which nobody reads from now on.
fill_stdout() {
    dd if=/dev/zero of=servers/0.fifo bs=4096 oflag=nonblock 2>full && fail full
    grep -q 'temporarily unavailable' full
}

# Until the server, or a child of it, waits in a write to a pipe. The kernel
# tells it, but not every machine shows it.
wait_until_write_blocks() {
    local end=$((SECONDS + PATIENCE)) pid
    grep -qs '[a-z]' "/proc/$PPID/wchan" || skip "no /proc/PID/wchan here"
    while [ "$SECONDS" -lt "$end" ]; do
        for pid in "$server" $(pgrep -P "$server"); do
            grep -qs pipe_write "/proc/$pid"/task/*/wchan && return
        done
        wait_a_moment
    done
    fail 'the server does not wait in a write'
}

# ends PROCESS STATUS: what it prints is not read meanwhile.
ends() {
    local end=$((SECONDS + PATIENCE)) status=0
    while [[ $(ps -o stat= "$1") == [^Z]* ]]; do
        [ "$SECONDS" -lt "$end" ] || { kill -KILL "$1"; fail hangs; }
        wait_a_moment
    done
    wait "$1" || status=$?
    [ "$status" -eq "$2" ] || fail "exit status $status, not $2"
}

# Three clients: one thread waits in the write, others for their turn.
@test "a server whose stdout nobody reads can be ended, in every model" {
    need pgrep ps
    for program in tcp_server udp_server; do
        for model in $(models "$program"); do
            start "$program" -m "$model" 0
            fill_stdout
            for _ in 1 2 3; do
                "${program%_*}_client" --ask hello "$host" "$port" \
                    >/dev/null 2>&1 3>&- &
            done
            wait_until_write_blocks
            kill "$server"
            ends "$server" 1
            grep -q "^$program: write stdout: nobody reads it" "$talk"
            exec {log_fd}<&-
            rm servers/*
            server=
        done
    done
}

# The threads of --stream wait themselves; the signal is main's.
@test "SIGINT ends a --stream that nobody takes, without an error" {
    need ps
    start tcp_server -s sink --read-rate 1 0
    tcp_client --stream --timeout 1h "$host" "$port" >"$out" 2>"$err" 3>&- &
    await '#1 .*connected'
    wait_until_blocked $!
    kill -INT $!
    ends $! 130
    says nothing
    stop
}
