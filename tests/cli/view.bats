#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# view: files of strangers. Whatever is in them, there is a clear line, the
# documented status, and no more memory than a small file takes.
# Read next: ../lab/captures.bats.
# shellcheck disable=SC2154 # out and err are set by the helpers
load helpers

recordings=$BATS_TEST_DIRNAME/../../docs/recordings
hello=$recordings/hello-tcp.ndjson

# bytes HEX...: as they are.
bytes() {
    local hex
    for hex; do
        # shellcheck disable=SC2001 # bash cannot put something before each
        printf '%b' "$(sed 's/../\\x&/g' <<<"${hex//_/}")"
    done
}

# The head of a pcap file of that link type (in hex, two bytes).
pcap_head() {
    bytes d4c3b2a1 0200_0400 00000000 00000000 00000400 "${1}0000"
}

# packet HEX: one, at time 0.
packet() {
    local hex=${1//_/} len
    printf -v len '%02x%02x' $((${#hex} / 2 % 256)) $((${#hex} / 512))
    bytes 00000000 00000000 "${len}0000" "${len}0000" "$hex"
}

ip='4500_001d_0000_0000_4011_0000_0a090001_0a090002'
udp='04d2_2328_0009_0000_41'

@test "no file, none that can be read, one that is empty" {
    exits 1 wirelab view missing
    says '^wirelab: missing: No such file or directory$'
    touch empty
    exits 1 wirelab view empty
    says '^wirelab: empty: empty$'
    mkdir directory
    exits 1 wirelab view directory
    says '^wirelab: directory: '
    exits 1 wirelab view /dev/null
    says 'not a regular file'
    exits 1 wirelab view "$BATS_TEST_FILENAME"
    says 'unknown file format'
}

@test "what view is asked for must make sense" {
    exits 2 wirelab view
    exits 2 wirelab view "$hello" "$hello"
    says 'of one recording'
    exits 2 wirelab view "$hello" "$hello" "$hello"
    exits 0 wirelab --quiet --pcap run view "$hello"
    exits 2 wirelab view run-client.pcapng run-client.pcapng
    says "the client's and the server's"
    exits 2 wirelab --delay 3ms view "$hello"
    says "unknown option '--delay'"
    exits 2 wirelab view "$hello" --server 'true'
    exits 2 wirelab --record again view "$hello"
    exits 2 wirelab --flow 1 view "$hello"
    says 'is for captures'
    exits 2 wirelab --flow 1
    exits 2 wirelab --flow 0 view "$hello"
    exits 2 wirelab --flow some view "$hello"
}

@test "each link type that is understood gives the same picture" {
    local type head
    for type in "0100 020000000002020000000001_0800" "6500" "e400" \
        "7100 0000_0001_0006_020000000001_0000_0800" \
        "1401 0800_0000_00000001_0001_00_06_0200000000010000" \
        "0000 02000000" "6c00 00000002" \
        "0100 020000000002020000000001_8100_0007_0800"; do
        read -r type head <<<"$type"
        { pcap_head "$type"; packet "$head$ip$udp"; } >capture
        exits 0 wirelab --lanes wire view capture
        grep -qF -- '|- 1 B to :9000 -------->|' "$out" ||
            fail "$type: $(cat "$out")"
    done
}

@test "a link type that is not: it is named, and so are those that are" {
    { pcap_head 6900; packet 00; } >capture
    exits 1 wirelab view capture
    says 'capture: link type IEEE802_11 \(105\) is not understood'
    says 'Ethernet, raw IP, Linux cooked'
}

@test "IP options are passed over" {
    local options=4600_0021_0000_0000_4011_0000_0a090001_0a090002_94040000
    { pcap_head 6500; packet "$options$udp"; } >capture
    exits 0 wirelab view capture
    grep -qF -- '|- 1 B to :9000 -------->|' "$out"
}

@test "a capture that is cut: what there is, then where it ends" {
    { pcap_head 6500; packet "$ip$udp"; packet "$ip$udp"; } >capture
    head -c 110 capture >short
    exits 1 wirelab view short
    grep -qF -- '|- 1 B to :9000 -------->|' "$out"
    says '^wirelab: short: after packet 1: truncated'
    head -c 20 capture >short
    exits 1 wirelab view short
    says 'short: '
}

@test "a capture in which nobody talks" {
    pcap_head 0100 >capture
    exits 1 wirelab view capture
    says '0 packets, and none of TCP, UDP or ping'
    { pcap_head 0100; packet ffffffffffff_020000000001_9999_0000; } >capture
    exits 1 wirelab view capture
    says '1 packets, and none'
}

@test "several conversations: a list; then the one that is asked for" {
    local other=04d3_2328_0009_0000_42
    { pcap_head 6500; packet "$ip$udp"; packet "$ip$other"; } >capture
    exits 0 wirelab view capture
    grep -qF '2 conversations; --flow N draws one, --flow all' "$out"
    grep -qE '^ +2 udp +10.9.0.1:1235 +10.9.0.2:9000 +1 +1 ' "$out"
    exits 0 wirelab --flow 2 view capture
    [ "$(grep -c ':9000' "$out")" -eq 1 ]
    exits 0 wirelab --flow all view capture
    [ "$(grep -c 'B to :9000\|B .*:9000' "$out")" -ge 2 ]
    exits 2 wirelab --flow 3 view capture
    says 'capture has 2'
    exits 2 wirelab --json view capture
    says '\-\-json needs --flow N'
    exits 2 wirelab --pcap x view capture
    says 'is a capture'
}

@test "very many conversations: memory is bounded, and what is left out said" {
    need python3
    python3 - <<'END' >capture
import struct, sys
put = sys.stdout.buffer.write
put(struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 262144, 101))
for n in range(200000):
    p = bytes.fromhex('4500001d0000000040110000') + struct.pack(
        '>II4H', 0x0a090001 + n // 50000, 0x0a090002, 1024 + n % 50000, 9000,
        9, 0) + b'A'
    put(struct.pack('<4I', n // 1000, n % 1000, len(p), len(p)) + p)
END
    exits 0 wirelab view capture
    grep -qF '1024 conversations' "$out"
    grep -qF 'and 198976 packets of still others' "$out"
    [[ $WIRELAB_BIN != */san-* ]] || return 0 # a sanitizer takes terabytes
    status=0
    (ulimit -v 60000; exec wirelab --flow 7 view capture) >"$out" 2>"$err" ||
        status=$?
    [ "$status" -eq 0 ] || fail "$status: $(cat "$err")"
}

@test "recordings: of a later version, cut, or of something else" {
    sed '1s/"schema":1/"schema":2/' "$hello" >later
    exits 1 wirelab view later
    says 'later: recorded by a later version, Wirelab .* \(schema 2; this one reads 1\)'
    head -c 3000 "$hello" >short
    exits 1 wirelab view short
    says 'short: line [0-9]+ is cut'
    head -n 12 "$hello" >ended
    exits 1 wirelab view ended
    says 'ended: breaks off after line 12'
    echo '{}' >object
    exits 1 wirelab view object
    says 'object: not a recording of wirelab'
    { head -n 1 "$hello"; echo '{"event":"frame"}'; } >senseless
    exits 1 wirelab view senseless
    says "senseless: line 2 makes no sense as 'frame'"
    { head -n 1 "$hello"; echo 'no object'; } >senseless
    exits 1 wirelab view senseless
    says 'line 2 is no object of JSON'
    { head -n 1 "$hello"; head -c 600000 /dev/zero | tr '\0' x; echo; } >long
    exits 1 wirelab view long
    says 'line 2 is too long'
}

@test "the programs are those of the recording; of a capture they are not known" {
    need jq
    local many=$recordings/../labs/recordings/12-many-clients.ndjson
    exits 0 wirelab --json --svg slide.svg view "$many"
    cmp <(head -n 1 "$many" | jq -c '[.clients, .servers]') \
        <(head -n 1 "$out" | jq -c '[.clients, .servers]')
    grep -q '>client: .* | tcp_client server 9000 (and 1 more)<' slide.svg
    exits 0 wirelab --quiet --pcap run view "$hello"
    exits 0 wirelab --json --svg slide.svg view run-client.pcapng
    [ "$(head -n 1 "$out" | jq -c '[.clients, .servers]')" = '[[],[]]' ]
    lacks 'tcp_client' slide.svg
    sed '1s/"clients":\[[^]]*\]/"clients":[7]/' "$hello" >senseless
    exits 1 wirelab view senseless
    says 'senseless: not a recording'
    sed "1s/\"clients\":\[/&$(printf '"x",%.0s' {1..20})/" "$hello" >senseless
    exits 1 wirelab view senseless
    says 'senseless: not a recording'
}

@test "an event that is not known here is passed over" {
    { head -n 1 "$hello"; echo '{"schema":1,"event":"weather","rain":true}'
        tail -n +2 "$hello"; } >newer
    exits 0 wirelab view newer
    exits 0 wirelab --lanes wire view newer
    grep -q 'SYN' "$out"
}

@test "what a stranger wrote cannot steer the terminal" {
    sed 's/"text":"[^"]*"/"text":"\\u001b[2Jevil\\u009b"/' "$hello" >evil
    exits 0 wirelab --lanes calls,wire,states,output view evil
    lacks $'\x1b' "$out"
    grep -q evil "$out"
    exits 0 wirelab --quiet --pcap run view "$recordings/lost-tcp.ndjson"
    LC_ALL=C sed $'s/lost by rule 1/lost by \x1b[2Jab/' run-client.pcapng >evil
    for way in --layers --list --explain; do
        exits 0 wirelab "$way" view evil
        lacks $'\x1b' "$out"
        grep -qF '\x1b[2Jab' "$out" || fail "$way: $(cat "$out")"
    done
    sed 's/"by":"rule 1"/"by":"\\u001b[2Jab"/' "$recordings/lost-tcp.ndjson" >evil
    for way in --layers --list --explain; do
        exits 0 wirelab "$way" view evil
        lacks $'\x1b' "$out"
        grep -qF '\x1b[2Jab' "$out" || fail "$way: $(cat "$out")"
    done
}

@test "a recording gives the captures that its run would have given" {
    need tshark
    exits 0 wirelab --quiet --pcap made view "$recordings/lost-tcp.ndjson"
    tshark -r made-client.pcapng -T fields -e frame.comment 2>/dev/null |
        grep -qxF 'wire: lost by rule 1'
    exits 0 wirelab view made-client.pcapng
    grep -qF 'X| lost: rule 1' "$out"
    grep -qF '(again: timeout)' "$out"
}

@test "a recording that is out of all proportion gives no broken capture" {
    need tshark
    local long
    long=$(printf 'r%.0s' {1..9000})
    { head -n 1 "$hello"
        echo '{"schema":1,"event":"remark","host":"client","text":"'"$long"'","t_ns":1}'
        tail -n +2 "$hello"; } >long
    exits 0 wirelab --quiet --pcap long view long
    [ "$(tshark -r long-client.pcapng 2>/dev/null | wc -l)" -eq 11 ]
    long=$(head -c 90000 /dev/zero | base64 -w 0)
    awk -v long="$long" '/"event":"frame"/ && !n++ {
        sub(/"base64":"[^"]*"/, "\"base64\":\"" long "\"") } 1' "$hello" >large
    exits 1 wirelab --quiet --pcap large view large
    says "line [0-9]+ makes no sense as 'frame'"
    [ ! -e large-client.pcapng ]
}

@test "files that cannot be written: a line, and nothing half-written" {
    exits 1 wirelab --quiet --pcap missing/x view "$hello"
    says 'missing/x-client.pcapng: No such file or directory'
    ln -s /dev/full x-server.pcapng
    exits 1 wirelab --quiet --pcap x view "$hello"
    says '/dev/full: No space left on device'
    [ -c /dev/full ]
    [ "$(find . -name '*.pcapng.*' | wc -l)" -eq 0 ]
}

@test "a reader that has seen enough: wirelab ends, and says nothing" {
    local -a command
    for command in "layers" "--help" "view $hello" "--json view $hello" \
        "--layers view $hello" "--list view $hello"; do
        # shellcheck disable=SC2086
        unread 141 wirelab $command
        says nothing
        # shellcheck disable=SC2086
        exits 1 bash -c "wirelab $command >/dev/full"
        says 'write stdout: No space left'
    done
}

@test "a reader that has seen enough has not missed what was expected" {
    unread 141 wirelab --expect 'client 99 B' view "$hello"
    says nothing
}

@test "--step: Ctrl-C gives the terminal back, and keeps the files" {
    need python3
    python3 - "$hello" <<'END'
import fcntl
import os
import signal
import sys
import termios

def step(*words, key=None, signum=None):
    """Shows rows up to the first question, and ends it so."""
    master, terminal = os.openpty()
    before = termios.tcgetattr(terminal)
    pid = os.fork()
    if pid == 0:
        os.setsid()
        fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
        for fd in range(3):
            os.dup2(terminal, fd)
        os.execvp("wirelab", ["wirelab", "--step", *words])
    seen = b""
    while b"q: quit" not in seen:
        seen += os.read(master, 4096)
    if key:
        os.write(master, key)
    else:
        os.kill(pid, signum)
    status = os.waitpid(pid, 0)[1]
    assert termios.tcgetattr(terminal) == before, "the terminal has changed"
    os.close(master)
    os.close(terminal)
    return os.WEXITSTATUS(status) if os.WIFEXITED(status) else -status

view = "--svg", "slide.svg", "view", sys.argv[1]
assert step(*view, key=b"\x03") == 130
assert os.path.exists("slide.svg")
assert step(*view, signum=signal.SIGTERM) == 143
assert step(*view, signum=signal.SIGHUP) == 129
assert step(*view, key=b"q") == 0
END
}
