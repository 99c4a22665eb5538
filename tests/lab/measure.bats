#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# measure: what --ping and --stream say of a wire that loses, doubles and
# reorders, against the wire's own account of every frame. Each count must be
# equal, in every run. No time is asserted.
# Read next: ../cli/ping.bats.
# shellcheck disable=SC2016,SC2154 # jq's variables; out and err: the helpers
load ../cli/helpers
load lab

# What the wire did with the messages of $size bytes that one side sent: the
# k-th that it took was message k. In the order of arrival.
account='
    def account($frames):
        ($frames | map(select(.phase == "sent")) | sort_by(.number)
            | to_entries | map({key: (.value.number | tostring), value: .key})
            | from_entries) as $message
        | reduce ($frames | map(select(.phase == "received"))[]
            | $message[.number | tostring]) as $n
            ({sent: ($message | length), delivered: 0, duplicated: 0,
              reordered: 0, max: -1, seen: {}};
             if .seen[$n | tostring] then .duplicated += 1
             else .seen[$n | tostring] = true | .delivered += 1
                | if $n < .max then .reordered += 1 else .max = $n end
             end)
        | {sent, delivered, lost: (.sent - .delivered), duplicated, reordered};
    def frames($from): map(select(.event == "frame" and .from == $from
        and .len_bytes == $size));
    def result: map(select(.event == "output" and .host == "client"
        and .stream == "stdout").text | fromjson? | select(.event == "end"))[0];
'

# lab STATUS OPTION...: runs the lab; it must end with that status.
lab() {
    local wanted=$1 status=0
    shift
    need wirelab jq
    timeout "$PATIENCE" wirelab --json --lanes wire --delay 2ms "$@" \
        >"$out" 2>"$err" 3>&- 4>&- || status=$?
    [ "$status" -ne 77 ] || skip "$(tail -n 1 "$err")"
    [ "$status" -eq "$wanted" ] ||
        fail "status $status, not $wanted: $(cat "$err"; tail -n 5 "$out")"
}

# equal SIZE FILTER FILTER: both give the same, of the lab's events.
equal() {
    local one two
    one=$(jq -cs --argjson size "$1" "$account $2" "$out")
    two=$(jq -cs --argjson size "$1" "$account $3" "$out")
    [ "$one" = "$two" ] || fail "not equal: $one $two"
    [ "$one" != null ] || fail "no result"
}

counts='result | {sent, delivered, lost, duplicated, reordered}'

@test "stream: every count is what the wire did, with rules" {
    lab 6 --rule 'drop client:udp#13-15' --rule 'duplicate client:udp#20' \
        --rule 'swap client:udp#30' --rule 'drop client:udp#40' \
        --server 'udp_server --quiet -s sink server 9000' \
        --client 'udp_client --json --stream --bytes 50K --size 500 \
            --rate 4mbit --verify server 9000'
    equal 500 "$counts" 'account(frames("client"))'
    equal 500 'result | [.sent, .lost, .duplicated, .reordered, .corrupt]' \
        '[100, 4, 1, 1, 0]'
    equal 500 'result | [.kernel_drops, .beyond]' '[0, 0]'
}

@test "stream: every count is what the wire did, at random, both directions" {
    for seed in 1 2 3; do
        for direction in client server; do
            reverse=
            [ "$direction" = client ] || reverse=--reverse
            lab 6 --seed "$seed" --loss 8% --duplicate 5% --reorder 5% \
                --server 'udp_server --quiet -s sink server 9000' \
                --client "udp_client --json --stream $reverse --bytes 60K \
                    --size 400 --rate 4mbit server 9000"
            equal 400 "$counts" "account(frames(\"$direction\"))"
        done
    done
}

# The server sends from the moment that its answer leaves: what comes before
# the answer, or without it, is of the run too.
@test "stream: reversed, data that overtakes the server's answer is counted" {
    for options in '' '--batch 8'; do
        for rule in 'drop server:udp#2' 'delay=30ms server:udp#2'; do
            lab 0 --rule "$rule" \
                --server 'udp_server --quiet --batch 8 -s sink server 9000' \
                --client "udp_client --json --stream -R $options --verify \
                    --bytes 50K --size 500 --rate 4mbit server 9000"
            equal 500 "$counts" 'account(frames("server"))'
            equal 500 'result | [.sent, .lost, .corrupt]' '[100, 0, 0]'
        done
    done
}

@test "stream: in batches, both directions, every count is what the wire did" {
    for seed in 1 2 3; do
        for direction in client server; do
            reverse=
            [ "$direction" = client ] || reverse=--reverse
            lab 6 --seed "$seed" --loss 8% --duplicate 5% --reorder 5% \
                --server 'udp_server --quiet --batch 8 -s sink server 9000' \
                --client "udp_client --json --stream $reverse --batch 32 \
                    --bytes 40K --size 400 --rate 40mbit --verify server 9000"
            equal 400 "$counts" "account(frames(\"$direction\"))"
            equal 400 'result | [.sent, .corrupt, .beyond]' '[100, 0, 0]'
            equal 400 "result | 2 * .syscalls_by_$direction < .sent" true
        done
    done
}

# GSO cuts at a frame's size: what IP must cut smaller leaves by sendmmsg.
@test "stream: batches of datagrams larger than the MTU go without GSO" {
    for reverse in '' --reverse; do
        lab 0 --server 'udp_server --quiet --batch 8 -s sink server 9000' \
            --client "udp_client --json --stream $reverse --batch 8 --verify \
                --bytes 150K --size 3000 --rate 100mbit server 9000"
        equal 0 'result | [.sent, .delivered, .corrupt, .mode]' \
            '[50, 50, 0, "sendmmsg"]'
    done
}

# The j-th that reached the server made it send its j-th reply: so the replies
# are numbered by the pings that they answer.
replies='
    (frames("client")) as $asked
    | ($asked | map(select(.phase == "sent")) | sort_by(.number)
        | map(.number)) as $order
    | ($asked | map(select(.phase == "received") | .number as $n
        | $order | index($n))) as $answered
    | (frames("server") | map(select(.phase == "sent")) | sort_by(.number)
        | map(.number)) as $sent
    | reduce (frames("server") | map(select(.phase == "received"))[]
        | .number as $n | $answered[$sent | index($n)]) as $ping
        ({received: 0, duplicated: 0, reordered: 0, max: -1, seen: {}};
         if .seen[$ping | tostring] then .duplicated += 1
         else .seen[$ping | tostring] = true | .received += 1
            | if $ping < .max then .reordered += 1 else .max = $ping end
         end)
    | {sent: ($order | length), received, duplicated, reordered}
'

@test "ping: every count is what the wire did" {
    for seed in 1 2 3; do
        lab 6 --seed "$seed" --loss 10% --duplicate 10% --reorder 10% \
            --server 'udp_server --quiet server 9000' \
            --client 'udp_client --json --quiet --ping -n 60 -i 3ms -l 100 \
                --timeout 500ms server 9000'
        equal 100 'result | {sent, received, duplicated, reordered}' "$replies"
        equal 100 'result | .lost' 'result | .sent - .received'
    done
}

@test "ping: a late reply is late, not lost, and not the next one's answer" {
    lab 0 --rule 'delay=200ms client:udp#3' \
        --server 'udp_server --quiet server 9000' \
        --client 'udp_client --json --ping -n 40 -i 10ms --timeout 100ms \
            server 9000'
    equal 64 'result | [.sent, .received, .lost, .late, .duplicated]' \
        '[40, 40, 0, 1, 0]'
    jq -es 'map(select(.event == "output").text | fromjson?
        | select(.event == "reply" and .late)) | length == 1
        and .[0].number == 2 and .[0].rtt_ns > 200000000' "$out" >/dev/null ||
        fail "$(grep late "$out")"
}

@test "ping: with --interval 0 a loss costs one time-out, not one each" {
    lab 6 --rule 'drop client:udp#3' \
        --server 'udp_server --quiet server 9000' \
        --client 'udp_client --json --quiet --ping -n 30 -i 0 \
            --timeout 500ms server 9000'
    equal 64 'result | [.sent, .received, .lost]' '[30, 29, 1]'
    equal 64 'result | .elapsed_ns < 5 * 1000000000' true
}

@test "TCP repairs the same wire: all is delivered, and resent" {
    lab 0 --rule 'drop client:data#5' --rule 'duplicate client:data#7' \
        --server 'tcp_server --quiet -s sink server 9000' \
        --client 'tcp_client --json --stream --verify --bytes 40K \
            --size 1000 server 9000'
    equal 0 'result | [.sent, .delivered, .lost, .duplicated, .corrupt]' \
        '[40, 40, 0, 0, 0]'
    jq -es 'map(select(.event == "output" and .host == "client").text
        | fromjson? | select(.event == "end"))[0].retransmits > 0' "$out" \
        >/dev/null || fail "no retransmission"
}

@test "the wire is cut: the run ends in time, as partial, with status 5" {
    for command in 'udp_client --stream --rate 1mbit --duration 1s' \
        'tcp_client --stream --duration 1s'; do
        lab 5 --blackhole client@300ms --drain 100ms \
            --server "${command%%_*}_server --quiet -s sink server 9000" \
            --client "$command --json --timeout 1s server 9000"
        equal 0 'result | [.partial, .exit_status, .delivered]' \
            '[true, 5, null]'
    done
}

@test "the server is killed: the run ends in time, as partial" {
    for command in 'udp_client --stream --rate 1mbit --duration 2s' \
        'tcp_client --stream --rate 1mbit --duration 2s -l 1000'; do
        lab 6 --kill server@400ms \
            --server "${command%%_*}_server --quiet -s sink server 9000" \
            --client "$command --json --timeout 2s server 9000"
        equal 0 'result | [.partial, .exit_status]' '[true, 6]'
    done
}
