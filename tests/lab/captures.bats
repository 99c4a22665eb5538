#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# captures: what --pcap wrote, where only some runs have it in them: faults,
# frames that cross, two clients, remarks. It is judged as every scene is, by
# tshark too; one capture alone gives the same rows, where it can; and view
# draws what tcpdump captured.
# Read next: scenes.bash.
# shellcheck disable=SC2154 # out, err, of: see the helpers
load ../cli/helpers
load scenes

waits='tcp_server -n 1 --close-delay 100ms server 9000'
ask='tcp_client --ask hello server 9000'
udp_ask='udp_client --ask hello server 9000'

# Were frames of both directions on the wire at one time?
crosses() {
    jq -es 'map(select(.event == "frame")) | group_by([.from, .number])
        | map(select(length > 1) | {from: .[0].from,
            left: map(.t_ns) | min, came: map(.t_ns) | max})
        | map(select(.from == "client")) as $up
        | map(select(.from == "server")) as $down
        | any($up[]; . as $one | any($down[];
            .left < $one.came and $one.left < .came))' "$of.json" >/dev/null
}

# alone EXPECTATIONS OPTION...: a scene in which nothing crosses. Then the
# client's capture gives the rows of both. On a busy machine TCP's timer may
# send once more, and that crosses what is on its way: again, then.
alone() {
    for _ in 1 2 3; do
        scene "$@"
        crosses || break
    done
    exits 0 wirelab view "$of-client.pcapng"
    diff recorded <(rows "$out") || fail "from both (<), from the client's (>)"
}

# comments HOST [FILTER]: tshark's word for word.
comments() {
    tshark -r "$of-$1.pcapng" -Y "${2:-frame.comment}" -T fields \
        -e frame.comment 2>/dev/null
}

@test "one capture alone: TCP, over both versions of IP, and UDP" {
    alone 'client TIME_WAIT' --server "$waits" --client "$ask"
    alone 'client TIME_WAIT' -6 --server "$waits" --client "$ask"
    alone 'client UDP; server UDP' --server 'udp_server -n 1 server 9000' \
        --client "$udp_ask"
}

@test "a segment that is lost is in the sender's capture, with a comment" {
    need tshark
    alone 'client 6 B lost' --rule 'drop client:data#1' --server "$waits" \
        --client "$ask"
    comments client | grep -qx 'wire: lost by rule 1'
    comments client | grep -qx 'sent again: timeout'
    [ -z "$(comments server)" ]
    lab_status=5 alone 'client 6 B lost' --rule 'drop client:udp#1' \
        --server 'udp_server server 9000' --client "$udp_ask"
}

@test "a SYN is lost, a SYN+ACK is lost" {
    scene 'client SYN lost; server SYN+ACK lost; client ESTABLISHED' \
        --rule 'drop client:syn#1' --rule 'drop server:synack#1' \
        --server "$waits" --client "$ask"
}

@test "a damaged segment: good as it left, bad as it came" {
    need tshark
    alone 'client 6 B corrupted' --rule 'corrupt client:data#1' \
        --server "$waits" --client "$ask"
    comments server | grep -q '^the checksum is wrong'
    exits 0 wirelab view "$of-server.pcapng"
    grep -qF 'checksum is wrong' "$out"
}

@test "a duplicate: one leaves, two come" {
    need tshark
    scene 'client 6 B received copy' --rule 'duplicate client:data#1' \
        --server "$waits" --client "$ask"
    comments server | grep -qx 'wire: the second of two'
    exits 0 wirelab view "$of-server.pcapng"
    grep -qF '2 arrived' "$out"
}

@test "refused; aborted; a closed port, over both versions of IP" {
    need tshark
    lab_status=4 alone 'server RST' --client "$ask"
    scene 'client RST' --server "$waits" \
        --client 'tcp_client --reset --ask hello server 9000'
    lab_status=4 alone 'server ICMP' --client "$udp_ask"
    lab_status=4 alone 'server ICMP' -6 --client "$udp_ask"
}

@test "frames that cross, overtake, or are of two clients" {
    scene 'client SYN_RCVD' --start together --delay 200ms \
        --server 'tcp_client --source 10.9.0.2:9000 client 9000' \
        --client 'tcp_client --source 10.9.0.1:9000 server 9000'
    scene 'server FIN' --rule 'swap client:data#2' --server "$waits" \
        --client 'head -c 20000 /dev/zero | tcp_client server 9000'
    scene 'server FIN' --client "$ask" \
        --server 'tcp_server -n 2 --close-delay 100ms server 9000' \
        --client 'tcp_client --ask again server 9000'
    exits 0 wirelab view "$of-client.pcapng"
    grep -qF '2 conversations' "$out"
}

@test "jumbo frames" {
    scene 'client 8000 B' --mtu 9000 --server "$waits" \
        --client 'head -c 8000 /dev/zero | tcp_client server 9000'
}

@test "fragments, and one of them lost" {
    need tshark
    lab_status=5 alone 'client frame lost' --rule 'drop client:any#2' \
        --server 'udp_server server 9000' \
        --client 'head -c 4000 /dev/zero | udp_client --block 4000 server 9000'
    [ "$(tshark -r "$of-client.pcapng" -T fields -e frame.number -Y \
        'ip.flags.mf == 1 || ip.frag_offset > 0' 2>/dev/null | wc -l)" -eq 3 ]
}

@test "what the lab remarks is a comment" {
    need tshark
    mkfifo never
    scene 'server killed 9' --kill server@1s \
        --server 'tcp_server server 9000' \
        --client 'tcp_client --until-peer server 9000 <>never'
    comments server 'tcp.flags.fin == 1' | grep -q '^killed (9)'
    exits 0 wirelab view "$of-server.pcapng"
    grep -qF 'killed (9), as --kill asks' "$out"
}

@test "of these scenes: tshark agrees on each frame, no word lies over another" {
    judge
}

# In a network namespace of its own: both programs over lo, and tcpdump, which
# gives up root's rights, and in an ordinary user's namespace cannot.
capture_loopback() {
    need tcpdump unshare
    unshare -n true 2>/dev/null || skip "only root can run tcpdump here"
    # shellcheck disable=SC2016 # the shell inside expands it
    timeout "$PATIENCE" unshare -n bash -euc '
        ip link set lo up
        : >dump.err
        : >ready
        tcpdump -Z "$(id -un)" -U -w "$0" "$@" 2>dump.err &
        dump=$!
        until grep -q listening dump.err; do
            kill -0 "$dump"
            sleep 0.05
        done
        tcp_server -n 1 0 >ready &
        until grep -q listening ready; do sleep 0.05; done
        port=$(sed "s/.*://" ready)
        tcp_client --ask hello 127.0.0.1 "$port" >/dev/null
        wait "$!"
        kill -0 "$dump"
        for try in $(seq 100); do
            size=$(stat -c %s "$0")
            sleep 0.1
            [ "$(stat -c %s "$0")" -ne "$size" ] || [ "$size" -lt 500 ] || break
        done
        kill -INT "$dump"
        wait "$dump"
    ' "$@" 3>&-
}

@test "tcpdump on lo, and on any by both of its headers" {
    local picture="$BATS_TEST_TMPDIR/picture"
    for how in '-i lo' '-i any -y LINUX_SLL' '-i any -y LINUX_SLL2'; do
        # shellcheck disable=SC2086
        capture_loopback dump.pcap $how
        exits 0 wirelab view dump.pcap
        grep -qF 'the states are inferred from the segments' "$out"
        grep -qF '[SYN_SENT]|- SYN seq=x ----------->| [SYN_RCVD]' "$out"
        grep -qF '|- 6 B seq=x+1 ack=y+1 ->|' "$out"
        grep -qE '\[TIME_WAIT\]\|<- FIN' "$out"
        lacks 'checksum is wrong' "$out" # it is left to a card, on lo
        exits 0 wirelab --layers view dump.pcap
        cp "$out" "$picture"
    done
    grep -qF 'written by the capture; not of the wire' "$picture"
}
