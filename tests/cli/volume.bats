#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Much data: the same bytes come back from every model and from other servers,
# and neither side's memory grows with them. VOLUME is how many MB (20); the
# full measure is VOLUME=200.
# Read next: contracts.bats.
# shellcheck disable=SC2030,SC2031,SC2034,SC2094,SC2154 # set by helpers.bash
load helpers

# AddressSanitizer would keep what is freed.
export ASAN_OPTIONS="${ASAN_OPTIONS-}:quarantine_size_mb=1"

setup_file() {
    head -c "${VOLUME:-20}000000" /dev/urandom >"$BATS_FILE_TMPDIR/much"
    head -c 2000000 "$BATS_FILE_TMPDIR/much" >"$BATS_FILE_TMPDIR/little"
    for file in much little; do
        sha256sum <"$BATS_FILE_TMPDIR/$file" >"$BATS_FILE_TMPDIR/$file.sum"
    done
}

# send FILE: through tcp_client and back. Its input does not end before all has
# come and its memory has been looked at. Sets $client_kb.
send() {
    local file=$BATS_FILE_TMPDIR/$1
    rm -f back go
    mkfifo back
    tcp_client "$host" "$port" < <(cat "$file" && wait_for go go) \
        >back 2>"$err" 3>&- &
    local client=$!
    exec {back_fd}<back # stays open, for a client that says too much
    head -c "$(stat -c %s "$file")" <&"$back_fd" | sha256sum >sum
    cmp sum "$file.sum"
    client_kb=$(peak_kb "$client")
    echo go >go
    wait "$client"
    [ "$(wc -c <&"$back_fd")" -eq 0 ]
    exec {back_fd}<&-
}

@test "through every model's echo and back: the same bytes, no more memory" {
    for model in $(models tcp_server); do
        start tcp_server -m "$model" 0
        send little
        little_kb=$client_kb server_kb=$(peak_kb "$server")
        send much
        echo "client $little_kb $client_kb kB," \
            "server $server_kb $(peak_kb "$server") kB"
        [ "$client_kb" -le $((little_kb + 4000)) ]
        [ "$(peak_kb "$server")" -le $((server_kb + 4000)) ]
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
        [ "$(peak_kb "$server")" -le $((before + 4000)) ]
        stop
    done
}
