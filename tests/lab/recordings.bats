#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# recordings: those in docs/recordings are drawn, each with its kernel; they
# and the labs' own are judged as scenes are; and their script makes them again.
# Read next: scripts/recordings, scenes.bash.
# shellcheck disable=SC2154 # out and err are set by the helpers
load ../cli/helpers
load scenes

recordings=$BATS_TEST_DIRNAME/../../docs/recordings

@test "there are twelve, and the page names each" {
    [ "$(find "$recordings" -name '*.ndjson' | wc -l)" -eq 12 ]
    for file in "$recordings"/*.ndjson; do
        grep -qF "| \`$(basename "$file" .ndjson)\` |" "$recordings/README.md"
    done
}

@test "view draws each, and says under which kernel it was made" {
    for file in "$recordings"/*.ndjson; do
        exits 0 wirelab view "$file"
        says nothing
        grep -qE '^Recorded by Wirelab [0-9.]+ on Linux [^ ]+\.$' "$out"
        [ "$(grep -cE '[|](- |<-)' "$out")" -gt 0 ] || fail "no arrows"
        lacks '.{80}' "$out"
    done
}

@test "each is shown in every way that a run is" {
    for file in "$recordings"/*.ndjson; do
        for way in --list --relative --absolute --layers --json \
            '--lanes wire' '--only data' --explain --utf8 '--step'; do
            # shellcheck disable=SC2086
            exits 0 wirelab $way view "$file" </dev/null
            [ -s "$out" ] || [ "$way" = '--only data' ] || fail "$way: nothing"
        done
    done
}

@test "a recording holds what its lesson expects" {
    exits 0 wirelab --quiet --expect 'client 6 B lost by rule 1
        client 6 B again timeout; client recv = 6' \
        view "$recordings/lost-tcp.ndjson"
    exits 7 wirelab --quiet --expect 'client RST' \
        view "$recordings/lost-tcp.ndjson"
    exits 0 wirelab --quiet --expect 'server killed 9 & server FIN' \
        view "$recordings/killed.ndjson"
}

@test "each gives captures with its rows, and a slide; the labs' too" {
    local file
    for file in "$recordings"/*.ndjson "$recordings"/../labs/recordings/*; do
        of=$BATS_FILE_TMPDIR/$(basename "$file" .ndjson)
        exits 0 wirelab --json --pcap "$of" --svg "$of.svg" view "$file"
        cp "$out" "$of.json"
        same_captures "$file" || fail "$file"
    done
    judge
}

@test "the script makes one again" {
    status=0
    "$BATS_TEST_DIRNAME/../../scripts/recordings" made hello-tcp >"$out" \
        2>"$err" 3>&- || status=$?
    [ "$status" -ne 77 ] || skip "$(tail -n 1 "$err")"
    [ "$status" -eq 0 ]
    exits 0 wirelab --lanes wire view made/hello-tcp.ndjson
    mv "$out" made.txt
    exits 0 wirelab --lanes wire view "$recordings/hello-tcp.ndjson"
    # The same rows, whatever the times and the numbers are.
    diff <(sed -n '5,/^11 seg/s/[0-9.]//gp' "$out" | tr -s ' -') \
        <(sed -n '5,/^11 seg/s/[0-9.]//gp' made.txt | tr -s ' -')
}
