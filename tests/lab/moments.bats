#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# moments: the demo, and five moments to show a class, row by row as a reader
# sees them. A time is N here, and so is every number that a run draws by lot.
# Which of two programs is quicker is not for a test to say: a server's accept,
# awake since the handshake, may return before or after the first data lands,
# so its row is looked for by itself; and where the machine is busy with others
# and a program wakes late, the lab is run again.
# Read next: tcp.bats.
# shellcheck disable=SC2154 # out and err are set by the helpers
load ../cli/helpers
load lab

# shows STATUS OPTION... <ROWS: the lab draws these rows and ends so.
shows() {
    local wanted=$1 status try
    shift
    cat >rows
    for try in 1 2 3 4 5; do
        status=0
        COLUMNS=79 timeout "$PATIENCE" wirelab "$@" \
            >"$out" 2>"$err" 3>&- 4>&- </dev/null || status=$?
        [ "$status" -ne 77 ] || skip "$(tail -n 1 "$err")"
        [ "$status" -eq "$wanted" ] ||
            fail "status $status: $(cat "$out" "$err")"
        masked <"$out" | diff rows - >"differs-$try" && return
    done
    fail "$(cat differs-1 "$out")"
}

# The rows without times, lots, or the row in which accept returns.
masked() {
    awk '/ \.\.\.accept=4 /{ next }
         { if (match(substr($0, 1, 5), /^ *[0-9.]+$/))
               $0 = "    N" substr($0, 6)
           if (length($0) == 79 && substr($0, 75) ~ /^ *[0-9.]+$/)
               $0 = substr($0, 1, 74) "    N"
           if (/^-- data: x = /)
               $0 = "-- data: x = N, y = N, the real first numbers"
           gsub(/reply at [0-9.]+ ms/, "reply at N ms")
           gsub(/segments, [0-9.]+ ms/, "segments, N ms")
           gsub(/:[0-9][0-9][0-9][0-9][0-9] -/, ":NNNNN -")
           print }'
}

# accepts_after WORDS: accept returned, and not before the row with WORDS.
accepts_after() {
    sed -n "/$1/,\$p" "$out" | grep -q '\.\.\.accept=4' ||
        fail "$(cat "$out")"
}

@test "the demo: a hello over TCP, then over UDP" {
    shows 0 demo <<'END'
server: tcp_server -n 1 --close-delay 100ms server 9000
client: tcp_client --ask hello server 9000
Read down: each side has its own calls, its clock (ms) and its [STATE].
   ms client 10.9.0.1     | wire, 20 ms each way   | server 10.9.0.2         ms
-- set up: the server waits on port 9000 --------------------------------------
                          |                        | socket(TCP)=3
                          |                        | bind(3, :9000)
                          |                        | listen(3)   [LISTEN]
                          |                        | accept(3)...
-- handshake: three segments, before accept() returns -------------------------
    N socket(TCP)=3       |                        |
    N connect(3,server)...|                        |
    N           [SYN_SENT]|- SYN seq=x ----------->| [SYN_RCVD]               N
    N        [ESTABLISHED]|<- SYN+ACK seq=y ack=x+1|                          N
    N                     |- ACK seq=x+1 ack=y+1 ->| [ESTABLISHED]            N
    N ...connect=0        |                        |
-- data: x = N, y = N, the real first numbers
    N send(3, 6 B)=6      |                        |
    N                     |- 6 B seq=x+1 ack=y+1 ->|                          N
    N                     |<- ACK seq=y+1 ack=x+7 -|                          N
                          |                        | recv(4)=6 "hello\n"      N
                          |                        | send(4, 6 B)=6           N
    N                     |<- 6 B seq=y+1 ack=x+7 -|                          N
    N                     |- ACK seq=x+7 ack=y+7 ->|                          N
    N recv(3)=6 "hello\n" |                        |
-- close: the client first; each direction ends with its own FIN --------------
    N shutdown(3, WR)     |                        |
    N         [FIN_WAIT_1]|- FIN seq=x+7 ack=y+7 ->| [CLOSE_WAIT]             N
                          |                        | recv(4)=0, the end       N
    N         [FIN_WAIT_2]|<- ACK seq=y+7 ack=x+8 -|                          N
                          |                        | close(4)                 N
    N          [TIME_WAIT]|<- FIN seq=y+7 ack=x+8 -| [LAST_ACK]               N
    N                     |- ACK seq=x+8 ack=y+8 ->| (closed)                 N
    N recv(3)=0, the end  |                        |
    N close(3)            |                        |
11 segments for 12 bytes. TIME_WAIT stays 60 s with the side that closed first.

server: udp_server -n 1 server 9000
client: udp_client --unconnected --ask hello server 9000
Read down: each side has its own calls, its clock (ms) and its [STATE].
   ms client 10.9.0.1     | wire, 20 ms each way   | server 10.9.0.2         ms
                          |                        | socket(UDP)=3
                          |                        | bind(3, :9000)
                          |                        | recvfrom(3)...
    N socket(UDP)=3       |                        |
    N sendto(3, 6 B)=6    |- 6 B to :9000 -------->|                          N
    N recvfrom(3)...      |                        |
                          |                        | ...=6 "hello\n"          N
    N                     |<------- 6 B to :NNNNN -| sendto(3, 6 B)=6         N
    N ...=6 "hello\n"     |                        |
2 datagrams, reply at N ms; TCP 11 segments, N ms. No ACK, state or end.
END
    # With a line before it and one behind it, a screen of 40 holds TCP's.
    [ "$(sed -n '1,/^$/p' "$out" | wc -l)" -le 38 ]
    accepts_after '- ACK .*ESTABLISHED'
}

@test "accept() does not make the connection" {
    shows 0 --server 'tcp_server -n 1 --accept-delay 2s server 9000' \
        --client '{ echo hello; sleep 3; } | tcp_client server 9000' <<'END'
Read down: each side has its own calls, its clock (ms) and its [STATE].
   ms client 10.9.0.1     | wire, 20 ms each way   | server 10.9.0.2         ms
-- set up: the server waits on port 9000 --------------------------------------
                          |                        | socket(TCP)=3
                          |                        | bind(3, :9000)
                          |                        | listen(3)   [LISTEN]
-- handshake: three segments, before accept() is called -----------------------
    N socket(TCP)=3       |                        |
    N connect(3,server)...|                        |
    N           [SYN_SENT]|- SYN seq=x ----------->| [SYN_RCVD]               N
    N        [ESTABLISHED]|<- SYN+ACK seq=y ack=x+1|                          N
    N                     |- ACK seq=x+1 ack=y+1 ->| [ESTABLISHED]            N
    N ...connect=0        |                        |
-- data: x = N, y = N, the real first numbers
    N send(3, 6 B)=6      |                        |
    N                     |- 6 B seq=x+1 ack=y+1 ->|                          N
    N                     |<- ACK seq=y+1 ack=x+7 -|                          N
                          |                        | accept(3)...             N
                          |                        | recv(4)=6 "hello\n"      N
                          |                        | send(4, 6 B)=6           N
    N                     |<- 6 B seq=y+1 ack=x+7 -|                          N
    N                     |- ACK seq=x+7 ack=y+7 ->|                          N
    N recv(3)=6 "hello\n" |                        |
-- close: the client first; three segments: the server's FIN carries the ACK --
    N shutdown(3, WR)     |                        |
    N         [FIN_WAIT_1]|- FIN seq=x+7 ack=y+7 ->| [CLOSE_WAIT]             N
                          |                        | recv(4)=0, the end       N
                          |                        | close(4)                 N
    N          [TIME_WAIT]|<- FIN+ACK y+7 ack=x+8 -| [LAST_ACK]               N
    N                     |- ACK seq=x+8 ack=y+8 ->| (closed)                 N
    N recv(3)=0, the end  |                        |
    N close(3)            |                        |
10 segments for 12 bytes. TIME_WAIT stays 60 s with the side that closed first.
END
    accepts_after 'accept(3)'
}

@test "the same loss, twice: TCP sends it again" {
    shows 0 --rule 'drop client:data#1' \
        --server 'tcp_server -n 1 server 9000' \
        --client '{ echo hello; sleep 1; } | tcp_client server 9000' <<'END'
Read down: each side has its own calls, its clock (ms) and its [STATE].
   ms client 10.9.0.1     | wire, 20 ms each way   | server 10.9.0.2         ms
-- set up: the server waits on port 9000 --------------------------------------
                          |                        | socket(TCP)=3
                          |                        | bind(3, :9000)
                          |                        | listen(3)   [LISTEN]
                          |                        | accept(3)...
-- handshake: three segments, before accept() returns -------------------------
    N socket(TCP)=3       |                        |
    N connect(3,server)...|                        |
    N           [SYN_SENT]|- SYN seq=x ----------->| [SYN_RCVD]               N
    N        [ESTABLISHED]|<- SYN+ACK seq=y ack=x+1|                          N
    N                     |- ACK seq=x+1 ack=y+1 ->| [ESTABLISHED]            N
    N ...connect=0        |                        |
-- data: x = N, y = N, the real first numbers
    N send(3, 6 B)=6      |                        |
    N                     |- 6 B seq=x+1 ack=y+1 -X| lost: rule 1
    N     (again: timeout)|- 6 B seq=x+1 ack=y+1 ->|                          N
    N                     |<- ACK seq=y+1 ack=x+7 -|                          N
                          |                        | recv(4)=6 "hello\n"      N
                          |                        | send(4, 6 B)=6           N
    N                     |<- 6 B seq=y+1 ack=x+7 -|                          N
    N                     |- ACK seq=x+7 ack=y+7 ->|                          N
    N recv(3)=6 "hello\n" |                        |
-- close: the client first; three segments: the server's FIN carries the ACK --
    N shutdown(3, WR)     |                        |
    N         [FIN_WAIT_1]|- FIN seq=x+7 ack=y+7 ->| [CLOSE_WAIT]             N
                          |                        | recv(4)=0, the end       N
                          |                        | close(4)                 N
    N          [TIME_WAIT]|<- FIN+ACK y+7 ack=x+8 -| [LAST_ACK]               N
    N                     |- ACK seq=x+8 ack=y+8 ->| (closed)                 N
    N recv(3)=0, the end  |                        |
    N close(3)            |                        |
11 segments, 1 lost, 1 sent again, for 12 bytes. TIME_WAIT stays 60 s with the
side that closed first.
END
    accepts_after '- ACK .*ESTABLISHED'
}

@test "the same loss, twice: UDP does not know" {
    shows 5 --rule 'drop client:udp#1' --server 'udp_server server 9000' \
        --client 'echo hello | udp_client --timeout 1s server 9000' <<'END'
Read down: each side has its own calls, its clock (ms) and its [STATE].
   ms client 10.9.0.1     | wire, 20 ms each way   | server 10.9.0.2         ms
                          |                        | socket(UDP)=3
                          |                        | bind(3, :9000)
                          |                        | recvfrom(3)...
    N socket(UDP)=3       |                        |
    N connect(3,server)=0 |                        |
      connect over UDP: no segment; it only notes the peer
    N send(3, 6 B)=6      |- 6 B to :9000 --------X| lost: rule 1
    N ! udp_client: no reply: lost, or nobody answers; UDP does not tell
    N        exit status 5|                        |
1 datagram, 1 lost. No ACK, state or end.
END
}

@test "the dead say goodbye" {
    COLUMNS=79 timeout "$PATIENCE" wirelab \
        --server 'timeout -s KILL 1 tcp_server server 9000' \
        --client 'sleep 2 | tcp_client server 9000' \
        >"$out" 2>"$err" 3>&- 4>&- || skip "$(tail -n 1 "$err")"
    # That it ended is known a moment before or after its FIN is seen.
    grep -q '| killed (9) ' "$out"
    grep -q '^      The process sends nothing. Its kernel closes its' "$out"
    grep -q '\[CLOSE_WAIT\]|<- FIN seq=y+1 .*-| \[FIN_WAIT_1\]' "$out"
    grep -q ' ! tcp_client: the server closed first (FIN)' "$out"
    [ "$(grep -c '| close(4)\|| shutdown(4' "$out")" -eq 0 ]
}

@test "a stream is not messages: two sends, one recv" {
    shows 0 --server 'tcp_server -n 1 --accept-delay 1s server 9000' \
        --client '{ echo one; sleep .1; echo two; sleep 2; } |
                  tcp_client server 9000' <<'END'
Read down: each side has its own calls, its clock (ms) and its [STATE].
   ms client 10.9.0.1     | wire, 20 ms each way   | server 10.9.0.2         ms
-- set up: the server waits on port 9000 --------------------------------------
                          |                        | socket(TCP)=3
                          |                        | bind(3, :9000)
                          |                        | listen(3)   [LISTEN]
-- handshake: three segments, before accept() is called -----------------------
    N socket(TCP)=3       |                        |
    N connect(3,server)...|                        |
    N           [SYN_SENT]|- SYN seq=x ----------->| [SYN_RCVD]               N
    N        [ESTABLISHED]|<- SYN+ACK seq=y ack=x+1|                          N
    N                     |- ACK seq=x+1 ack=y+1 ->| [ESTABLISHED]            N
    N ...connect=0        |                        |
-- data: x = N, y = N, the real first numbers
    N send(3, 4 B)=4      |                        |
    N                     |- 4 B seq=x+1 ack=y+1 ->|                          N
    N                     |<- ACK seq=y+1 ack=x+5 -|                          N
    N send(3, 4 B)=4      |                        |
    N                     |- 4 B seq=x+5 ack=y+1 ->|                          N
    N                     |<- ACK seq=y+1 ack=x+9 -|                          N
                          |                        | accept(3)...             N
                          |                        | recv=8 "one\ntwo\n"      N
                          |                        | send(4, 8 B)=8           N
    N                     |<- 8 B seq=y+1 ack=x+9 -|                          N
    N                     |- ACK seq=x+9 ack=y+9 ->|                          N
    N recv=8 "one\ntwo\n" |                        |
-- close: the client first; three segments: the server's FIN carries the ACK --
    N shutdown(3, WR)     |                        |
    N         [FIN_WAIT_1]|- FIN seq=x+9 ack=y+9 ->| [CLOSE_WAIT]             N
                          |                        | recv(4)=0, the end       N
                          |                        | close(4)                 N
    N          [TIME_WAIT]|<-- FIN+ACK y+9 ack=x+10| [LAST_ACK]               N
    N                     |ACK seq=x+10 ack=y+10 ->| (closed)                 N
    N recv(3)=0, the end  |                        |
    N close(3)            |                        |
12 segments for 16 bytes. TIME_WAIT stays 60 s with the side that closed first.
END
    accepts_after 'accept(3)'
}

@test "the same over UDP: two datagrams, two recvfrom" {
    shows 0 --server 'udp_server -n 2 server 9000' \
        --client '{ echo one; sleep .1; echo two; sleep .2; } |
                  udp_client server 9000' <<'END'
Read down: each side has its own calls, its clock (ms) and its [STATE].
   ms client 10.9.0.1     | wire, 20 ms each way   | server 10.9.0.2         ms
                          |                        | socket(UDP)=3
                          |                        | bind(3, :9000)
                          |                        | recvfrom(3)...
    N socket(UDP)=3       |                        |
    N connect(3,server)=0 |                        |
      connect over UDP: no segment; it only notes the peer
    N send(3, 4 B)=4      |- 4 B to :9000 -------->|                          N
                          |                        | ...=4 "one\n"            N
    N                     |<------- 4 B to :NNNNN -| sendto(3, 4 B)=4         N
                          |                        | recvfrom(3)...           N
    N recv(3)=4 "one\n"   |                        |
    N send(3, 4 B)=4      |- 4 B to :9000 -------->|                          N
                          |                        | ...=4 "two\n"            N
    N                     |<------- 4 B to :NNNNN -| sendto(3, 4 B)=4         N
    N recv(3)=4 "two\n"   |                        |
4 datagrams, reply at N ms. No ACK, state or end.
END
}

@test "someone else's program: the server closes first, FIN rides on data" {
    need python3 curl
    COLUMNS=79 timeout "$PATIENCE" wirelab \
        --server 'python3 -m http.server 9000' \
        --client 'curl -0 -s http://server:9000/' >"$out" 2>"$err" 3>&- 4>&- ||
        skip "$(tail -n 1 "$err")"
    grep -q '^-- close: the server first, FIN riding on data' "$out"
    grep -q 'FIN [0-9]* B .*| \[FIN_WAIT_1\]' "$out"
    grep -q '\[LAST_ACK\]|.*FIN.*>| \[TIME_WAIT\]' "$out"
    grep -q 'TIME_WAIT stays 60 s with the side that closed' "$out"
}
