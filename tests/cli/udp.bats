#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# udp_server in every model, and udp_client: datagrams keep their boundaries,
# an empty one is one, and whether anybody is there hardly anybody knows.
# Read next: peers.bats.
# shellcheck disable=SC2030,SC2031,SC2034,SC2094,SC2154 # set by helpers.bash
load helpers

@test "every model is listed" {
    exits 0 udp_server --models
    grep -qE '^iterative +[a-z]' "$out"
    exits 0 udp_server --services
    [ "$(wc -l <"$out")" -ge 4 ]
}

@test "echo, each line a datagram of its own" {
    for model in $(models udp_server); do
        start udp_server -m "$model" 0
        [[ $ready == "listening udp 127.0.0.1:$port" ]]
        exits 0 udp_client -t 200ms "$host" "$port" <<<$'one\ntwo\n\nthree'
        sort "$out" | cmp - <(printf '\none\nthree\ntwo\n')
        says nothing
        stop
        logged ' 4 bytes \(no connection\)$'
        logged ' 1 bytes \(no connection\)$'
        logged '^total udp: 4 datagrams in, 4 out, 15 bytes in, 15 out, 0 cut$'
    done
}

@test "discard answers nothing; daytime and chargen answer one datagram" {
    for model in $(models udp_server); do
        start udp_server -m "$model" -s discard 0
        exits 5 udp_client -t 100ms --ask x "$host" "$port"
        says 'no reply within the --timeout'
        prints ''
        stop
        logged 'total udp: 1 datagrams in, 0 out'
        start udp_server -m "$model" -s daytime 0
        exits 0 udp_client --ask x "$host" "$port"
        grep -qE "$(date +%Y) [0-9:]{8}-.*"$'\r$' "$out"
        stop
        start udp_server -m "$model" -s chargen 0
        exits 0 udp_client --ask x "$host" "$port"
        [ "$(head -n 1 "$out")" = \
            "$(printf '%b' "$(printf '\\x%x' {32..103})")"$'\r' ]
        [ "$(wc -c <"$out")" -le 512 ] # RFC 864
        stop
    done
}

@test "an empty datagram is a datagram, not the end" {
    for model in $(models udp_server); do
        start udp_server -m "$model" --json 0
        exits 0 udp_client --chomp --json -t 100ms "$host" "$port" <<<''
        jq -es 'any(.event == "datagram" and .bytes == 0)' "$out"
        exits 0 udp_client --ask 'still there?' "$host" "$port"
        stop
        event datagram '.bytes == 0'
        event datagram '.bytes == 13'
        event end '.datagrams_in == 2 and .datagrams_out == 2'
    done
}

@test "an empty answer is an answer" {
    start peer udp_empty
    exits 0 udp_client -t 200ms "$host" "$port" <<<hello
    prints $'hello\n'
    start peer udp_empty
    exits 0 udp_client --json --ask hello "$host" "$port"
    jq -es 'any(.event == "datagram" and .bytes == 0)' "$out"
}

@test "--chomp leaves the newline out" {
    start udp_server --json 0
    exits 0 udp_client --chomp -t 100ms "$host" "$port" <<<hello
    prints hello
    stop
    event datagram '.bytes == 5'
    exits 2 udp_client --chomp --block 10 "$host" "$port"
}

@test "--block: each read is a datagram, and boundaries are kept" {
    start udp_server --json 0
    head -c 3500 /dev/urandom >in
    exits 0 udp_client --block 1000 -t 200ms "$host" "$port" <in
    cmp in "$out"
    stop
    [ "$(jq -c 'select(.event == "datagram").bytes' <<<"$log" | xargs)" = \
        '1000 1000 1000 500' ]
}

@test "65,507 bytes pass, 65,508 do not" {
    for model in $(models udp_server); do
        start udp_server -m "$model" 0
        head -c 65507 /dev/urandom >in
        exits 0 udp_client --block 65507 -t 200ms "$host" "$port" <in
        cmp in "$out"
        head -c 65508 /dev/urandom >in
        for unconnected in '' --unconnected; do
            # shellcheck disable=SC2086 # none is none
            exits 1 udp_client $unconnected --block 65508 -t 200ms \
                "$host" "$port" <in
            says '^udp_client: send.*: Message too long$'
            says 'send less in one datagram, or use TCP'
        done
        stop
        logged ' 65507 bytes'
        logged 'total udp: 1 datagrams in'
    done
}

@test "a line too long for any datagram is refused, not cut in two" {
    start udp_server 0
    head -c 70000 /dev/zero | tr '\0' x >in
    exits 1 udp_client -t 100ms "$host" "$port" <in
    says 'Message too long'
    stop
    logged 'total udp: 0 datagrams in'
}

@test "--buffer: a larger datagram is cut, and that is told" {
    for model in $(models udp_server); do
        start udp_server -m "$model" --buffer 10 0
        exits 0 udp_client -t 100ms "$host" "$port" <<<'0123456789abcdef'
        prints 0123456789
        stop
        logged ' 17 bytes \(no connection\), cut: larger than the buffer$'
        logged ' 17 bytes in, 10 out, 1 cut$'
        start udp_server -m "$model" --buffer 10 --json 0
        exits 0 udp_client --ask 0123456789abcdef "$host" "$port"
        stop
        event datagram '.bytes == 17 and .truncated == true'
        event end '.truncated == 1'
    done
    exits 2 udp_server --buffer 0 0
    exits 2 udp_server --buffer 65536 0
}

@test "many peers at once, each answered" {
    for model in $(models udp_server); do
        start udp_server -m "$model" 0
        clients=()
        for i in {1..20}; do
            # An address each: a port that is free again may come twice.
            udp_client --source "127.0.0.$i" --ask "peer $i" "$host" "$port" \
                >"answer.$i" 3>&- &
            clients+=($!)
        done
        for client in "${clients[@]}"; do
            wait "$client"
        done
        for i in {1..20}; do
            [ "$(<"answer.$i")" = "peer $i" ]
        done
        stop
        [ "$(grep -o '^udp [^ ]*' <<<"$log" | sort -u | wc -l)" -eq 20 ]
    done
}

@test "-n: the server ends after so many datagrams" {
    for model in $(models udp_server); do
        start udp_server -m "$model" -n 2 0
        exits 0 udp_client --ask one "$host" "$port"
        exits 0 udp_client --ask two "$host" "$port"
        finish
        [ "$status" -eq 0 ]
        logged 'total udp: 2 datagrams in, 2 out'
    done
}

@test "-t: the server ends after so long a silence" {
    for model in $(models udp_server); do
        start udp_server -m "$model" -t 100ms --json 0
        finish
        [ "$status" -eq 0 ]
        event end '.exit_status == 0 and .partial == false'
    done
}

@test "nobody there: a connected socket is told" {
    start peer udp_holds
    exits 4 udp_client --ask x "$host" "$port"
    says '^udp_client: recv: Connection refused$'
    says "is the server running"
    exits 4 udp_client "$host" "$port" <<<x
    says 'Connection refused'
}

@test "nobody there: an unconnected socket is not told" {
    start peer udp_holds
    exits 5 udp_client --unconnected -t 100ms --ask x "$host" "$port"
    says 'no reply'
    exits 5 udp_client --unconnected -t 100ms "$host" "$port" <<<x
}

@test "--unconnected: answers come, but nobody else's" {
    start udp_server 0
    exits 0 udp_client --unconnected -v --ask hello "$host" "$port"
    prints $'hello\n'
    says "^sendto\(.*, $host:$port\) = 6$"
    lacks '^connect' "$err"
    stop
    for unconnected in '' --unconnected; do
        start peer udp_stranger
        # shellcheck disable=SC2086 # none is none
        exits 0 udp_client $unconnected -t 300ms "$host" "$port" <<<hello
        prints $'hello\n'
        [ -z "$unconnected" ] || says 'not from the peer: ignored'
    done
}

@test "what strangers send is no answer, and ends no silence" {
    start peer udp_strangers
    exits 5 udp_client --unconnected -t 300ms --ask x "$host" "$port"
    start peer udp_strangers
    exits 5 udp_client --unconnected -t 300ms "$host" "$port" <<<x
    says 'not from the peer: ignored'
}

@test "no answer: status 5; --timeout 0 only sends" {
    start peer udp_says_nothing
    exits 5 udp_client -t 100ms "$host" "$port" <<<x
    says 'no reply: lost, or nobody answers'
    exits 0 udp_client -t 0 "$host" "$port" <<<x
    says nothing
    exits 0 udp_client -t 0 --ask x "$host" "$port"
    exits 0 udp_client -t 100ms "$host" "$port" </dev/null
    exits 0 udp_client -t 100ms "$host" "$port" <&-
}

@test "the server answers nobody who could answer for ever" {
    [ "$(id -u)" -eq 0 ] || skip "only root may send from port 7"
    for model in $(models udp_server); do
        start udp_server -m "$model" 0
        exits 0 peer from_port_7 "$host" "$port"
        prints $'no answer\n'
        stop
        logged 'total udp: 1 datagrams in, 0 out'
    done
}

@test "a port in use: status 3, and who has it" {
    for model in $(models udp_server); do
        start udp_server -m "$model" 0
        exits 3 udp_server -m "$model" "$port"
        says "^udp_server: bind $host:$port: Address already in use$"
        says "^udp_server: udp_server \(process $server\) has this port"
        stop
    done
}

@test "--broadcast: all of the link, and only on demand" {
    start udp_server 127.255.255.255 0
    exits 1 udp_client -t 100ms 127.255.255.255 "$port" <<<x
    says 'Permission denied'
    says '--broadcast allows it'
    exits 0 udp_client --broadcast -t 0 127.255.255.255 "$port" <<<hello
    await ' 6 bytes'
    stop
    start udp_server 0.0.0.0 0
    exits 0 udp_client --broadcast -t 300ms 127.255.255.255 "$port" <<<hello
    prints $'hello\n'
    stop
}

# Two hosts' worth of network that nobody else has.
@test "multicast: every member of the group gets a copy" {
    unshare -rn true 2>/dev/null || skip "no network namespaces here"
    need ip
    # shellcheck disable=SC2016 # that bash expands them
    run unshare -rn bash -ec '
        ip link set lo up multicast on
        ip route add 239.1.2.0/24 dev lo
        udp_server --join 239.1.2.3 --json -v -n 1 19000 >one &
        udp_server --join 239.1.2.3 --json -n 1 0.0.0.0 19000 >two &
        for f in one two; do
            until grep -qs listening $f; do sleep 0.05; done
        done
        udp_client --ttl 1 -t 300ms -v 239.1.2.3 19000 <<<hello
        wait
        jq -es "any(.event == \"datagram\" and .bytes == 6)" one two'
    echo "$output"
    [ "$status" -eq 0 ]
    [[ $output == *hello* ]]
    [[ $output == *'IP_MULTICAST_TTL, 1) = 0'* ]]
    # Once it can be reached it hears the group.
    [[ $(<one) == *IP_ADD_MEMBERSHIP*'"bind"'* ]]
    exits 2 udp_server --join 127.0.0.1 0
    says 'not a multicast group'
    exits 2 udp_server --join 239.1.2.3:7 0
    says '^udp_server: --join 239.1.2.3:7: a group has no port'
    # What is sent to the group would not arrive there.
    for other in ::1 127.0.0.1; do
        exits 2 udp_server --join 239.1.2.3 "$other" 0
        says "^udp_server: --join 239.1.2.3: nothing .* arrives at $other"
    done
    exits 2 udp_server --join '' 0
}

@test "--ttl reaches the kernel, within its bounds" {
    start udp_server 0
    exits 0 udp_client -v --ttl 3 --ask x "$host" "$port"
    says 'IP_TTL, 3\) = 0'
    for bad in 0 256 -1 x ''; do
        exits 2 udp_client --ttl "$bad" --ask x "$host" "$port"
    done
    stop
}

@test "--source: the address that the server sees" {
    start udp_server 0
    exits 0 udp_client --source 127.0.0.2 --ask x "$host" "$port"
    await '^udp 127\.0\.0\.2:'
    exits 2 udp_client --source ::1 --ask x "$host" "$port"
    exits 3 udp_client --source 192.0.2.1 --ask x "$host" "$port"
    stop
}

@test "--ask: the largest, and one larger" {
    start udp_server 0
    exits 0 udp_client --ask "$(printf '%065506d' 0)" "$host" "$port"
    [ "$(wc -c <"$out")" -eq 65507 ]
    exits 1 udp_client --ask "$(printf '%065507d' 0)" "$host" "$port"
    says 'Message too long'
    exits 2 udp_client --ask "$(printf '%0100000d' 0)" "$host" "$port"
    stop
}

@test "signals end both in good order" {
    for model in $(models udp_server); do
        for signal in TERM INT; do
            start udp_server -m "$model" --json 0
            stop "$signal"
            event end '.exit_status == 0 and .partial == true'
        done
    done
    start peer udp_says_nothing
    for signal in INT:130 TERM:143; do
        for ask in '' '--ask=x'; do
            : >"$out" # not to take the last client's words for this one's
            # shellcheck disable=SC2086 # none is none
            udp_client -v --json $ask -t 30s "$host" "$port" <<<x >"$out" 3>&- &
            client=$!
            wait_for '"name":"send"' "$out"
            kill "-${signal%:*}" "$client"
            status=0
            wait "$client" || status=$?
            [ "$status" -eq "${signal#*:}" ]
            log=$(<"$out")
            event end ".partial == true and .exit_status == $status"
        done
    done
}

@test "stdout full or closed: status 1" {
    start udp_server 0
    exits 1 bash -c "udp_client --ask hello $host $port >/dev/full"
    says '^udp_client: write stdout: No space left on device$'
    exits 1 bash -c "udp_client -t 1s $host $port <<<hello >&-"
    exits 1 bash -c "udp_server 0 >/dev/full"
    stop
}

@test "a peer's bytes cannot steer the terminal" {
    need script
    start udp_server 0
    exits 0 script -qec \
        "printf '\e[31mred\a\r\n' | udp_client -t 200ms $host $port" /dev/null
    lacks $'\e' "$out"
    grep -qF '\x1b[31mred\a\r' "$out"
    stop
}

@test "--read-rate: the iterative model reads slowly, and answers later" {
    start udp_server --quiet --read-rate 10K 0
    exits 0 udp_client --json --quiet --ping -n 4 -i 0 -l 1000 "$host" "$port"
    # 1000 bytes are a tenth of a second's: three waits between four replies.
    jq -es 'any(.event == "end" and .elapsed_ns > 290000000)' "$out" ||
        fail "$(cat "$out")"
    stop
    exits 2 udp_server -m event --read-rate 10K 0
    says 'read-rate is for the iterative model'
}
