#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# scripts/models: a row for each model and number of clients; what it refuses;
# and that it ends in good order when a load fails, or somebody ends it. What
# the rows say is a matter of the machine, and is not asserted.
# Read next: load.bats, for the load that it runs.
# shellcheck disable=SC2154 # set by helpers.bash
load helpers

models=$BATS_TEST_DIRNAME/../../scripts/models

@test "a row for each model and number of clients" {
    exits 0 "$models" --json --models fork,event --requests 20 --rounds 1 1 2
    jq -es 'map([.model, .clients]) ==
            [["fork", 1], ["event", 1], ["fork", 2], ["event", 2]]
        and all(.answered == 20 and .errors == 0 and .memory_bytes > 0
            and .requests_per_second > 0)' "$out" >/dev/null ||
        fail "$(cat "$out")"
    exits 0 "$models" --models thread --requests 4 --rounds 2 1
    grep -q '^model  *clients  requests/s' "$out"
    grep -q '^thread  *1 ' "$out"
}

@test "what cannot be is refused in one line" {
    local given words
    while IFS='|' read -r given words; do
        # shellcheck disable=SC2086 # several words
        exits 2 "$models" $given
        says "^models: $words"
        prints ''
    done <<'END'
many|'many': not a number from 1; try --help
0|'0': not a number from 1; try --help
--rounds 1.5|'1.5': not a number from 1; try --help
--models forks|the models are iterative, fork,
--colour|option --colour not recognized; try --help
END
    WIRELAB_BIN=$PWD/none exits 1 "$models" 1
    says 'none/tcp_server.*run make first$'
}

# paper NAME: a program of paper in the directory that WIRELAB_BIN names.
paper() {
    mkdir -p paper
    { echo '#!/bin/sh' && cat; } >"paper/$1"
    chmod +x "paper/$1"
}

@test "a load that fails, and a server that does not start: one line" {
    ln -s "$(type -P tcp_server)" .
    mkdir paper
    mv tcp_server paper/
    echo 'exit 1' | paper tcp_client
    WIRELAB_BIN=$PWD/paper exits 1 "$models" --models fork --rounds 1 2
    says '^models: fork, 2 clients: the load came to no end$'
    lacks Traceback "$err"
    rm paper/tcp_server
    paper tcp_server <<'END'
[ "$1" = --models ] && echo fork
END
    WIRELAB_BIN=$PWD/paper exits 1 "$models" --models fork --rounds 1 2
    says '^models: fork: the server did not start$'
    lacks Traceback "$err"
}

@test "interrupted in a load: it ends, and so does the server" {
    local signal
    mkdir paper
    paper tcp_server <<'END'
[ "$1" != --models ] || { echo fork; exit; }
echo "listening tcp 127.0.0.1:9"
echo $$ >server.pid
exec sleep 60
END
    paper tcp_client <<'END'
echo >loading
exec sleep 60
END
    for signal in INT TERM; do
        rm -f loading
        WIRELAB_BIN=$PWD/paper setsid env --default-signal=INT \
            "$models" --models fork --rounds 1 2 >"$out" 2>"$err" 3>&- &
        wait_for '' loading
        kill -$signal $! # only it: the others hear of it from it
        status=0
        wait $! || status=$?
        [ "$status" -eq "$((128 + $(kill -l $signal)))" ] || fail "$status"
        lacks Traceback "$err"
        ! kill -0 "$(cat server.pid)" 2>/dev/null || fail 'a server is left'
    done
}
