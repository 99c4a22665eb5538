#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# The pages of docs/labs: what they print is what a reader gets, and what they
# quote is in the sources.
load ../cli/examples

setup() {
    cd "$BATS_TEST_DIRNAME/../.." || return
    export WIRELAB_BIN=${WIRELAB_BIN:-$PWD/build/bin}
}

@test "what a page shows of a host has to come in that order" {
    local said=$BATS_TEST_TMPDIR/said status=0 shown
    shown='$ wirelab view docs/recordings/hello-tcp.ndjson
...
 40.5 ...connect=0        |                        |
 40.8 send(3, 6 B)=6      |                        |
...'
    tests/session <<<"$shown"
    tests/session <<<"$(sed '3{h;d};4{G}' <<<"$shown")" >"$said" || status=$?
    [ "$status" -eq 1 ]
    grep -qxF 'not in this order: client ...connect=0' "$said"
}

lesson() { run_examples example_of_markdown docs/labs/"$1".md; }

@test "the code that is quoted is in the sources" {
    scripts/quote --check
}

@test "01-ports" { lesson 01-ports; }
@test "02-calls" { lesson 02-calls; }
@test "03-handshake" { lesson 03-handshake; }
@test "04-close" { lesson 04-close; }
@test "05-half-close" { lesson 05-half-close; }
@test "06-killed" { lesson 06-killed; }
@test "07-udp" { lesson 07-udp; }
@test "08-stream" { lesson 08-stream; }
@test "09-reliable" { lesson 09-reliable; }
@test "10-nagle" { lesson 10-nagle; }
@test "11-layers" { lesson 11-layers; }
@test "12-many-clients" { lesson 12-many-clients; }
@test "13-backlog" { lesson 13-backlog; }
@test "14-loss" { lesson 14-loss; }

@test "15-your-own" {
    for program in python3 curl; do
        command -v $program >/dev/null || skip "no $program here"
    done
    lesson 15-your-own
}

@test "16-beyond" { lesson 16-beyond; }
