#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Together with socat, ncat and OpenBSD's nc, which know nothing of us: both
# protocols, both roles, and what comes back is what was sent. VOLUME: how many
# MB over TCP (2).
# Read next: volume.bats.
# shellcheck disable=SC2030,SC2031,SC2034,SC2094,SC2154 # set by helpers.bash
load helpers

# start_other COMMAND...: starts somebody else's server, and goes on when its
# stderr says that it is listening. Sets $host and $port.
start_other() {
    mkfifo other.fifo
    "$@" <&0 2>other.fifo 3>&- &
    other=$!
    exec {other_fd}<other.fifo
    while IFS= read -r -t "$PATIENCE" -u "$other_fd" line; do
        case $line in
        *[Ll]istening* | Bound* | *receiving*) break ;;
        esac
    done
    host=127.0.0.1
    # Some print the port 0 that they were given.
    port=$(ss -Hltunp | grep "pid=$other," | awk '{ print $5 }')
    port=${port##*:}
}

end_other() {
    exec {other_fd}<&-
    rm other.fifo
    kill "$other" 2>/dev/null || true
    wait "$other" || true
}

size=${VOLUME:-2}000000

random_bytes() {
    head -c "$size" /dev/urandom >in
}

# Our TCP server and each other client.
tcp_client_of() {
    random_bytes
    for model in $(models tcp_server); do
        start tcp_server -m "$model" --json 0
        exits 0 "$@" "$host" "$port" <in
        cmp in "$out"
        stop
        event closed ".first_closer == \"client\" and .how == \"fin\" and
            .received_bytes == $size and .sent_bytes == $size"
    done
}

@test "TCP: ncat is the client" {
    need ncat
    tcp_client_of ncat
}

@test "TCP: OpenBSD's nc is the client" {
    need_openbsd_nc
    tcp_client_of "$nc" -N
}

@test "TCP: socat is the client" {
    need socat
    random_bytes
    for model in $(models tcp_server); do
        start tcp_server -m "$model" --json 0
        exits 0 socat -t "$PATIENCE" - "TCP:$host:$port" <in
        cmp in "$out"
        stop
        event closed '.first_closer == "client" and .how == "fin"'
    done
}

# The file, and no end before all of the answer has come: OpenBSD's nc leaves at
# our FIN, whatever it has left to say (it does so with socat too).
all_and_wait() {
    cat in
    until [ "$(wc -c <"$out")" -ge "$size" ]; do
        wait_a_moment
    done
}

# The other server sends a file of its own and keeps what it gets.
tcp_server_of() {
    need ss
    random_bytes
    head -c "$size" /dev/urandom >back
    start_other "$@" <back >received
    : >"$out"
    exits 0 tcp_client "$host" "$port" < <(all_and_wait)
    cmp back "$out"
    wait "$other"
    cmp in received
    end_other
}

# Not its --exec, which never hears of our FIN (nmap issue 1779).
@test "TCP: ncat is the server, both directions at once" {
    need ncat
    tcp_server_of ncat -v -n -l 127.0.0.1 0
}

@test "TCP: OpenBSD's nc is the server, both directions at once" {
    need_openbsd_nc
    tcp_server_of "$nc" -v -n -N -l 127.0.0.1 0
}

@test "TCP: socat is the server" {
    need socat ss
    random_bytes
    start_other socat -d -d -t "$PATIENCE" TCP-LISTEN:0,bind=127.0.0.1 EXEC:cat
    exits 0 tcp_client "$host" "$port" <in
    cmp in "$out"
    end_other
}

@test "UDP: ncat is the client" {
    need ncat
    for model in $(models udp_server); do
        start udp_server -m "$model" -n 1 0
        # Its input stays open; it ends by its idle time-out, with an error.
        ncat -u -i 500ms "$host" "$port" < <(input $'hello\n') >"$out" || true
        prints $'hello\n'
        finish
        [ "$status" -eq 0 ]
    done
}

@test "UDP: OpenBSD's nc is the client" {
    need_openbsd_nc
    for model in $(models udp_server); do
        start udp_server -m "$model" 0
        exits 0 "$nc" -u -w 1 "$host" "$port" <<<hello
        prints $'hello\n'
        stop
    done
}

@test "UDP: socat is the client, an empty datagram too" {
    need socat
    for model in $(models udp_server); do
        start udp_server -m "$model" 0
        exits 0 socat -t 0.3 - "UDP:$host:$port" <<<hello
        prints $'hello\n'
        exits 0 socat -t 0.3 - "UDP:$host:$port,shut-null" <<<hello
        stop
        logged ' 0 bytes'
    done
}

@test "UDP: ncat is the server" {
    need ncat ss
    start_other ncat -u -v -n -l 127.0.0.1 0 --exec "$(type -P cat)"
    exits 0 udp_client --ask hello "$host" "$port"
    prints $'hello\n'
    end_other
}

@test "UDP: OpenBSD's nc is the server" {
    need ss
    need_openbsd_nc
    start_other "$nc" -u -v -n -l 127.0.0.1 0 >received < <(input $'answer\n')
    exits 0 udp_client --ask hello "$host" "$port"
    prints $'answer\n'
    wait_for hello received
    end_other
}

@test "UDP: socat is the server" {
    need socat ss
    start_other socat -d -d UDP-RECVFROM:0,bind=127.0.0.1,fork EXEC:cat
    for i in 1 2 3; do
        exits 0 udp_client --ask "$i" "$host" "$port"
        prints "$i"$'\n'
    done
    end_other
}
