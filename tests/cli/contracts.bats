#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# What scripts rely on, in all four programs: ready lines, exit statuses, bad
# arguments, --help and --version, NDJSON, and odd surroundings.
# Read next: ../../docs/schema.json.
# shellcheck disable=SC2030,SC2031,SC2034,SC2094,SC2154 # set by helpers.bash
load helpers

programs='tcp_server tcp_client udp_server udp_client'
servers='tcp_server udp_server'
clients='tcp_client udp_client'

has_ipv6() {
    [ "$(cat /proc/sys/net/ipv6/conf/lo/disable_ipv6 2>/dev/null)" = 0 ] ||
        skip "no IPv6 here"
}

@test "ready line: IPv4 by default, on the loopback" {
    for server_program in $servers; do
        for model in $(models "$server_program"); do
            start "$server_program" -m "$model" 0
            [ "$ready" = "listening ${server_program%_*} 127.0.0.1:$port" ]
            [ "$port" -gt 0 ]
            stop
        done
    done
}

@test "ready line: IPv6 in brackets, and reached by either spelling" {
    has_ipv6
    for server_program in $servers; do
        client_program=${server_program%_*}_client
        start "$server_program" -6 0
        [ "$ready" = "listening ${server_program%_*} [::1]:$port" ]
        for host in ::1 '[::1]' localhost; do
            [ "$host" != localhost ] || getent ahostsv6 localhost >getent ||
                continue
            grep -qE '^::1' getent 2>/dev/null || [ "$host" != localhost ] ||
                continue
            exits 0 "$client_program" -6 --ask hello "$host" "$port"
            prints $'hello\n'
        done
        exits 1 "$client_program" -4 --ask hello ::1 "$port"
        stop
        start "$server_program" --json ::1 0
        [ "$(jq -r '.address + " " + .family' <<<"$ready")" = '::1 ipv6' ]
        stop
    done
}

# Where nobody else can have the port.
@test "TCP and UDP, IPv4 and IPv6 have ports of their own" {
    has_ipv6
    unshare -rn true 2>/dev/null || skip "no network namespaces here"
    need ip
    # shellcheck disable=SC2016 # that bash expands them
    exits 0 unshare -rn bash -ec '
        ip link set lo up
        for server in "tcp_server ::" "tcp_server 0.0.0.0" "udp_server ::" \
            "udp_server 0.0.0.0"; do
            $server 19000 >log &
            until grep -qs listening log; do sleep 0.05; done
            rm log
        done
        for client in tcp_client udp_client; do
            $client --ask "$client four" 127.0.0.1 19000
            $client --ask "$client six" ::1 19000
        done
        kill $(jobs -p)
        wait'
    says nothing
    prints $'tcp_client four\ntcp_client six\nudp_client four\nudp_client six\n'
}

@test "a scope id is part of an address" {
    has_ipv6
    unshare -rn true 2>/dev/null || skip "no network namespaces here"
    need ip
    # shellcheck disable=SC2016 # that bash expands them
    exits 0 unshare -rn bash -ec '
        ip link set lo up
        ip address add fe80::7/64 dev lo nodad
        for p in tcp udp; do
            ${p}_server --json fe80::7%lo 19000 >log &
            until grep -qs listening log; do sleep 0.05; done
            ${p}_client --ask hello fe80::7%lo 19000
            kill $!
            wait
            rm log
        done
        tcp_server fe80::7 19000 || echo "status $?"'
    prints $'hello\nhello\nstatus 3\n'
    says 'name the link of a link-local address'
}

@test "a bad port: status 2, named, and what is allowed" {
    for bad in -1 65536 9x ' 80' '' 99999999999 0x50 +80 80.0 '80 ' 1e3 ٨; do
        for program in $servers; do
            exits 2 "$program" -- "$bad"
            says "^$program: port '.*': not a number from 0 to 65535$"
            prints ''
        done
        for program in $clients; do
            exits 2 "$program" -- 127.0.0.1 "$bad" </dev/null
            says "^$program: port '.*': not a number from 0 to 65535$"
        done
    done
    for program in $clients; do
        exits 2 "$program" 127.0.0.1 no-such-service
        says "neither a number from 0 to 65535 nor a service"
    done
}

@test "host and port the wrong way round, or as one word: how it is written" {
    local shown='between: 127.0.0.1 9000$'
    for program in $programs; do
        exits 2 "$program" 9000 127.0.0.1 </dev/null
        says "$shown"
        exits 2 "$program" 9000 localhost </dev/null
        says "$shown"
    done
    for program in $servers; do
        exits 2 "$program" 127.0.0.1:9000
        says "$shown"
        exits 2 "$program" 127.0.0.1 70000
        lacks "$shown" "$err"
    done
    for program in $clients; do
        exits 2 "$program" 127.0.0.1:9000 </dev/null
        says 'a port, such as 127.0.0.1 9000;'
    done
}

@test "operands: too few and too many" {
    for program in $programs; do
        exits 2 "$program"
        says "^$program: needs "
        says "^$program: try '$program --help'$"
        exits 2 "$program" a b c
    done
    for program in $clients; do
        exits 2 "$program" 127.0.0.1
        exits 2 "$program" '' 80
        says "host '': empty"
    done
}

@test "an unknown option, one without its argument, one with too much" {
    for program in $programs; do
        exits 2 "$program" --no-such-option 0
        says "^$program: unknown option '--no-such-option'$"
        exits 2 "$program" -Z 0
        says "^$program: unknown option '-Z'$"
        exits 2 "$program" --timeout
        exits 2 "$program" --json=yes 127.0.0.1 0
        exits 2 "$program" -4 -6 127.0.0.1 0
        says '4 and -6 exclude each other'
        prints ''
    done
    exits 2 tcp_server --count
    says "option '--count' needs an argument"
    exits 2 udp_client -t
    says "option '-t' needs an argument"
}

@test "numbers, sizes and durations have bounds" {
    for bad in '' -1 0x10 1s ' 1' 1.5 99999999999999999999; do
        exits 2 tcp_server --count "$bad" 0
        says "^tcp_server: --count '.*': not a number"
    done
    exits 2 tcp_server --count 0 0
    exits 2 tcp_server --max-clients 0 -m thread 0
    exits 2 tcp_server --backlog 65536 0
    for bad in '' -1 1x s 1.s .5 1.1234567890s '1 s'; do
        exits 2 tcp_client --timeout "$bad" 127.0.0.1 1
        says "not a duration such as"
    done
    exits 2 tcp_client --timeout 99999999999999999999h 127.0.0.1 1
    says "too large"
    for bad in '' -1 10k 10.. 1KB 1e3; do
        exits 2 udp_server --buffer "$bad" 0
        says "not a size such as"
    done
}

@test "the last of an option given twice counts, and -- ends the options" {
    start tcp_server -m fork -m iterative --json -- 0
    grep -q '"model":"iterative"' <<<"$log"
    stop
    exits 2 tcp_server -- --json
}

@test "status 1: a name that does not resolve" {
    name=$(printf 'x%.0s' {1..64}) # no label is that long: no server is asked
    for program in $programs; do
        exits 1 "$program" "$name" 9 </dev/null
        says "^$program: resolve $name: "
        says 'check the spelling'
    done
    for program in $clients; do
        exits 2 "$program" "$(printf 'x%.0s' {1..300})" 9
        says "^$program: host 'x*\.\.\.': too long$"
    done
}

@test "status 3: an address that is not this machine's" {
    for program in $servers; do
        exits 3 "$program" 192.0.2.1 0
        says "^$program: bind 192.0.2.1:0: Cannot assign requested address$"
        says 'address of this machine'
    done
}

@test "status 3: a port that only root may have" {
    [ "$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start)" -gt 80 ] ||
        skip "anybody may have port 80 here"
    as_ordinary_user
    for program in $servers; do
        exits 3 "${as_user[@]}" "$program" 80
        says "^$program: bind 127.0.0.1:80: Permission denied$"
        says 'use a port from 1024 up'
    done
}

@test "IPv6 switched off: said, with the cure" {
    unshare -rn true 2>/dev/null || skip "no network namespaces here"
    need ip
    for program in $servers; do
        exits 3 unshare -rn bash -c "ip link set lo up
            echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6
            exec $program -6 0"
        says "^$program: bind \[::1\]:0: Cannot assign requested address$"
    done
    for program in $clients; do
        exits 4 unshare -rn bash -c "ip link set lo up
            echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6
            exec $program --ask x ::1 9"
        says "^$program: connect \[::1\]:9: Cannot assign requested address$"
        says 'use -4'
    done
}

@test "status 4: no route" {
    unshare -rn true 2>/dev/null || skip "no network namespaces here"
    for program in $clients; do
        exits 4 unshare -rn "$program" --ask x 192.0.2.1 9
        says 'Network is unreachable'
        says 'ip route'
    done
}

@test "--help and --version, and what happens if nobody can read them" {
    for program in $programs; do
        exits 0 "$program" --help
        says nothing
        head -n 1 "$out" | grep -q "^Usage: $program \[OPTION\]"
        awk 'length > 80 { print; long = 1 } END { exit long }' "$out"
        exits 0 "$program" --version
        head -n 1 "$out" | grep -qE "^$program \(Wirelab\) [0-9]+\.[0-9]"
        for option in --help --version; do
            exits 1 bash -c "$program $option >/dev/full"
            says "^$program: write stdout: No space left on device$"
        done
    done
    exits 1 bash -c 'tcp_server --models >/dev/full'
}

@test "every option of --help is accepted" {
    for program in $programs; do
        exits 0 "$program" --help
        while read -r option; do
            # Alone it has no operand or no argument: status 2, but known.
            "$program" "$option" >known 2>&1 || true
            lacks 'unknown option' known
        done < <(grep -oE '^ .{5}--[a-z0-9-]+' "$out" | grep -oE -- '--.*')
    done
}

# valid FILE: each line is an event as docs/schema.json has it; nothing else.
valid() {
    jq -es 'length > 0 and all(.schema == 1 and (.event | type) == "string")' \
        "$1" >/dev/null || fail "no events: $(head -c 1000 "$1")"
    local python
    for python in python3 /usr/bin/python3; do
        "$python" -c 'import jsonschema' 2>/dev/null || continue
        "$python" - "$BATS_TEST_DIRNAME/../../docs/schema.json" "$1" <<'END'
import json, sys, jsonschema
schema = jsonschema.Draft7Validator(json.load(open(sys.argv[1])))
for line in open(sys.argv[2]):
    schema.validate(json.loads(line))
END
        return
    done
}

# within NAME FIELD...: event NAME of the file $out has these fields.
within() {
    local missing
    missing=$(jq -rs --arg name "$1" '$ARGS.positional - (
        map(select(.event == $name) | keys) |
        if length == 0 then [] else reduce .[1:][] as $k (.[0]; . - (. - $k)) end
        ) | join(" ")' "$out" --args "${@:2}")
    [ -z "$missing" ] || fail "event $1: no $missing"
}

@test "--json: events and nothing else, in every model" {
    for server_program in $servers; do
        client_program=${server_program%_*}_client
        for model in $(models "$server_program"); do
            start "$server_program" -m "$model" --json -v 0
            exits 0 "$client_program" --json -v --ask $'\e\377' "$host" "$port"
            says nothing
            cat "$out" >>all
            within start program version args kernel congestion_control timeout_ns
            within data bytes base64
            within call host pid name args result errno begin_ns end_ns
            within end received_bytes sent_bytes partial exit_status
            jq -es '.[0].event == "start" and .[-1].event == "end"' "$out"
            stop
            cmp "$talk" /dev/null
            printf '%s' "$log" | tee -a all >"$out"
            within start program version args model service idle_timeout_ns
            within listening proto address port family
            within end connections open failed received_bytes sent_bytes \
                datagrams_in datagrams_out truncated partial exit_status
            jq -es '.[0].event == "start" and .[-1].event == "end"' "$out"
            if [ "$server_program" = tcp_server ]; then
                within connected proto conn peer local open
                within closed proto conn peer local first_closer how \
                    received_bytes sent_bytes duration_ns
            else
                within datagram peer bytes truncated
            fi
        done
    done
    valid all
}

@test "--json: errors are still one line on stderr" {
    start peer holds
    exits 4 tcp_client --json --ask x "$host" "$port"
    says "^tcp_client: connect $host:$port: Connection refused$"
    valid "$out"
}

@test "odd surroundings change nothing" {
    for program in $servers; do
        start env -i PATH="$PATH" LANG=zh_CN.UTF-8 COLUMNS=1 TERM=dumb \
            "$program" 0
        exits 0 env -i PATH="$PATH" LANG=C COLUMNS=1 \
            "${program%_*}_client" --ask héllo "$host" "$port"
        prints $'héllo\n'
        stop
    done
}

@test "a megabyte of argument, and one that is no UTF-8" {
    # The longest single argument that Linux takes is 128 KiB.
    long=$(printf '%0131000d' 0 | tr 0 x)
    for program in $clients; do
        exits 2 "$program" "$long" 9
        exits 2 "$program" 127.0.0.1 "$long"
        exits 2 "$program" --source "$long" 127.0.0.1 9
        exits 2 "$program" --timeout "$long" 127.0.0.1 9
        exits 2 "$program" "--$long" 127.0.0.1 9
        exits 1 "$program" $'\377\376' 9 </dev/null
        says 'resolve .*xff'
    done
    for program in $servers; do
        exits 2 "$program" "$long"
        exits 2 "$program" -m "$long" 0
        exits 2 "$program" -s $'\377' 0
        says "service '.xff'"
    done
    # 1 MB in all: every argument is listed in the start event.
    long=${long:0:100000}
    start tcp_server 0
    exits 2 tcp_client --ask "$long" "$host" "$port"
    exits 2 udp_client --ask "$long" "$host" "$port"
    exits 2 tcp_client --json --ask x "$host" "$port" "$long" "$long" "$long" \
        "$long" "$long" "$long" "$long" "$long" "$long" "$long"
    exits 0 tcp_client --json --ask $'\377\n' "$host" "$port"
    valid "$out"
    stop
}
