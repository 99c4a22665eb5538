#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# The labs of docs/labs come out as they say, in any student's variant; and
# one that does not says so in words that help.
# Read next: lessons.bats, the pages.
# shellcheck disable=SC2094,SC2154
load ../cli/helpers
load lab

labs=$BATS_TEST_DIRNAME/../../docs/labs

# check STATUS ARGUMENT...: wirelab check, which has to end with STATUS.
check() {
    local wanted=$1 status=0
    shift
    timeout 120 wirelab check "$@" >"$out" 2>"$err" 3>&- 4>&- || status=$?
    [ "$status" -ne 77 ] || skip "$(grep -m 1 SKIP "$out")"
    [ "$status" -eq "$wanted" ] || fail "status $status: $(cat "$out" "$err")"
}

shows() {
    grep -qF -- "$1" "$out" || fail "no '$1' in: $(cat "$out" "$err")"
}

# as_written: a lab of one run, from stdin, as the file test.lab.
as_written() { cat >test.lab; }

@test "there are sixteen labs, each with its page" {
    [ "$(find "$labs" -name '*.lab' | wc -l)" -eq 16 ]
    for lab in "$labs"/*.lab; do
        [ -f "${lab%.lab}.md" ] || fail "no page for $lab"
        grep -qF "wirelab check docs/labs/$(basename "$lab")" "${lab%.lab}.md"
        grep -q '^answer ' "$lab"
    done
}

@test "the recordings of the labs are what the labs expect" {
    for lab in "$labs"/*.lab; do
        name=$(basename "$lab" .lab)
        check 0 --recording "$labs/recordings/$name.ndjson" "$lab"
        shows "ok 1 - $name"
    done
}

@test "the labs about ports and calls come out" {
    check 0 "$labs"/0[12]*.lab
}

@test "the labs about TCP's connection come out" {
    check 0 "$labs"/0[3456]*.lab
}

@test "the labs about UDP and streams come out" {
    check 0 "$labs"/0[78]*.lab
}

@test "the labs about what TCP adds come out" {
    check 0 "$labs"/09*.lab "$labs"/1[01]*.lab
}

@test "the labs about servers come out" {
    check 0 "$labs"/1[23]*.lab
}

@test "the labs about loss, others' programs and more come out" {
    check 0 "$labs"/1[456]*.lab
}

@test "a student's own numbers come out too" {
    check 0 --student 20260017 "$labs"/0[17]*.lab "$labs"/1[146]*.lab
}

@test "in each lab what is typed, and the key, are a student's own" {
    for lab in "$labs"/*.lab; do
        for what in --commands --answers; do
            wirelab check $what --student zhang "$lab" >zhang
            wirelab check $what --student li "$lab" >li
            cmp -s zhang li && fail "$lab: the same $what for both"
        done
        grep -q '[{}]' zhang && fail "not filled in: $(cat zhang)"
    done
    true
}

@test "the key is in Chinese too, with the same numbers" {
    wirelab --lang zh_CN layers >layers || skip "no catalogue here"
    local lang
    for lab in "$labs"/*.lab; do
        for lang in en zh_CN; do
            wirelab --lang "$lang" check --answers --student zhang "$lab" >$lang
            grep -o '[0-9]\{4\}' "$lang" | sort -u >$lang.numbers
        done
        LC_ALL=C grep -q '[^ -~]' zh_CN || fail "$lab: $(cat zh_CN)"
        diff en.numbers zh_CN.numbers
    done
    as_written <<'END'
client true
expect client exit 0
answer[zh_CN] zh
answer en
END
    wirelab check --answers test.lab | grep -qx 'test: en'
    wirelab --lang zh_CN check --answers test.lab | grep -q 'zh$'
    sed 's/^client/client[zh_CN]/' test.lab >odd.lab
    check 2 odd.lab
}

@test "a neighbor's recording is told from one's own" {
    wirelab check --commands --student zhang "$labs"/04*.lab |
        sed '/^# /d; s/^wirelab/& --quiet --record zhang.rec/; /--client/q' >typed
    sh typed 2>"$err" 3>&- 4>&- || skip "$(tail -n 1 "$err")"
    check 0 --student zhang --recording zhang.rec "$labs"/04*.lab
    check 7 --student li --recording zhang.rec "$labs"/04*.lab
    shows "client SYN to "
    shows "'client SYN to $(grep -om 1 '9[0-9]*' typed) seq=x' came"
}

@test "a student's numbers are always the same, and differ from others'" {
    wirelab check --commands --student zhang "$labs"/*.lab >zhang
    wirelab check --commands --student zhang "$labs"/*.lab >again
    wirelab check --commands --student li "$labs"/*.lab >li
    cmp zhang again
    diff zhang li >differences && fail "all the same"
    wirelab check --answers --student zhang "$labs"/01*.lab >answer
    port=$(grep -om 1 'server 9[0-9]*' zhang)
    grep -q "${port#server }" answer
}

@test "--commands prints what can be run" {
    wirelab check --commands "$labs"/03*.lab >commands
    sh commands >shown 2>"$err" 3>&- 4>&- || skip "$(tail -n 1 "$err")"
    [ "$(grep -c '[.][.][.]accept=4' shown)" -eq 2 ]
}

@test "one word changed: the picture, and expected beside seen" {
    sed 's/client FIN, server ACK ack=x+8/client FIN, server ACK ack=x+9/' \
        "$labs"/04-close.lab >test.lab
    check 7 test.lab
    shows 'not ok 1 - test: four segments'
    shows "expected 'server ACK ack=x+9'"
    shows "'server ACK seq=y+7 ack=x+8' came"
    shows '>>> not as expected'
    shows '[FIN_WAIT_2]'
    shows 'ok 2 - test: three segments'
}

# one_word LAB FROM TO WORDS: a lab in which FROM has become TO fails, and says
# what was expected and what came, in WORDS among others.
one_word() {
    local path
    path=$(echo "$labs/$1"-*.lab)
    sed "s/$2/$3/" "$path" >test.lab
    cmp -s test.lab "$path" && fail "lab $1 has no '$2'"
    check 7 --recording "$labs/recordings/$(basename "$path" .lab).ndjson" \
        test.lab
    shows '>>> not as expected'
    grep '^# not as expected' "$out" >why
    grep -qF -- "$4" why || fail "no '$4' in: $(cat why)"
}

@test "one word changed in each lab: expected beside seen" {
    one_word 01 'client 6 B' 'client 7 B' "'client UDP 6 B to 9000' came"
    one_word 02 'recv = 6' 'recv = 7' "'server recv = 6 \"hello\\n\"' came"
    one_word 03 'ack=y+1' 'ack=y+2' "'client ACK seq=x+1 ack=y+1' came"
    one_word 04 FIN_WAIT_2 CLOSING \
        "expected 'client CLOSING' as number 4; 'client FIN_WAIT_2' came"
    one_word 05 'recv = 6' 'recv = 7' "'client recv = 6 \"hello\\n\"' came"
    one_word 06 'no server RST' 'no server FIN' "'server FIN+ACK"
    one_word 07 'two\\n' 'tow\\n' "'server recvfrom = 4 \"two\\n\"' came"
    one_word 08 'exactly 1' 'exactly 2' 'there were 1'
    one_word 09 'rule 1' 'rule 2' "'client 6 B seq=x+1 ack=y+1 lost by rule 1'"
    one_word 10 '2 B, FIN' '3 B, FIN' "expected 'client 3 B' as number 4"
    one_word 11 1448 1460 "'client 1448 B seq=x+1 ack=y+1' came"
    one_word 12 'recv = 0' 'recv = 7' "'server recv = 0' came"
    one_word 13 'exactly 3' 'exactly 2' "'client connect = 0' came"
    one_word 14 'exactly 20' 'exactly 21' 'there were 20'
    one_word 15 'no client' 'no server' "'server TIME_WAIT'"
    one_word 16 'ack=x+1' 'ack=x+2' "'server SYN+ACK seq=y ack=x+1' came"
}

@test "one word changed: another state" {
    as_written <<'END'
server tcp_server -n 1 server 9000
client tcp_client --ask hello server 9000
expect server states: SYN_RCVD, ESTABLISHED, FIN_WAIT_1, LAST_ACK, CLOSED
END
    check 7 test.lab
    shows "expected 'server FIN_WAIT_1' as number 3; 'server CLOSE_WAIT' came"
}

@test "another status than expected is said" {
    as_written <<'END'
client tcp_client --ask hello server 9000
expect server RST
END
    check 7 test.lab
    shows 'the client ended with status 4, not 0'
}

@test "a lab that never ends is ended, and says so" {
    as_written <<'END'
option --limit 1s
server tcp_server -n 1 server 9000
client sleep 60 | tcp_client server 9000
expect client SYN
END
    check 7 test.lab
    shows 'not at its end after 1 s'
}

@test "what cannot be understood is named: the file, the line, the word" {
    bad() {
        as_written <<<"$1"
        exits 2 wirelab check test.lab
        says "test.lab: line $2: $3"
        [ ! -s "$out" ] || fail "something ran"
    }
    bad $'# x\n\nservr tcp_server server 9000' 3 "'servr' is not one of"
    bad $'client x\nexpect\n  client SYN\n  client SIN' 4 "'SIN' is not a"
    bad $'client x\nexpect client SYN\noption --delay soon' 3 ".*soon"
    bad $'client x\nexpect client SYN\noption --json' 3 "'--json' is not"
    bad $'client x\nexpect client SYN\noption --rule drop client:data' 3 ".*"
    bad $'client x\noption --rule \'drop client:ddd\'' 2 ".*ddd"
    bad $'client x {size} B\nexpect client SYN' 1 "'{size}' is not explained"
    bad $'vary size 3\nclient x' 1 "'vary size 3' is not as in"
    bad $'  client x' 1 "'client x' is not behind a line"
    bad $'client' 1 "'client' is not complete"
    bad $'client x' 1 "a run without a line 'expect"
    bad $'expect client SYN' 1 "a run without a line 'client"
    bad '' 1 "a run without"
    exits 1 wirelab check nowhere.lab
    says 'nowhere.lab: No such file'
    exits 2 wirelab check
}

@test "results.json has a test for each run" {
    need jq
    as_written <<'END'
client tcp_client --ask hello server 9000
status 4
scene right
expect client connect = ECONNREFUSED
scene wrong
expect client ESTABLISHED
scene elsewhere
needs no-such-program
expect client SYN
END
    check 7 --gradescope results.json test.lab
    jq -e '.score == 1 and (.tests | length) == 3
        and .tests[0].status == "passed" and .tests[0].score == 1
        and .tests[1].name == "test: wrong" and .tests[1].score == 0
        and (.tests[1].output | contains("not as expected"))' results.json
    shows '# SKIP no no-such-program here'
}

@test "a recording that was handed in is judged like a run" {
    wirelab --quiet --record run.rec --server 'tcp_server -n 1 server 9000' \
        --client 'tcp_client --ask hello server 9000' 2>"$err" 3>&- 4>&- ||
        skip "$(tail -n 1 "$err")"
    check 0 --recording run.rec "$labs"/03-handshake.lab
    shows 'ok 1 - 03-handshake: three segments'
    shows '# SKIP there is no recording'
    check 7 --recording run.rec "$labs"/04-close.lab
    shows "expected 'server ACK ack=x+8'"
    check 7 --recording nowhere.rec "$labs"/03-handshake.lab
    shows 'nowhere.rec: No such file'
    exits 2 wirelab check --recording run.rec "$labs"/0[34]*.lab
    says 'for one lab'
}

@test "nobody reads the results any more: no other scene is run" {
    as_written <<'END'
expect  client exit 0
scene   one
client  echo one
scene   two
client  touch two
END
    unread 141 wirelab check test.lab
    says nothing
    [ ! -e two ]
    unread 141 wirelab check --gradescope grades.json test.lab
    [ -e two ]
}

@test "a run whose wire this machine held up is tried again" {
    as_written <<'END'
option --lanes wire,states
server udp_server server 9000
client if [ -e go ]; then echo again; else echo >begun;
       until [ -e go ]; do sleep 0.05; done;
       echo late | udp_client --timeout 0 server 9000; sleep 0.1; echo >sent; fi
expect client output "again"
END
    local run
    wirelab check test.lab >"$out" 2>&1 3>&- 4>&- &
    wait_for '' begun
    run=$(pgrep -P $!)
    kill -STOP "$run"
    touch go
    wait_for '' sent || kill -KILL "$run"
    kill -CONT "$run"
    wait $! || fail "$(cat "$out")"
    shows 'ok 1 - test'
}

@test "check is ended: so is the run that it was at" {
    local mark=50.$RANDOM$RANDOM end=$((SECONDS + PATIENCE))
    sed "s/MARK/$mark/" >test.lab <<'END'
client  sleep MARK
expect  client exit 0
END
    wirelab check test.lab >"$out" 3>&- 4>&- &
    until pgrep -f "^sleep $mark" >/dev/null; do
        [ "$(jobs -r)" ] || skip "$(cat "$out")"
        wait_a_moment
    done
    kill $!
    wait $! || true
    while pgrep -f "^sleep $mark" >/dev/null; do
        [ "$SECONDS" -lt "$end" ] || fail "it goes on"
        wait_a_moment
    done
}
