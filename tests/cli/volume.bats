#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Much data: the same bytes come back from every model and from other servers,
# and neither side's memory grows with them. VOLUME is how many MB (20); the
# full measure is VOLUME=200.
# Read next: contracts.bats.
# shellcheck disable=SC2030,SC2031,SC2034,SC2094,SC2154 # set by helpers.bash
load helpers

setup_file() {
    head -c "${VOLUME:-20}000000" /dev/urandom >"$BATS_FILE_TMPDIR/much"
    head -c 2000000 "$BATS_FILE_TMPDIR/much" >"$BATS_FILE_TMPDIR/little"
    for file in much little; do
        sha256sum <"$BATS_FILE_TMPDIR/$file" >"$BATS_FILE_TMPDIR/$file.sum"
    done
}

# send FILE: through tcp_client and back. Sets $client_kb.
send() {
    local file=$BATS_FILE_TMPDIR/$1
    mkfifo "$1.fifo"
    sha256sum <"$1.fifo" >"$1.sum" 3>&- &
    local sum=$!
    # The client's own peak, asked for by the shell that becomes its parent.
    exits 0 python3 -c '
import resource, subprocess, sys
status = subprocess.call(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
sys.exit(status)' bash -c "tcp_client $host $port <$file >$1.fifo"
    client_kb=$(tail -n 1 "$err")
    wait "$sum"
    cmp "$1.sum" "$file.sum"
}

@test "through every model's echo and back: the same bytes, no more memory" {
    for model in $(models tcp_server); do
        start tcp_server -m "$model" 0
        send little
        little_kb=$client_kb server_kb=$(peak_kb "$server")
        rm little.fifo
        send much
        echo "client $little_kb $client_kb kB," \
            "server $server_kb $(peak_kb "$server") kB"
        [ "$client_kb" -le $((little_kb + 1000)) ]
        [ "$(peak_kb "$server")" -le $((server_kb + 1000)) ]
        rm much.fifo
        stop
        logged "closed by the client \(FIN\), ${VOLUME:-20}000000 bytes in, \
${VOLUME:-20}000000 out"
    done
}

@test "chargen without end, and a reader that takes its time" {
    for model in $(models tcp_server); do
        start tcp_server -m "$model" -s chargen --quiet 0
        before=$(peak_kb "$server")
        tcp_client "$host" "$port" </dev/null 2>/dev/null |
            head -c "${VOLUME:-20}000000" | wc -c >size || true
        [ "$(<size)" = "${VOLUME:-20}000000" ]
        [ "$(peak_kb "$server")" -le $((before + 1500)) ]
        stop
    done
}
