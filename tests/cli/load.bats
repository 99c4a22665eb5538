#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# tcp_client --load, and the event loop under it: every request is answered or
# counted as an error of its kind, and the numbers of the report add up.
# Read next: tcp_server.bats.
# shellcheck disable=SC2154 # set by helpers.bash
load helpers

end() { jq -es 'map(select(.event == "end")) | last | '"$1" "$out"; }

@test "--load: so many connections, so many requests on each" {
    for model in $(models tcp_server); do
        start tcp_server -m "$model" 0
        exits 0 tcp_client --load --json --connections 20 --requests 50 \
            "$host" "$port"
        end '.opened == 20 and .answered == 1000 and .errors == 0'
        end '([.rtt_buckets[][1]] | add) == 1000'
        end '.rtt_min_ns <= .rtt_p50_ns and .rtt_p50_ns <= .rtt_p99_ns
            and .rtt_p99_ns <= .rtt_max_ns'
        stop
        logged '20 connections, 0 open, 0 failed, 64000 bytes in, 64000 out'
    done
}

@test "--load: connections that end are replaced until the time is over" {
    start tcp_server -m event --quiet 0
    exits 0 tcp_client --load --json --connections 4 --requests 1 \
        --duration 300ms "$host" "$port"
    end '.opened > 4 and .answered >= .opened - 4 and .errors == 0'
    stop
}

@test "--load --rate: as many requests as were due" {
    start tcp_server -m event --quiet 0
    exits 0 tcp_client --load --json --connections 5 --rate 1000 \
        --duration 500ms "$host" "$port"
    end '(.answered + .unsent) == 500'
    stop
}

@test "--load --busy: the others stay silent, and each gets its turn" {
    start tcp_server -m event --quiet 0
    exits 0 tcp_client --load --json --connections 50 --busy 2 --requests 3 \
        "$host" "$port"
    end '.opened == 50 and .answered == 150'
    stop
}

@test "--load --busy: without --requests the same ones are busy to the end" {
    start tcp_server -m event --json 0
    exits 0 tcp_client --load --connections 50 --busy 2 --duration 200ms \
        "$host" "$port"
    stop
    jq -es 'map(select(.event == "closed")) | length == 50 and
        (map(select(.received_bytes > 0)) | length == 2)' <<<"$log"
}

@test "--load: large requests come back whole" {
    for model in event bufferevent; do
        start tcp_server -m "$model" 0
        exits 0 tcp_client --load --json --connections 3 --requests 5 -l 3M \
            "$host" "$port"
        end '.answered == 15 and .errors == 0'
        stop
        logged '45000000 bytes in, 45000000 out'
    done
}

@test "--load: an error is counted by its kind, and tells the status" {
    start tcp_server -m event -s discard 0
    exits 5 tcp_client --load --json --connections 3 --requests 1 \
        --timeout 200ms "$host" "$port"
    end '.errors_timeout == 3'
    stop
    exits 4 tcp_client --load --json --connections 3 "$host" "$port"
    end '.errors_refused == 3'
    start tcp_server -m event -s daytime 0
    exits 6 tcp_client --load --json --connections 3 --requests 1 \
        "$host" "$port"
    end '.errors_wrong + .errors_closed + .errors_reset == 3'
    stop
}

@test "--load: the text has the same numbers, and a histogram" {
    start tcp_server -m event --quiet 0
    exits 0 tcp_client --load --connections 2 --requests 10 "$host" "$port"
    grep -q '^connections  2 opened, ' "$out"
    grep -q '^requests     20 of 64 bytes answered, ' "$out"
    grep -q '%.* #' "$out"
    grep -qx 'errors       none' "$out"
    [ ! -s "$err" ]
    stop
}

@test "--load: what does not go together is refused" {
    exits 2 tcp_client --load --ask hello 127.0.0.1 9
    exits 2 tcp_client --rate 3 127.0.0.1 9
    exits 2 tcp_client --load --busy 11 127.0.0.1 9
}

@test "64 descriptors: it says so, and serves all of 100 clients in the end" {
    for model in event bufferevent; do
        start bash -c "ulimit -n 64; exec tcp_server -m $model --quiet 0"
        exits 0 tcp_client --load --json --connections 100 --requests 1 \
            "$host" "$port"
        end '.opened == 100 and .answered == 100 and .errors == 0'
        stop
        grep -q 'clients are connected, the most there can be' "$talk"
    done
}

@test "SIGUSR1 prints the totals, and the server goes on" {
    start tcp_server -m event -u 0
    exits 0 tcp_client --ask hello "$host" "$port"
    kill -USR1 "$server"
    exits 0 udp_client --ask hello "$host" "$port"
    stop
    [ "$(grep -c '^total tcp: 1 connections' <<<"$log")" -eq 2 ]
    [ "$(grep -c '^total udp: ' <<<"$log")" -eq 2 ]
}
