#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# faults: what TCP adds to a wire that loses, doubles and damages frames, one
# exact fault at a time; and UDP, which adds nothing.
# Read next: tcp.bats, the same without faults.
# shellcheck disable=SC2016,SC2154 # for wirelab's shell; err: see the helpers
load ../cli/helpers
load scenes

echo_server='tcp_server -n 1 server 9000'
waiting_server='tcp_server -n 1 --close-delay 200ms server 9000'
ask='tcp_client --ask hello server 9000'
udp_server='udp_server -n 1 server 9000'
udp_ask='udp_client --ask hello server 9000'

@test "SYN is lost, and sent again by a timeout" {
    scene 'client SYN lost by rule 1; client SYN again timeout
         server SYN+ACK; client ESTABLISHED; client recv = 6' \
        --rule 'drop client:syn#1' --server "$echo_server" --client "$ask"
}

@test "SYN+ACK is lost, and sent again" {
    scene 'server SYN+ACK lost by rule 1; server SYN+ACK again
         client ESTABLISHED; client recv = 6' \
        --rule 'drop server:synack#1' --server "$echo_server" --client "$ask"
}

@test "data is lost, and the same seq is sent again by a timeout" {
    scene 'client 6 B seq=x+1 lost by rule 1; client 6 B seq=x+1 again timeout
         server recv = 6 "hello\n"; client recv = 6 "hello\n"' \
        --rule 'drop client:data#1' --server "$echo_server" --client "$ask"
}

@test "data is lost in the middle, and later ACKs bring it again" {
    scene 'client data lost by rule 1; client data again acks
         server FIN; client TIME_WAIT' \
        --rule 'drop client:data#3' --server "$echo_server" \
        --client 'head -c 20000 /dev/zero | tcp_client server 9000'
}

@test "an ACK is lost, and nobody minds" {
    scene 'client ACK lost by rule 1; server recv = 6; client recv = 6
         no client SYN again
         no client data again' \
        --rule 'drop client:ack#1' --server "$echo_server" --client "$ask"
}

@test "FIN is lost, and sent again by a timeout" {
    scene 'client FIN lost by rule 1; client FIN again timeout
         server CLOSE_WAIT; client TIME_WAIT' \
        --rule 'drop client:fin#1' --server "$waiting_server" --client "$ask"
}

@test "the server's FIN is lost, and sent again" {
    scene 'server FIN lost by rule 1; server FIN again; client TIME_WAIT' \
        --rule 'drop server:fin#1' --server "$waiting_server" --client "$ask"
}

@test "a duplicate: two arrive, two ACKs, one recv" {
    scene 'client 6 B duplicated by rule 1; client 6 B received
         client 6 B received copy; client FIN
         exactly 1 server recv > 0
         exactly 2 server ACK ack=x+7' \
        --rule 'duplicate client:data#1' --server "$waiting_server" \
        --client "$ask"
}

@test "damage: the checksum catches it, nobody is told, a timeout repairs it" {
    scene 'client 6 B corrupted by rule 1; client 6 B received
         client 6 B again timeout; server recv = 6 "hello\n"
         exactly 1 server recv > 0' \
        --rule 'corrupt client:data#1' --server "$echo_server" --client "$ask"
}

@test "UDP: what is lost stays lost, and nobody says so" {
    lab_status=5 scene 'client 6 B lost by rule 1
         exactly 1 client UDP
         no server recvfrom = 6
         no server UDP' \
        --rule 'drop client:udp#1' --server "$udp_server" --client "$udp_ask"
}

@test "UDP: a duplicate arrives twice" {
    scene 'client 6 B duplicated by rule 1
         exactly 2 server recvfrom = 6' \
        --rule 'duplicate client:udp#1' \
        --server 'udp_server -n 2 server 9000' --client "$udp_ask"
}

@test "UDP: damage is dropped by the checksum" {
    lab_status=5 scene 'client 6 B corrupted by rule 1; client 6 B received
         no server recvfrom = 6' \
        --rule 'corrupt client:udp#1' --server "$udp_server" --client "$udp_ask"
}

@test "UDP: boundaries are kept, two sends are two recvs" {
    scene 'server recvfrom = 4 "one\n"; server recvfrom = 4 "two\n"' \
        --server 'udp_server -n 2 server 9000' \
        --client '{ echo one; echo two; } | udp_client server 9000'
}

@test "UDP to a closed port: ICMP, seen by a connected socket" {
    lab_status=4 scene 'client 6 B; server ICMP port unreachable
         client recv = ECONNREFUSED' \
        --client 'udp_client --ask hello server 9000'
}

@test "UDP to a closed port: ICMP, missed by an unconnected socket" {
    lab_status=5 scene 'client 6 B; server ICMP port unreachable
         client recvfrom = EAGAIN' \
        --client 'udp_client --unconnected -t 300ms --ask hello server 9000'
}

@test "fragments take part: lose one, and the datagram is lost" {
    lab_status=5 scene 'client frame lost by rule 1
         no server recvfrom > 0' \
        --rule 'drop client:any#2' --server "$udp_server" \
        --client 'head -c 4000 /dev/zero | udp_client --block 4000 server 9000'
}

@test "a rule that hits nothing says so, with how many it could have hit" {
    exits 0 wirelab --quiet --delay 1ms --rule 'drop client:data#1' \
        --rule 'drop client:data#9' demo tcp
    says '^wirelab: rule 2 met no frame: of its kind 2 came from the client$'
    lacks 'rule 1' "$err"
}

@test "of these scenes: tshark agrees on each frame, no word lies over another" {
    judge
}

# fates SEED OPTION...: the frames of a run by what they are, each with its
# fate; of those that look the same, which one it is.
fates() {
    local seed=$1
    shift
    wirelab --json --lanes wire --seed "$seed" "$@" 2>"$err" 3>&- |
        jq -c 'select(.event == "frame" and .phase == "sent")
               | [.from, .flags, .seq, .ack, .len_bytes, .fate, .by]' |
        awk '{ key = $0; sub(/,"[a-z]*",[^,]*]$/, "", key)
               print ++seen[key], $0 }' | sort
}

@test "the same seed gives the same fates: UDP" {
    need jq
    local first again options=(--delay 1ms
        --loss 20% --duplicate 10% --corrupt 5%
        --server 'udp_server server 9000'
        --client 'seq 100 | udp_client -t 300ms server 9000; true')
    first=$(fates 7 "${options[@]}")
    [ -n "$first" ] || skip "$(tail -n 1 "$err")"
    for again in 1 2 3; do
        [ "$first" = "$(fates 7 "${options[@]}")" ] || fail "run $again differs"
    done
    [ "$first" != "$(fates 8 "${options[@]}")" ] || fail "so does another seed"
}

# Two timers of the kernel may race, so that a run has a frame more or less
# than another; but no frame has two fates.
@test "the same seed gives the same fates: lock-step TCP" {
    need jq
    local again twofold options=(--delay 5ms --loss client:15%
        --server 'tcp_server -n 1 --close-delay 100ms server 9000'
        --client '{ for i in 1 2 3 4; do echo $i; sleep 0.1; done; } |
                  tcp_client server 9000; true')
    for again in 1 2 3; do
        fates 5 "${options[@]}"
    done | sort -u >all
    [ -s all ] || skip "$(tail -n 1 "$err")"
    grep -q '"lost"' all
    twofold=$(sed 's/,"[a-z]*",[^,]*]$//' all | uniq -d)
    [ -z "$twofold" ] || fail "two fates: $twofold"
}
