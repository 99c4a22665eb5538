#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# scripts/compare in the lab: what its results promise. One comparison is made
# twice, with the same seed and at the same time; the wire's own log is asked
# of its runs made once more. No time is asserted.
# Read next: measure.bats, where each count is held against each frame.
# shellcheck disable=SC2016,SC2034,SC2154 # jq's variables; out and err: the helpers
load ../cli/helpers
load lab

setup_file() {
    cd "$BATS_FILE_TMPDIR" || return
    local dir pids=()
    for dir in one two; do
        "$BATS_TEST_DIRNAME/../../scripts/compare" --quick --no-report \
            --out "$dir" --loss 1%,5%,10%,20% --delay 2ms --size 400 \
            --interval 0 --count 12 --bytes 20K --repeat 1 --seed 1 \
            >"$dir.out" 2>"$dir.err" 3>&- &
        pids+=($!)
    done
    local pid
    for pid in "${pids[@]}"; do
        wait "$pid" || { cat ./*.err && return 1; }
    done
}

setup() {
    cd "$BATS_FILE_TMPDIR" || return
    out=$BATS_TEST_TMPDIR/out err=$BATS_TEST_TMPDIR/err server=
    grep -q '"over":"wirelab"' one/results.ndjson || skip "$(cat one.err)"
}

# The runs of a directory through a jq filter.
runs() {
    jq -cs "map(select(.event == \"run\")) | $2" "$1/results.ndjson"
}

# all FILTER FILTER: of the runs for which the first holds there are some, and
# the second holds for each.
all() {
    local dir
    for dir in one two; do
        [ "$(runs $dir "map(select($1)) | length > 0 and all($2)")" = true ] ||
            fail "not all: $2: $(runs $dir "map(select($1) | del(.rtt_buckets))")"
    done
}

# What became of the messages and, in the wire, of the run's frames. Of TCP
# only the messages: on a busy machine its timer may send once more.
messages='number, workload, condition, sent, delivered, lost, duplicated,
    reordered, corrupt'
fate="if .proto == \"udp\" then {$messages, lost_by_client: .wire.lost_by_client,
    lost_by_server: .wire.lost_by_server} else {$messages, command} end"

@test "two runs with one seed: the same counts" {
    local one two repeatable='.workload == "ping"
        or .workload == "stream" and .proto == "udp"'
    one=$(runs one "map(select($repeatable) | $fate)")
    two=$(runs two "map(select($repeatable) | $fate)")
    diff <(jq -c '.[]' <<<"$one") <(jq -c '.[]' <<<"$two")
    [ "$(jq length <<<"$one")" -eq 12 ]
    jq -e 'any(.lost > 0)' <<<"$one" # the seed has something to repeat
}

# The fate of each frame in a log of the wire, by what tells the frame.
fate_of_each='map(select(.event == "frame" and .phase == "sent"))
    | group_by([.from, .flags, .seq, .ack, .len_bytes])
    | map(to_entries[] | .key as $time | .value
        | {key: "\([.from, .flags, .seq, .ack, .len_bytes, $time])",
           value: .fate})
    | from_entries'

@test "two runs with one seed: the same segments of lock-step TCP are lost" {
    local command try
    command=$(runs one 'map(select(.proto == "tcp" and .workload == "ping"
        and .condition == 3))[0].command' | jq -r .)
    [[ $command == build/bin/wirelab* ]]
    for try in 1 2; do
        sh -c "exec ${command#build/bin/}" 2>"$err" |
            jq -cs "$fate_of_each" >"$out.$try"
    done
    # Whatever both have sent: each message and its echo, and what was lost.
    jq -es '. as [$one, $two] | $one | with_entries(select($two[.key]))
        | length >= 24 and any(. == "lost")
            and all(to_entries[]; .value == $two[.key])' "$out".[12] ||
        fail "$(diff <(jq . "$out.1") <(jq . "$out.2"))"
}

@test "TCP delivers all, in order, whatever the wire loses" {
    all '.proto == "tcp" and .workload == "stream"' '.partial == false
        and .delivered == .sent and .sent == 50 and .lost == 0
        and .duplicated == 0 and .reordered == 0 and .corrupt == 0'
    all '.proto == "tcp" and .workload == "ping"' '.partial == false
        and .delivered == .sent and .sent == 12 and .lost == 0'
    all '.proto == "tcp" and .condition == 3' '.wire.lost_by_client > 0
        and .retransmits > 0'
}

@test "UDP loses what the wire lost, and no more" {
    all '.proto == "udp" and .workload == "stream"' '.sent == 50
        and .delivered + .lost == .sent and .wire.missed == 0
        and .lost <= .wire.lost_by_client + .kernel_drops
        and .lost >= .wire.lost_by_client + .kernel_drops
            - (.wire.frames_by_client - .sent)'
    all '.proto == "udp" and .workload == "stream" and .condition == 3' \
        '.lost > 0 and .kernel_drops == 0'
}

@test "a run's command, run again: the log of the wire has its counts" {
    local run command size=400
    run=$(runs one 'map(select(.proto == "udp" and .workload == "stream"
        and .condition == 3))[0]')
    command=$(jq -r .command <<<"$run")
    [[ $command == build/bin/wirelab* ]]
    sh -c "exec ${command#build/bin/}" >"$out" 2>"$err" || [ $? -eq 6 ]
    jq -es --argjson run "$run" --argjson size $size '
        map(select(.event == "frame" and .from == "client"
            and .phase == "sent" and .len_bytes == $size))
        | length == $run.sent
          and (map(select(.fate == "lost")) | length == $run.lost)' "$out" ||
        fail "$run"
}

@test "blocking: all of TCP comes, behind the lost one; all but it of UDP" {
    all '.proto == "tcp" and .workload == "blocking"' '.lost_message as $n
        | (.arrived_ns | length) == 24 and (.arrived_ns | all(. != null))
        and .arrived_ns == (.arrived_ns | sort)
        and .arrived_ns[$n + 1] >= .arrived_ns[$n]
        and .wire.lost_by_client == 1'
    all '.proto == "udp" and .workload == "blocking"' '.lost_message as $n
        | (.arrived_ns | to_entries | map(select(.value == null).key)) == [$n]'
}

@test "the results are as the schema has them, and the table fits 79 columns" {
    local dir
    for dir in one two; do
        "$BATS_TEST_DIRNAME/../cli/validate" <$dir/results.ndjson ||
            [ $? -eq 77 ] # no jsonschema here
        cmp $dir.out $dir/table.txt
        grep -q '^loss 20%, delay 2ms, rate 10mbit; messages of 400 B$' \
            $dir/table.txt
        grep -q '^  UDP: It never arrives; nothing waits for it' $dir/table.txt
        lacks '.{80}' $dir/table.txt
        lacks INTERRUPTED $dir/table.txt
    done
}
