#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# scripts/compare: what it takes and refuses, where it writes, and what it does
# where something is missing; by short comparisons over loopback. The lab is a
# program of paper here: ../lab/compare.bats has the real one.
# Read next: ../lab/compare.bats.
# shellcheck disable=SC2154 # out, err and others: the helpers
load helpers

root=$BATS_TEST_DIRNAME/../..
compare=$root/scripts/compare
short=(--quick --count 5 --bytes 20K --repeat 1 --rate 100mbit)

# paper NAME: a program of paper in a directory that comes first in PATH.
paper() {
    mkdir -p paper
    { echo '#!/bin/sh' && cat; } >"paper/$1"
    chmod +x "paper/$1"
    export PATH=$PWD/paper:$PATH
}

# no_lab: the real programs, and a lab that cannot run.
no_lab() {
    local program
    paper wirelab <<'END'
[ "$1" != --version ] || { echo 'wirelab 0.1' && exit; }
echo 'wirelab: no namespaces: not permitted' >&2
exit 77
END
    for program in tcp_server tcp_client udp_server udp_client; do
        ln -s "$(type -P $program)" paper/
    done
    export WIRELAB_BIN=$PWD/paper
}

# runs FILTER: the jq filter holds for the list of the runs of DIR.
runs() {
    jq -es "map(select(.event == \"run\")) | $1" "${2:-d}/results.ndjson" \
        >/dev/null || fail "not: $1; $(cat "${2:-d}/results.ndjson")"
}

@test "values that cannot be are refused by name, and nothing is left behind" {
    local given words
    while IFS='|' read -r given words; do
        # shellcheck disable=SC2086 # several words
        exits 2 "$compare" $given
        says "^compare: $words"
        prints ''
    done <<'END'
--loss 200%|--loss '200%': must be 0 to 100 %
--loss 1%,1%|--loss '1%,1%': the same value twice
--loss much|--loss 'much': not a percent such as 5%
--delay 2s|--delay '2s': must be 0 to 1 s
--delay 10mm|--delay '10mm': not a duration such as 10ms
--rate 1bit|--rate '1bit': must be 8kbit to 10gbit
--size 64,20|--size '20': must be 36 to 1472 bytes
--size 64,,80|--size '': not a size
--count 0|--count '0': must be a number from 1 to
--repeat -1|--repeat '-1': must be a number from 1 to
--seed x|--seed 'x': must be a number from 0 to
--interval 5|--count 100 with --interval 5: a run would take 500 s
--bytes 1M --rate 10kbit|--bytes 1M with --rate 10kbit: a run would take 800 s
--bytes 10M --rate 1gbit|--bytes 10M in messages of 64 bytes: must be at most
--resume|--resume takes --out DIR, and nothing else
--resume --out d --loss 1%|--resume takes --out DIR, and nothing else
--over=|--over '': must be wirelab, loopback or a host
--over=-v|--over '-v': must be wirelab, loopback or a host
--colour|option --colour not recognized
more|'more': no operand is taken
END
    [ -z "$(ls -d comparison-* 2>/dev/null)" ]
}

@test "--dry-run prints every run that a comparison would make, and makes none" {
    no_lab
    exits 0 "$compare" --over loopback --size 64,500 --dry-run
    [ "$(grep -c '^  ' "$out")" -eq 24 ]
    grep -q '^24 runs, about [0-9]* s$' "$out"
    [ -z "$(ls -d comparison-* 2>/dev/null)" ]
}

@test "in the lab: under a minute, and three times what chance decides" {
    paper wirelab <<<"echo 'wirelab 0.1'"
    WIRELAB_BIN=$PWD/paper exits 0 "$compare" --dry-run
    [[ $(tail -n 1 "$out") =~ ^([0-9]+)\ runs,\ about\ ([0-9]+)\ s$ ]]
    [ "${BASH_REMATCH[2]}" -lt 60 ]
    [ "$(grep -c '^  ' "$out")" -eq "${BASH_REMATCH[1]}" ]
    [ "$(grep -c '^  bottleneck  tcp+udp$' "$out")" -eq 3 ]
    [ "$(grep -c '^  slow-reader  tcp$' "$out")" -eq 1 ]
}

@test "a DIR that is full, or none, or cannot be made: one clear line" {
    no_lab
    mkdir full
    touch full/x file
    exits 1 "$compare" --quick --out full
    says '^compare: full: is not empty; give another --out DIR, or --resume'
    exits 1 "$compare" --quick --out file
    says '^compare: file: Not a directory$'
    WIRELAB_BIN=$PWD/none exits 1 "$compare" --quick
    says '^compare: .*/none/wirelab: No such file or directory; run make first$'
    exits 1 "$compare" --quick --out /proc/none
    says '^compare: /proc/none: No such file or directory$'
    exits 1 "$compare" --resume --out full
    says '^compare: full/results.ndjson: No such file'
    echo '{"schema":1,"event":"end"}' >full/results.ndjson
    exits 1 "$compare" --resume --out full
    says '^compare: full/results.ndjson: has no plan'
}

@test "without namespaces: over loopback, and it says what that cannot show" {
    no_lab
    exits 0 "$compare" "${short[@]}" --loss 0,5% --no-report
    says 'wirelab: no namespaces: not permitted'
    says 'loopback instead: no faults'
    cd comparison-1 || return
    cmp "$out" table.txt
    grep -q 'faults need the lab' table.txt
    grep -q '^over loopback; messages of 1400 B$' table.txt
    jq -es '.[0].over == "loopback" and (.[0].conditions | length) == 1' \
        results.ndjson >/dev/null
    runs 'length == 4 and all(.delivered == .sent and .lost == 0
        and .wire == null and .exit_status == 0)' .
}

@test "without gnuplot: a page without plots, and a line that says so" {
    no_lab
    ln -s "$(python3 -c 'import sys; print(sys.executable)')" paper/python3
    exits 0 /usr/bin/env -i PATH="$PWD/paper" \
        WIRELAB_BIN="$PWD/paper" "$compare" "${short[@]}" \
        --over loopback --out d
    says '^compare: gnuplot is missing.*scripts/report d$'
    [ -s d/report.html ]
}

@test "over another host: the server runs there, started by ssh" {
    no_lab
    paper ssh <<'END'
while [ "$1" != -- ]; do shift; done
echo "$2" >>hosts
export SSH_CONNECTION='127.0.0.1 5000 127.0.0.1 22'
exec sh -c "$(echo "$3" | sed s/0.0.0.0/127.0.0.1/)"
END
    exits 0 "$compare" "${short[@]}" --over user@far --out d --no-report
    runs 'length == 4 and all(.delivered == .sent and .exit_status == 0)'
    grep -q '^over user@far; messages of 1400 B$' d/table.txt
    [ "$(sort -u hosts)" = user@far ]
    # Whoever asks for the same again gets a new directory, not this one.
    exits 1 "$compare" "${short[@]}" --over user@far --out d
}

@test "a host that is not there, or without the programs: 77, nothing made" {
    no_lab
    paper ssh <<'END'
echo 'ssh: Could not resolve hostname far' >&2
exit 255
END
    exits 77 "$compare" "${short[@]}" --over far --out d
    says '^compare: ssh far: ssh: Could not resolve hostname far$'
    [ ! -e d ]
    echo 'exit 127' | paper ssh
    exits 77 "$compare" "${short[@]}" --over far --out d
    says '^compare: far: no tcp_server and udp_server in the PATH'
    [ ! -e d ]
}

@test "interrupted, it keeps what it has, and --resume makes the rest" {
    no_lab
    "$compare" "${short[@]}" --repeat 10 --over loopback --out d \
        >first 2>"$err" 3>&- &
    wait_for '"number":2,' d/results.ndjson
    kill -INT $!
    status=0
    wait $! || status=$?
    [ "$status" -eq 130 ]
    says '^compare: interrupted; scripts/compare --resume --out d goes on$'
    grep -q '^INTERRUPTED: [0-9]* of 40 runs were made' first
    cmp first d/table.txt
    printf '{"schema":1,"event":"ru' >>d/results.ndjson # cut off in a write
    exits 0 "$compare" --resume --out d --no-report
    runs '(map(.number) | sort) == [range(1; 41)]'
    lacks INTERRUPTED d/table.txt
    # All is there: nothing is run, the table is the same.
    cp d/table.txt before
    exits 0 "$compare" --resume --out d --no-report
    cmp before d/table.txt
    cmp before "$out"
}

@test "interrupted before its server is ready, it leaves none behind" {
    no_lab
    for program in tcp_server udp_server; do
        rm paper/$program
        echo "echo \$\$ >$PWD/server && exec sleep 1000" | paper $program
    done
    "$compare" "${short[@]}" --over loopback --out d >"$out" 2>"$err" 3>&- &
    wait_for '[0-9]' server
    kill -INT $!
    status=0
    wait $! || status=$?
    [ "$status" -eq 130 ]
    lacks . "/proc/$(cat server)/comm"
}

@test "with --out - there is the table, and nothing is kept" {
    no_lab
    TMPDIR=$PWD/paper exits 0 "$compare" "${short[@]}" --over loopback --out -
    grep -q '^over loopback; messages of 1400 B$' "$out"
    [ -z "$(find . -name results.ndjson)" ]
}

@test "what began in the lab does not go on over loopback" {
    no_lab
    mkdir d
    head -n 3 "$BATS_TEST_DIRNAME/../golden/compare.ndjson" >d/results.ndjson
    exits 77 "$compare" --resume --out d
    says 'it must run where it began'
    [ "$(wc -l <d/results.ndjson)" -eq 3 ]
}

# The table of the results in the file $1.
table_of() {
    PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$root/scripts python3 -c '
import sys
from comparison import results, table
print(table.table(results.read(sys.argv[1])), end="")' "$1"
}

@test "the table of known results, in 79 columns of ASCII" {
    local golden=$BATS_TEST_DIRNAME/../golden/compare
    table_of "$golden.ndjson" >table
    diff -u "$golden.txt" table
    lacks '.{80}|[^ -~]' table
}

@test "a busy machine is named, however few of the runs it was busy in" {
    local golden=$BATS_TEST_DIRNAME/../golden/compare.ndjson
    sed -E 's/"load_hundredths":[0-9]+/"load_hundredths":99/
        s/"cores":2/"cores":4/' "$golden" >calm
    table_of calm >table
    grep -q 'load 0.99 on 4 cores' table
    lacks noise: table
    lacks 'figures are' table
    sed '5s/"load_hundredths":99/"load_hundredths":1400/' calm >busy
    table_of busy | tr '\n' ' ' | grep -q 'load 14 on 4 cores: figures are noise'
}

@test "remarks: what was lost in a full buffer, and many faults in one line" {
    local golden=$BATS_TEST_DIRNAME/../golden/compare.ndjson
    sed -E '/"workload":"stream".*"proto":"udp"/s/"kernel_drops":0/"kernel_drops":3/
        /"workload":"stream".*"proto":"tcp"/s/"kernel_drops":0/"kernel_drops":500/
        s/"(duplicate|reorder|corrupt)":"0","([a-z]+)_ppm":0/"\1":"2.25%","\2_ppm":22500/g
        s/"jitter":"0","jitter_ns":0/"jitter":"10ms","jitter_ns":10000000/g' \
        "$golden" >faults
    table_of faults >table
    # 3 in each of the 12 streams over UDP, and none of TCP's.
    grep -q "^Of UDP's streams 36 messages were lost in the receiver's full" \
        table
    grep -q '^no loss, duplicate 2.25%, reorder 2.25%, corrupt 2.25%' table
    lacks '.{80}|[^ -~]' table
}

@test "the short answer: what UDP gains and what it loses, in one sentence" {
    local golden=$BATS_TEST_DIRNAME/../golden/compare.ndjson
    # All that was tried is the worst: there TCP takes twice as long.
    jq -c 'if .event == "plan" then .conditions |= map(.loss_ppm = 200000 |
            .loss = "20%")
        elif .workload == "ping" and .proto == "tcp" then
            .rtt_p50_ns = 2 * .rtt_p50_ns
        elif .workload == "ping" and .proto == "udp" then .lost = 31
        else . end' "$golden" >worse
    table_of worse | tr '\n' ' ' >table
    grep -qE 'Here it is: TCP takes [0-9.]+ times as long as UDP, and [0-9.]+ % of UDP.s messages never return\.' table
}

@test "each side without the other, and each run alone, still make a table" {
    local golden=$BATS_TEST_DIRNAME/../golden/compare.ndjson only
    for only in '"proto":"tcp"' '"proto":"udp"' '"repeat":1' \
        '"workload":"ping"' '"workload":"blocking"'; do
        grep -e '"event":"plan"' -e "$only" "$golden" >some
        table_of some >table
        grep -q INTERRUPTED table
        lacks '.{80}|[^ -~]' table
    done
}
