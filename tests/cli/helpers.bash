# SPDX-License-Identifier: MIT
#
# What the command line tests share. A test starts a server on port 0 and
# waits for its ready line; nothing here sleeps or knows a port by heart, so
# two runs at once never meet. Each test has its own directory and ends what it
# started.
# Read next: tcp_server.bats.
# shellcheck shell=bash disable=SC2034

PATH="${WIRELAB_BIN:-$BATS_TEST_DIRNAME/../../build/bin}:$BATS_TEST_DIRNAME:$PATH"
export WIRELAB_LANG=en # the words that tests compare
PATIENCE=20 # seconds until something that should have happened has not

setup() {
    cd "$BATS_TEST_TMPDIR" || return
    out=$PWD/out err=$PWD/err server=
    mkdir servers
}

teardown() {
    local pid
    for pid in $(jobs -p); do
        kill "$pid" 2>/dev/null || true
        wait "$pid" || true
    done
}

# The models of the server named tcp_server or udp_server.
models() {
    "$1" --models | cut -d ' ' -f 1
}

# need COMMAND...: skips the test where one is missing.
need() {
    local command
    for command; do
        command -v "$command" >/dev/null || skip "no $command here"
    done
}

# Sets $nc to OpenBSD's nc, by the name that it has here.
need_openbsd_nc() {
    nc=$(type -P nc.openbsd || type -P nc || true)
    "${nc:-false}" -h 2>&1 | grep -q OpenBSD || skip "no netcat-openbsd here"
}

# Sets $as_user to the words before a command that an ordinary user is to run:
# none if that is who we are.
as_ordinary_user() {
    as_user=()
    [ "$(id -u)" -eq 0 ] || return 0
    need setpriv
    as_user=(setpriv --reuid 65534 --clear-groups --inh-caps=-all
        --bounding-set=-all)
    "${as_user[@]}" sh -c 'tcp_server --models' >/dev/null 2>&1 ||
        skip "an ordinary user cannot run the programs here"
}

# Prints what is known, and fails.
fail() {
    echo "$*"
    if [ -n "$server" ]; then
        printf 'the server printed:\n%s\n' "$log"
        cat "$talk"
    fi
    return 1
}

# exits STATUS COMMAND...: runs it, with stdout in the file $out and stderr in
# the file $err, and asserts its exit status.
exits() {
    local wanted=$1 status=0
    shift
    timeout --foreground "$PATIENCE" "$@" \
        >"$out" 2>"$err" 3>&- || status=$?
    [ "$status" -eq "$wanted" ] ||
        fail "exit status $status, not $wanted: $(head -c 500 <<<"$*")
$(head -c 2000 "$out" | cat -v)
$(head -c 2000 "$err")"
}

# prints TEXT: that, and nothing else, was on stdout.
prints() {
    cmp "$out" <(printf '%s' "$1") || fail "stdout: $(head -c 2000 "$out")"
}

# unread STATUS COMMAND...: as exits, but stdout is a pipe that nobody reads
# any more.
unread() {
    local wanted=$1
    shift
    exits "$wanted" bash -c 'mkfifo unread.fifo
        : <unread.fifo &
        exec >unread.fifo
        wait $!
        rm unread.fifo
        exec "$@"' bash "$@"
}

# says REGEX: some line of stderr fits. says nothing: there is none.
says() {
    if [ "$1" = nothing ]; then
        [ ! -s "$err" ] || fail "stderr: $(cat "$err")"
    else
        grep -qE -- "$1" "$err" || fail "not '$1': $(head -c 2000 "$err")"
    fi
}

# lacks REGEX FILE: no line of it fits. (In bats `!` never fails a test.)
lacks() {
    if grep -qEa -- "$1" "$2"; then
        fail "'$1' is in: $(cat -v "$2")"
    fi
}

# start COMMAND...: starts a server; goes on when its ready line has come.
# Sets $server (its process), $ready, $host and $port; $log is what it printed,
# the file $talk its stderr.
start() {
    local number
    number=$(find servers -name '*.fifo' | wc -l)
    local fifo=servers/$number.fifo
    echo "\$ $*"
    talk=$PWD/servers/$number.err log=
    mkfifo "$fifo"
    "$@" >"$fifo" 2>"$talk" </dev/null 3>&- &
    server=$!
    exec {log_fd}<"$fifo"
    await 'listening (tcp|udp) |"event":"listening"'
    ready=$line
    if [[ $line == '{'* ]]; then
        host=$(jq -r .address <<<"$line") port=$(jq -r .port <<<"$line")
    else
        host=${line##* } port=${line##*:}
        host=${host%:*}
        host=${host#[} host=${host%]}
    fi
}

# await REGEX: reads the server's stdout until a line fits; it is in $line.
await() {
    while IFS= read -r -t "$PATIENCE" -u "$log_fd" line; do
        log+=$line$'\n'
        if [[ $line =~ $1 ]]; then
            return
        fi
    done
    fail "the server did not print '$1'"
}

# The server's end, which something has already caused. Sets $status.
finish() {
    local IFS=
    while read -r -t "$PATIENCE" -u "$log_fd" line; do
        log+=$line$'\n'
    done
    exec {log_fd}<&-
    status=0
    wait "$server" || status=$?
}

# stop [SIGNAL]: ends the server in good order and checks that it did.
stop() {
    kill "-${1:-TERM}" "$server"
    finish
    [ "$status" -eq 0 ] || fail "the server ended with $status"
    server=
}

# The end of a peer, which has no good order.
stop_peer() {
    kill "$server"
    finish
    server=
}

# wait_for REGEX FILE: until some line of it fits.
wait_for() {
    local end=$((SECONDS + PATIENCE))
    until grep -qEsa -- "$1" "$2"; do
        [ "$SECONDS" -lt "$end" ] || fail "no '$1' in $2: $(cat "$2")" || return
        wait_a_moment
    done
}

# wait_until_blocked PROCESS: until it waits in write(2) or poll(2), and has
# used no time since we last looked.
wait_until_blocked() {
    local before='' now end=$((SECONDS + PATIENCE))
    while [ "$SECONDS" -lt "$end" ]; do
        now=$(cut -d ' ' -f 3,14,15 "/proc/$1/stat")
        [[ $now != S* || $now != "$before" ]] || return 0
        before=$now
        wait_a_moment
    done
    fail "process $1 does not block: $now"
}

# Between two looks, so that looking does not take the processor from what it
# waits for.
wait_a_moment() {
    sleep 0.05
}

# input TEXT: TEXT, and then no end: for the stdin of a client.
input() {
    printf '%s' "$1"
    exec sleep "$PATIENCE" 3>&-
}

# logged REGEX: some line of the server's log fits.
logged() {
    grep -qE -- "$1" <<<"$log" || fail "the log has no '$1'"
}

# event NAME FILTER: the jq filter holds for some event NAME of the JSON log.
event() {
    jq -es "map(select(.event == \"$1\")) | any($2)" <<<"$log" >/dev/null ||
        fail "no event '$1' with $2"
}

# hold HOST PORT: a client that is connected and says nothing, until let_go
# ends it. Sets $held.
hold() {
    local event fd
    rm -f held.fifo
    mkfifo held.fifo
    tcp_client --json --no-half-close "$@" </dev/null >held.fifo 2>&1 3>&- &
    held=$!
    exec {fd}<held.fifo
    while read -r -t "$PATIENCE" -u "$fd" event; do
        if [[ $event == *'"event":"connected"'* ]]; then
            exec {fd}<&-
            return
        fi
    done
    fail "not connected: $*"
}

# let_go [PROCESS]: the client closes (FIN).
let_go() {
    kill "${1:-$held}"
    wait "${1:-$held}" || true
}

# The most memory that a process has ever had, in kB.
peak_kb() {
    awk '$1 == "VmHWM:" { print $2 }' "/proc/$1/status"
}

# Random bytes: a file of so many MB.
random_file() {
    head -c "${1}000000" /dev/urandom >"$2"
}
