#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# calls: students' programs that the lab has never seen, in Python and C, with
# threads and with processes; and what it must show of each: every call on an
# internet socket, in its place between the segments and the states.
# Read next: students/tcp_server.py.
# shellcheck disable=SC2154 # out and err are set by the helpers
load ../cli/helpers
load lab

students=$BATS_TEST_DIRNAME/students

# compiled NAME: the student's program of that name, from its C source.
compiled() {
    "${CC:-cc}" -o "$1" "$students/$1.c"
    echo "$PWD/$1"
}

@test "ten lines of Python over TCP: calls, segments and states" {
    need python3
    lab 'client calls: socket, connect = 0, send = 6, recv = 6, close = 0
         meanwhile
         server socket = 3, server bind = 0, server listen = 0
         server accept = 4, server recv = 6, server send = 6, server recv = 0
         server close = 0
         meanwhile
         server accept...; client connect...; client SYN & client SYN_SENT
         client connect = 0; client 6 B; server recv = 6 "hello"
         server 6 B; client recv = 6 "HELLO"
         client FIN & client FIN_WAIT_1; server recv = 0
         server FIN & server LAST_ACK; client TIME_WAIT
         meanwhile
         client output "HELLO"' \
        --server "python3 $students/tcp_server.py 9000" \
        --client "python3 $students/tcp_client.py server 9000"
}

@test "ten lines of Python over UDP: a call, a datagram" {
    need python3
    lab 'client calls: socket, sendto = 6, recvfrom = 6, close = 0
         meanwhile
         server recvfrom...; client sendto = 6; client 6 B
         server recvfrom = 6 "hello"; server sendto = 6 "HELLO"; server 6 B
         client recvfrom = 6 "HELLO"
         no client TIME_WAIT' \
        --server "python3 $students/udp_server.py 9000" \
        --client "python3 $students/udp_client.py server 9000"
}

@test "a thread for each client: two connections at once" {
    need python3
    lab 'exactly 2 client connect = 0
         exactly 2 server accept > 0
         exactly 2 server recv = 6 "hello"
         exactly 2 server send = 6 "HELLO"
         exactly 2 server recv = 0
         at least 2 server close = 0' \
        --server "python3 $students/threaded_server.py 9000" \
        --client "python3 $students/tcp_client.py server 9000" \
        --client "python3 $students/tcp_client.py server 9000"
}

@test "a process for each client: the connection is closed twice" {
    need python3
    lab 'server accept = 4; server recv = 6 "hello"; server send = 6 "HELLO"
         server recv = 0; server close = 0; server FIN
         meanwhile
         exactly 3 server close = 0
         exactly 2 server accept...' \
        --server "python3 $students/forking_server.py 9000" \
        --client "python3 $students/tcp_client.py server 9000"
}

@test "homework in C: read and write, and an accept that asks no name" {
    need "${CC:-cc}"
    lab 'client calls: socket, connect = 0, write = 6, read = 6, close = 0
         meanwhile
         server socket = 3, server bind = 0, server listen = 0
         server accept = 4, server read = 6 "hello", server write = 6
         server read = 0, server close = 0
         server accept...' \
        --server "$(compiled homework_server) 9000" \
        --client "$(compiled homework_client) server 9000"
}

@test "one socket for IPv4 and IPv6: the calls are of their conversations" {
    need python3
    cat >dual.py <<'END'
import socket
lfd = socket.create_server(("", 9000), family=socket.AF_INET6,
                           dualstack_ipv6=True)
fd = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
fd.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
fd.bind(("::", 9000))
for i in range(2):
    cfd, peer = lfd.accept()
    cfd.recv(100)
    cfd.close()
fd.recvfrom(100)
END
    lab 'exactly 2 server accept > 0' --server "python3 dual.py" \
        --client 'echo a | tcp_client server 9000
            echo b | tcp_client server 9000
            echo c | udp_client --timeout 0 server 9000'
    local line
    for line in 'B \.\.\.accept=5' 'B recv\(5\)=2 "b' \
        'C (\.\.\.|recvfrom\(4\))=2 "c'; do
        grep -qE "[|] $line" "$out" || fail "no '$line' in $(cat "$out")"
    done
}

@test "an accept that asks no name, and two clients: whose is which" {
    need python3
    cat >nameless.py <<'END'
import ctypes, os, socket
lfd = socket.create_server(("server", 9000))
for i in range(2):
    fd = ctypes.CDLL(None).accept(lfd.fileno(), None, None)
    os.write(fd, os.read(fd, 100))
    os.close(fd)
END
    lab 'exactly 2 server accept = 4' --server "python3 nameless.py" \
        --client 'tcp_client --ask one server 9000' \
        --client 'sleep .3; tcp_client --ask two server 9000'
    local line
    for line in 'A \.\.\.accept=4' 'A read\(4\)=4 "one' \
        'B (\.\.\.accept|accept\(3\))=4' 'B read\(4\)=4 "two'; do
        grep -qE "[|] $line" "$out" || fail "no '$line' in $(cat "$out")"
    done
}

@test "a write into a closed window waits, and its return is in its place" {
    need jq
    lab 'client write...; server accept = 4; client write = 6000000; client FIN
         exactly 1 client write = 6000000' --record run.json \
        --server 'tcp_server -n 1 -s discard --accept-delay 1s server 9000' \
        --client 'bash -c "dd if=/dev/zero bs=6000000 count=1 status=none \
                           >/dev/tcp/server/9000"'
    wirelab --list view run.json |
        grep -oE '(calls|has waited:) (write|accept)' >list
    printf '%s\n' 'calls write' 'calls accept' 'has waited: accept' \
        'has waited: write' | diff - list
    wirelab --json view run.json >events
    [ "$(jq 'select(.name == "write").result' events)" -eq 6000000 ]
}

@test "options and names are shown if they are asked for" {
    need python3
    lab 'server setsockopt = 0; server bind = 0' \
        --calls all \
        --server "python3 $students/forking_server.py 9000" \
        --client "python3 $students/tcp_client.py server 9000"
    lab 'no server setsockopt' \
        --server "python3 $students/forking_server.py 9000" \
        --client "python3 $students/tcp_client.py server 9000"
}

@test "a call whose program is killed inside it never returns" {
    need python3 jq
    lab 'server accept...; server killed 9
         no server accept' \
        --json --kill server@100ms --client 'sleep 0.3' \
        --server "python3 $students/tcp_server.py 9000"
    jq -es 'map(select(.event == "call" and .name == "accept"))
        | length == 1 and .[0].result == null and .[0].end_ns == null' "$out"
}

@test "as JSON each call has its program, its words and its times" {
    need python3 jq
    lab 'client connect = 0' --json \
        --server "python3 $students/tcp_server.py 9000" \
        --client "python3 $students/tcp_client.py server 9000"
    jq -es 'map(select(.event == "call"))
        | any(.name == "accept" and .result == 4 and .host == "server")
        and any(.name == "recv" and (.args | contains("\"HELLO\\n\"")))
        and all(.pid > 0 and .begin_ns < .end_ns and .errno == null)' "$out"
}

@test "--explain says why, in the words of the programs" {
    need python3
    lab 'client connect = 0' --explain \
        --server "python3 $students/tcp_server.py 9000" \
        --client "python3 $students/tcp_client.py server 9000"
    grep -q 'takes a connection, made already, off the queue' "$out"
}

@test "without the lane no program is filtered or shown" {
    need python3
    local count="sed -n 's/^Seccomp_filters:./filters /p' /proc/self/status"
    local before
    before=$(sh -c "$count")
    lab 'client output "'"$before"'"; client 6 B
         no client connect
         no server accept...' \
        --lanes wire,states \
        --server "python3 $students/tcp_server.py 9000" \
        --client "$count; python3 $students/tcp_client.py server 9000"
}
