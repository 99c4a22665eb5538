# SPDX-License-Identifier: MIT
#
# The scenes of a suite, each judged three times over: what is expected of it
# happened; it looks the same in every form that is kept of it; and, for all
# of them together at the end, tshark and the boxes of the slides agree.
# Read next: tshark_agrees, ../svg_overlap.
# shellcheck shell=bash disable=SC2154
load lab

# scene EXPECTATIONS OPTION...: as lab does, which leaves behind all that a run
# can: $of.json, $of.svg, $of-client.pcapng, $of-server.pcapng. The rows are the
# same in each. A busy machine may ask for a state too late, so there are three
# tries.
scene() {
    of=$BATS_FILE_TMPDIR/$BATS_TEST_NUMBER.$((++scenes))
    for _ in 1 2 3; do
        lab "$@" --record "$of.json" --pcap "$of" --svg "$of.svg"
        cp "$out" live
        (same_rows) >differs 2>&1 && return
    done
    fail "$(cat differs)"
}

# The rows of a picture without their times and titles. What becomes of the
# programs is no capture's to say.
rows() {
    grep '|.*|' "$1" | sed -E 's/ +[0-9.]+$//; s/^ *[0-9.]+//; s/ +//g' |
        grep -vE '^msclient|^\|\|\[LISTEN\]$|^\|\|$|exitstatus|killed\(9\)'
}

# A FIN may have to wait behind data: the state changes when shutdown or close
# returns, on a row of its own. To a capture it changes when the FIN leaves.
with_fin() {
    awk '/^\[(FIN_WAIT_1|LAST_ACK)\]\|\|$/ { client = $1; next }
         /^\|\|\[(FIN_WAIT_1|LAST_ACK)\]$/ { server = $3; next }
         client && /FIN[^xy]*x/ { $0 = client $0; client = "" }
         server && /FIN[^xy]*y/ { $0 = $0 server; server = "" }
         { print }' FS='|'
}

# same_rows: the recording gives the rows in the file live; and so do the
# captures.
same_rows() {
    exits 0 wirelab view "$of.json"
    diff <(rows live) <(rows "$out") || fail "live (<), recorded (>)"
    same_captures "$of.json"
}

# same_captures RECORDING: both captures, in either order, give its rows, the
# calls apart, which are left in the file recorded.
same_captures() {
    local client=$of-client.pcapng server=$of-server.pcapng
    exits 0 wirelab --lanes wire,states view "$1"
    rows "$out" | with_fin >recorded
    exits 0 wirelab --flow all view "$client" "$server"
    diff recorded <(rows "$out") || fail "recorded (<), from both captures (>)"
    exits 0 wirelab --flow all view "$server" "$client"
    diff recorded <(rows "$out") || fail "recorded (<), from both, turned (>)"
}

# Of all scenes before this test: tshark about their frames, boxes of slides.
judge() {
    need python3 tshark mergecap
    local recordings=("$BATS_FILE_TMPDIR"/*.json)
    [ -e "${recordings[0]}" ] || skip "no scene was run"
    "$BATS_TEST_DIRNAME/../svg_overlap" "${recordings[@]/%.json/.svg}"
    "$BATS_TEST_DIRNAME/tshark_agrees" "${recordings[@]%.json}" >verdict ||
        fail "$(cat verdict)"
    sed 's/^/# /' verdict >&3
}
