#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# tcp: the scenes that a course teaches, on two real kernels: which segments
# cross the wire, in which order, and which states the sockets pass through.
# Orders of one side are exact lists; between the sides only what the wire
# itself orders is expected, never a time.
# Read next: faults.bats, the same on a wire that loses frames.
load ../cli/helpers
load scenes

echo_server='tcp_server -n 1 server 9000'
ask='tcp_client --ask hello server 9000'

@test "the handshake: three segments, and accept comes after" {
    scene 'client SYN & client SYN_SENT
         server SYN_RCVD & server SYN+ACK ack=x+1
         client ESTABLISHED & client ACK ack=y+1
         server ESTABLISHED; server accept = 4
         meanwhile
         client SYN; client connect = 0' \
        --server "$echo_server" --client "$ask"
}

@test "accept does not make the connection" {
    scene 'server ESTABLISHED; client 6 B received; server ACK ack=x+7
         server accept = 4
         no server accept = 4 before server ESTABLISHED' \
        --server 'tcp_server -n 1 --accept-delay 1s server 9000' \
        --client "$ask"
}

@test "close in four segments: the server waits before it closes" {
    scene 'client frames: SYN, ACK, 6 B, ACK, FIN, ACK
         server frames: SYN+ACK, ACK, 6 B, ACK, FIN
         client states: SYN_SENT, ESTABLISHED, FIN_WAIT_1, FIN_WAIT_2, TIME_WAIT
         server states: SYN_RCVD, ESTABLISHED, CLOSE_WAIT, LAST_ACK, CLOSED
         meanwhile
         client FIN, server ACK, server FIN, client ACK' \
        --server 'tcp_server -n 1 --close-delay 200ms server 9000' \
        --client "$ask"
}

@test "close in three segments: the server closes at once" {
    scene 'client FIN, server FIN ack=x+8, client ACK ack=y+8
         client states: SYN_SENT, ESTABLISHED, FIN_WAIT_1, TIME_WAIT
         server states: SYN_RCVD, ESTABLISHED, CLOSE_WAIT, LAST_ACK, CLOSED' \
        --server "$echo_server" --client "$ask"
}

@test "half-close: data flows back after the client's FIN" {
    scene 'client FIN; server CLOSE_WAIT; client FIN_WAIT_2; server 6 B
         server FIN; client TIME_WAIT
         meanwhile
         client FIN; client recv = 6 "hello\n"; client recv = 0
         no client data after client FIN' \
        --server 'tcp_server -n 1 --accept-delay 1s server 9000' \
        --client 'echo hello | tcp_client server 9000'
}

@test "FIN rides on the last data" {
    scene 'client frames: SYN, ACK, FIN 6 B, ACK, ACK
         client states: SYN_SENT, ESTABLISHED, FIN_WAIT_1, FIN_WAIT_2, TIME_WAIT' \
        --server "$echo_server" \
        --client 'tcp_client --fin-with-data --ask hello server 9000'
}

@test "the server closes first, and keeps TIME_WAIT" {
    scene 'server FIN; client CLOSE_WAIT; client FIN; server TIME_WAIT; server ACK
         client states: SYN_SENT, ESTABLISHED, CLOSE_WAIT, LAST_ACK, CLOSED
         no client TIME_WAIT' \
        --server 'tcp_server -n 1 --close-first server 9000' \
        --client 'echo hello | tcp_client --no-half-close server 9000'
}

@test "someone else's server closes first, and FIN rides on its last data" {
    need python3 curl
    scene 'server FIN; client FIN; server ACK; no server ACK after client FIN win = 0
         meanwhile
         server TIME_WAIT' \
        --server 'python3 -m http.server 9000' \
        --client 'curl -0 -s http://server:9000/'
}

# An input without end, for clients that end when something happens: <>never.
# Whoever is killed after a second is at work by then.
@test "kill -9 the server: its kernel says goodbye with FIN" {
    mkfifo never
    scene 'server killed 9 & server FIN; client CLOSE_WAIT; client FIN
         no server shutdown
         no server RST' \
        --kill server@1s --server 'tcp_server server 9000' \
        --client 'tcp_client --until-peer server 9000 <>never'
}

@test "kill -9 the server with unread data: RST, not FIN" {
    mkfifo never
    scene 'client 6 B; server killed 9 & server RST
         no server FIN' \
        --kill server@1s \
        --server 'tcp_server --accept-delay 5s server 9000' \
        --client 'tcp_client server 9000 <>never & echo hello >never; wait'
}

@test "kill -9 the client: FIN" {
    mkfifo never
    lab_status=137 scene 'client killed 9 & client FIN & server CLOSE_WAIT; server FIN' \
        --kill client@1s --server "$echo_server" \
        --client 'tcp_client server 9000 <>never'
}

@test "abortive close: RST, and no TIME_WAIT" {
    scene 'client 6 B; client RST; server CLOSED
         client frames: SYN, ACK, 6 B, ACK, RST
         no client FIN
         no client TIME_WAIT
         no server TIME_WAIT' \
        --server "$echo_server" \
        --client 'tcp_client --reset --ask hello server 9000'
}

@test "refused: nobody listens, and SYN is answered by RST" {
    lab_status=4 scene 'frames: client SYN, server RST ack=x+1
         client connect = ECONNREFUSED
         client states: SYN_SENT, CLOSED' \
        --client 'tcp_client --ask hello server 9000'
}

@test "simultaneous open: two SYNs cross, and no one listens" {
    scene 'client SYN; client SYN+ACK
         meanwhile
         server SYN; server SYN+ACK
         meanwhile
         client SYN_SENT, client SYN_RCVD, client ESTABLISHED
         meanwhile
         server SYN_SENT, server SYN_RCVD, server ESTABLISHED
         no server accept' \
        --start together --delay 200ms \
        --server 'tcp_client --source 10.9.0.2:9000 client 9000' \
        --client 'tcp_client --source 10.9.0.1:9000 server 9000'
}

@test "simultaneous close: two FINs cross, and both sides are CLOSING" {
    scene 'client FIN_WAIT_1, client CLOSING, client TIME_WAIT
         meanwhile
         server FIN_WAIT_1, server CLOSING, server TIME_WAIT' \
        --start together --delay 200ms \
        --server 'tcp_client --source 10.9.0.2:9000 client 9000' \
        --client 'tcp_client --source 10.9.0.1:9000 server 9000'
}

@test "zero window: a server that does not read stops its client" {
    scene 'server ACK win = 0; server ACK win > 0; client FIN; server FIN' \
        --server 'tcp_server -n 1 --read-rate 20K server 9000' \
        --client 'head -c 50000 /dev/zero | tcp_client server 9000'
}

@test "a stream is not messages: two sends, one recv" {
    scene 'client 4 B; client 4 B; server recv = 8 "one\ntwo\n"
         exactly 1 server recv > 0' \
        --server 'tcp_server -n 1 --accept-delay 1s server 9000' \
        --client '{ echo one; sleep .2; echo two; sleep 2; } |
                  tcp_client server 9000'
}

@test "IPv6: the same handshake and the same close" {
    scene 'client frames: SYN, ACK, 6 B, ACK, FIN, ACK
         server states: SYN_RCVD, ESTABLISHED, CLOSE_WAIT, LAST_ACK, CLOSED' \
        -6 --server "$echo_server" --client "$ask"
}

@test "of these scenes: tshark agrees on each frame, no word lies over another" {
    judge
}
