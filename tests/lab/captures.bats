#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# captures: tshark reads what --pcap wrote, and agrees with our decoder about
# every frame; view draws it as the live run was drawn; and it draws what
# tcpdump captured.
# Read next: tcp.bats and faults.bats, whose scenes these are.
# shellcheck disable=SC2154 # out and err are set by the helpers
load ../cli/helpers

echo_server='tcp_server -n 1 server 9000'
waits='tcp_server -n 1 --close-delay 100ms server 9000'
ask='tcp_client --ask hello server 9000'

# scene OPTION...: runs it; leaves run.json, run-client.pcapng,
# run-server.pcapng, and the picture without calls in live.
scene() {
    local status=0
    timeout "$PATIENCE" wirelab --lanes wire,states --record run.json \
        --pcap run "$@" >live 2>"$err" 3>&- || status=$?
    [ "$status" -ne 77 ] || skip "$(tail -n 1 "$err")"
}

# What our decoder says of each frame of HOST's capture: flags, seq, ack,
# length, window; of ICMP the type.
ours() {
    jq -r --arg host "$1" 'def hex: {FIN: 1, SYN: 2, RST: 4, PSH: 8, ACK: 16,
            URG: 32, ECE: 64, CWR: 128}[.];
        select(.event == "frame" and .host == $host) |
        [.proto, .source, .destination,
         if .proto == "tcp" then ([.flags[] | hex] | add // 0) else "" end,
         .seq_abs // "", .ack_abs // "", .len_bytes, .frame_bytes,
         if .proto == "tcp" then .seq else "" end] | @tsv' run.json
}

# The same by tshark. Sequence numbers are relative to the first of each side.
theirs() {
    tshark -r "run-$1.pcapng" -o tcp.relative_sequence_numbers:TRUE \
        -T fields -E occurrence=f -e ip.proto -e ipv6.nxt -e ip.src \
        -e ipv6.src -e ip.dst -e ipv6.dst -e tcp.srcport -e udp.srcport \
        -e tcp.dstport -e udp.dstport -e tcp.seq_raw -e tcp.ack_raw \
        -e tcp.len -e udp.length -e frame.len -e tcp.seq \
        -e tcp.flags.fin -e tcp.flags.syn -e tcp.flags.reset \
        -e tcp.flags.push -e tcp.flags.ack -e tcp.flags.urg \
        -e tcp.flags.ece -e tcp.flags.cwr \
        2>/dev/null |
        awk -F '\t' -v OFS='\t' '{
            proto = $1 $2
            split("", name); name[6] = "tcp"; name[17] = "udp"
            name[1] = name[58] = "icmp"
            from = $3 != "" ? $3 ":" $7 $8 : "[" $4 "]:" $7 $8
            to = $5 != "" ? $5 ":" $9 $10 : "[" $6 "]:" $9 $10
            if (proto != 6 && proto != 17) {
                from = from "0"; to = to "0"
                sub(/:[0-9]+$/, ":0", from); sub(/:[0-9]+$/, ":0", to)
            }
            flags = ""
            for (bit = 0; proto == 6 && bit < 8; bit++)
                flags += $(17 + bit) * 2 ^ bit
            ack = proto == 6 && $21 == 1 ? $12 : ""
            len = proto == 6 ? $13 : proto == 17 ? $14 - 8 : 0
            print name[proto], from, to, flags, $11, ack, len, $15, $16
        }'
}

# tshark has nothing to say against the capture of HOST, but for COUNT frames
# whose checksum the wire has spoiled.
sound() {
    local host=$1 count=${2:-0} bad
    bad=$(tshark -r "run-$host.pcapng" -o tcp.check_checksum:TRUE \
        -o udp.check_checksum:TRUE -o ip.check_checksum:TRUE \
        -Y 'tcp.checksum.status == 0 || udp.checksum.status == 0 ||
            ip.checksum.status == 0 || icmp.checksum.status == 0 ||
            icmpv6.checksum.status == 0' 2>/dev/null | wc -l)
    [ "$bad" -eq "$count" ] || fail "$host: $bad bad checksums, not $count"
    tshark -r "run-$host.pcapng" -Y '_ws.malformed' >malformed 2>"$err"
    [ ! -s malformed ] || fail "$host: malformed: $(cat malformed)"
    ! grep -vqE '^Running as user|^ *$' "$err" || fail "$(cat "$err")"
}

# agree HOST: frame by frame.
agree() {
    ours "$1" >"ours.$1"
    theirs "$1" >"theirs.$1"
    [ -s "ours.$1" ]
    diff "ours.$1" "theirs.$1" || fail "$1: ours (<), tshark's (>)"
}

# The rows of a picture without their times and titles.
rows() {
    grep '|.*|' "$1" | sed -E 's/ +[0-9.]+$//; s/^ *[0-9.]+//; s/ +//g' |
        grep -vE '^msclient|^\|\|\[LISTEN\]$|^\|\|$|^exitstatus'
}

# same_rows: the client's capture gives the rows that were drawn live, where
# nothing crosses; both captures give them always.
same_rows() {
    exits 0 wirelab view run-client.pcapng
    diff <(rows live) <(rows "$out") || fail "live (<), from the capture (>)"
    same_rows_of_both
}

same_rows_of_both() {
    exits 0 wirelab --flow all view run-client.pcapng run-server.pcapng
    diff <(rows live) <(rows "$out") || fail "live (<), from both captures (>)"
    exits 0 wirelab --flow all view run-server.pcapng run-client.pcapng
    diff <(rows live) <(rows "$out") || fail "live (<), from both, turned (>)"
}

# alike OPTION...: a scene whose captures give the rows that were drawn live. A
# busy machine may ask for a state too late, so there are three tries.
alike() {
    for _ in 1 2 3; do
        scene "$@"
        (same_rows_of_both) >tried 2>&1 && return
    done
    fail "$(cat tried)"
}

@test "a TCP conversation" {
    need tshark jq
    scene --server "$waits" --client "$ask"
    agree client
    agree server
    sound client
    sound server
    same_rows
}

@test "IPv6" {
    need tshark jq
    scene -6 --server "$waits" --client "$ask"
    agree client
    agree server
    sound client
    sound server
    same_rows
}

@test "a segment that is lost is in the sender's capture, with a comment" {
    need tshark jq
    scene --rule 'drop client:data#1' --server "$waits" --client "$ask"
    agree client
    agree server
    sound client
    sound server
    same_rows
    tshark -r run-client.pcapng -Y 'frame.comment == "wire: lost by rule 1"' \
        -T fields -e tcp.len 2>/dev/null | grep -qx 6
    tshark -r run-client.pcapng -T fields -e frame.comment 2>/dev/null |
        grep -qx 'sent again: timeout'
    lacks 'lost' <(tshark -r run-server.pcapng -T fields -e frame.comment \
        2>/dev/null)
    local client server
    client=$(wc -l <ours.client) server=$(wc -l <ours.server)
    [ "$client" -eq $((server + 1)) ]
    scene --rule 'drop client:udp#1' --server 'udp_server server 9000' \
        --client 'udp_client --ask hello server 9000'
    same_rows
}

@test "a SYN is lost, a SYN+ACK is lost" {
    need tshark jq
    scene --rule 'drop client:syn#1' --rule 'drop server:synack#1' \
        --server "$waits" --client "$ask"
    agree client
    agree server
    sound client
    sound server
}

@test "a damaged segment: good as it left, bad as it came" {
    need tshark jq
    scene --rule 'corrupt client:data#1' --server "$waits" --client "$ask"
    agree client
    sound client
    sound server 1
    same_rows
    tshark -r run-server.pcapng -T fields -e frame.comment 2>/dev/null |
        grep -q '^the checksum is wrong'
    exits 0 wirelab view run-server.pcapng
    grep -qF 'checksum is wrong' "$out"
}

@test "a duplicate: one leaves, two come" {
    need tshark jq
    scene --rule 'duplicate client:data#1' --server "$waits" --client "$ask"
    agree client
    agree server
    sound client
    sound server
    tshark -r run-server.pcapng -T fields -e frame.comment 2>/dev/null |
        grep -qx 'wire: the second of two'
    exits 0 wirelab view run-server.pcapng
    grep -qF '2 arrived' "$out"
}

@test "RST, refused and aborted" {
    need tshark jq
    scene --client "$ask"
    agree client
    agree server
    same_rows
    scene --server "$waits" --client 'tcp_client --reset --ask hello server 9000'
    agree client
    agree server
    sound client
}

@test "SACK, a closed window, twenty thousand bytes" {
    need tshark jq
    scene --rule 'drop client:data#3' --server "$echo_server" \
        --client 'head -c 20000 /dev/zero | tcp_client server 9000'
    agree client
    agree server
    sound client
    sound server
    scene --server 'tcp_server -n 1 --read-rate 20K server 9000' \
        --client 'head -c 50000 /dev/zero | tcp_client server 9000'
    agree client
    sound client
    same_rows_of_both
}

@test "frames that cross, overtake, or are of two clients" {
    need tshark jq
    local other="tcp_client --source 10.9.0.2:9000 client 9000"
    alike --start together --delay 200ms --server "$other" \
        --client 'tcp_client --source 10.9.0.1:9000 server 9000'
    alike --rule 'swap client:data#2' --server "$waits" \
        --client 'head -c 20000 /dev/zero | tcp_client server 9000'
    alike --server 'tcp_server -n 2 --close-delay 100ms server 9000' \
        --client "$ask" --client 'tcp_client --ask again server 9000'
    agree client
    exits 0 wirelab view run-client.pcapng
    grep -qF '2 conversations' "$out"
}

@test "UDP, lost and answered; a closed port, over both versions of IP" {
    need tshark jq
    scene --server 'udp_server -n 1 server 9000' \
        --client 'udp_client --ask hello server 9000'
    agree client
    agree server
    sound client
    same_rows
    scene --client 'udp_client --ask hello server 9000'
    agree client
    [ "$(tshark -r run-client.pcapng -Y 'icmp.type == 3 && icmp.code == 3' \
        2>/dev/null | wc -l)" -eq 1 ]
    same_rows
    scene -6 --client 'udp_client --ask hello server 9000'
    agree client
    [ "$(tshark -r run-client.pcapng \
        -Y 'icmpv6.type == 1 && icmpv6.code == 4' 2>/dev/null | wc -l)" -eq 1 ]
    sound client
}

@test "fragments, and one of them lost" {
    need tshark jq
    scene --rule 'drop client:any#2' --server 'udp_server server 9000' \
        --client 'head -c 4000 /dev/zero | udp_client --block 4000 server 9000'
    sound client
    sound server
    same_rows
    [ "$(tshark -r run-client.pcapng -Y 'ip.flags.mf == 1 || ip.frag_offset > 0' \
        2>/dev/null | wc -l)" -eq 3 ]
}

@test "what the lab remarks is a comment" {
    need tshark
    scene --kill server@300ms --server 'tcp_server server 9000' \
        --client 'sleep 0.6 | tcp_client server 9000'
    tshark -r run-server.pcapng -Y 'tcp.flags.fin == 1' -T fields \
        -e frame.comment 2>/dev/null | grep -q '^killed (9)'
    exits 0 wirelab view run-server.pcapng
    grep -qF 'killed (9), as --kill asks' "$out"
}

# In a network namespace of its own: both programs over lo, and tcpdump.
capture_loopback() {
    need tcpdump unshare
    unshare -n true 2>/dev/null || unshare -Urn true 2>/dev/null ||
        skip "no network namespace here"
    local user=()
    unshare -n true 2>/dev/null || user=(-Ur)
    # shellcheck disable=SC2016 # the shell inside expands it
    timeout "$PATIENCE" unshare "${user[@]}" -n bash -euc '
        ip link set lo up
        : >dump.err
        : >ready
        tcpdump -Z "$(id -un)" -U -w "$0" "$@" 2>dump.err &
        dump=$!
        until grep -q listening dump.err; do sleep 0.05; done
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
