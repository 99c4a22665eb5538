#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# The languages: chosen by --lang or by the environment, the catalogue found
# beside the programs and after make install; and what scripts read stays as it
# is. Whether the catalogue is complete, scripts/lint says.
# Read next: common/lang.h.
# shellcheck disable=SC2154 # the helpers set them
load helpers

root=$BATS_TEST_DIRNAME/../..
chinese='三次握手完成：SYN、SYN\+ACK、ACK' # as regular expressions
english='the handshake is done: SYN, SYN\+ACK, ACK'

bin() { dirname "$(command -v tcp_client)"; }

need_catalogue() {
    [ -f "$(bin)/../locale/zh_CN/LC_MESSAGES/wirelab.mo" ] ||
        skip "built without gettext"
    unset WIRELAB_LANG
    export LC_ALL=C
}

# explains WORDS [VARIABLE=VALUE...]: tcp_client --explain, in that
# environment, says them.
explains() {
    local words=$1
    shift
    start tcp_server --quiet -n 1 0
    exits 0 env -u LC_ALL -u LC_MESSAGES -u LANG -u LANGUAGE "$@" \
        tcp_client --explain --ask hello "$host" "$port"
    finish
    says "^    $words\$"
}

@test "--lang zh_CN explains in Chinese, whatever the locale" {
    need_catalogue
    start tcp_server --quiet -n 1 0
    exits 0 env LC_ALL=C tcp_client --explain --lang zh_CN --ask hello \
        "$host" "$port"
    says "^    $chinese\$"
    prints $'hello\n'
}

@test "--lang en speaks English, whatever the locale" {
    need_catalogue
    start tcp_server --quiet -n 1 0
    exits 0 env LC_ALL=zh_CN.UTF-8 tcp_client --explain --lang en --ask hello \
        "$host" "$port"
    says "^    $english\$"
}

@test "the environment chooses, though no such locale is installed" {
    need_catalogue
    explains "$chinese" LANG=zh_CN.UTF-8
    explains "$chinese" LC_ALL=zh_CN.UTF-8 LANG=C
    explains "$chinese" LC_MESSAGES=zh_CN.UTF-8 LANG=en_US.UTF-8
    explains "$chinese" LANG=C.UTF-8 LANGUAGE=zh_CN:en
    explains "$chinese" LANG=C.UTF-8 LANGUAGE=fr:zh
    explains "$chinese" WIRELAB_LANG=zh_CN LC_ALL=C
}

@test "it stays English where the environment says so" {
    need_catalogue
    explains "$english"
    explains "$english" LC_ALL=C LANGUAGE=zh_CN
    explains "$english" LANG=fr_FR.UTF-8
    explains "$english" LANG=zh_CN.UTF-8 LANGUAGE=en:zh_CN
    explains "$english" LANG=zh_CN.UTF-8 WIRELAB_LANG=en
    # A terminal that is not UTF-8 would show nonsense.
    explains "$english" LANG=zh_CN.GB18030
}

@test "errors, their advice and the errno are Chinese too" {
    need_catalogue
    exits 4 tcp_client --lang zh_CN --ask hello 127.0.0.1 1
    says '^tcp_client: connect 127.0.0.1:1: 拒绝连接$'
    says "^tcp_client: 服务器在这个地址和端口上运行了吗？用 'ss -ltn' "
    exits 2 tcp_client --lang zh_CN --count x 127.0.0.1 1
    says "^tcp_client: --count 'x'：不是 1 以上的数"
}

@test "an unknown language is refused" {
    exits 2 tcp_client --lang tlh 127.0.0.1 1
    says "--lang 'tlh': either en or zh_CN"
}

@test "without a catalogue --lang says so, and the environment does not matter" {
    mkdir alone
    cp "$(command -v tcp_client)" alone
    exits 1 alone/tcp_client --lang zh_CN 127.0.0.1 1
    says '^tcp_client: --lang zh_CN: no catalogue beside the programs$'
    exits 4 env LC_ALL=zh_CN.UTF-8 WIRELAB_LANG=zh_CN \
        alone/tcp_client --ask hello 127.0.0.1 1
    says 'Connection refused$'
}

@test "the catalogue is found after make install, and goes with uninstall" {
    need_catalogue
    make -C "$root" -o all BUILD="$(bin)/.." DESTDIR="$PWD/fresh" PREFIX=/usr \
        install >"$out" 2>&1 || fail "$(cat "$out")"
    exits 4 fresh/usr/bin/tcp_client --lang zh_CN --ask hello 127.0.0.1 1
    says '拒绝连接$'
    make -C "$root" -o all BUILD="$(bin)/.." DESTDIR="$PWD/fresh" PREFIX=/usr \
        uninstall >"$out" 2>&1 || fail "$(cat "$out")"
    [ -z "$(find fresh ! -type d)" ] || fail "left: $(find fresh ! -type d)"
}

# What a script reads: the ready line, JSON, numbers.
@test "nothing that a script reads changes" {
    need_catalogue
    export LC_ALL=zh_CN.UTF-8 # LC_NUMERIC too
    start tcp_server --json --explain -n 1 0
    exits 0 tcp_client --json --explain --ask hello "$host" "$port"
    finish
    if LC_ALL=C grep -n '[^ -~]' "$out"; then fail 'JSON is translated'; fi
    jq -es 'map(select(.name == "connect"))[0].explain ==
        "the handshake is done: SYN, SYN+ACK, ACK"' "$out" >/dev/null
    if LC_ALL=C grep -n '[^ -~]' <<<"$log"; then fail 'JSON is translated'; fi
    start tcp_server 0
    [[ $ready =~ ^listening\ tcp\ 127\.0\.0\.1:[0-9]+$ ]]
}

# --- columns ---------------------------------------------------------------

# chinese_view FILE OPTION...: the picture of a recording, in Chinese, in $out.
chinese_view() {
    exits 0 wirelab --lang zh_CN "${@:2}" view "$1"
    grep -q '[^ -~]' "$out" || fail "no Chinese: $(head -5 "$out")"
}

@test "a help in Chinese fits 80 columns, and each option has Chinese words" {
    need_catalogue
    need python3
    for program in tcp_server tcp_client udp_server udp_client wirelab; do
        exits 0 "$program" --lang zh_CN --help
        columns 80 <"$out" || fail "$program"
        LC_ALL=C grep -E '^ +(-[^ ], )?--[a-z]' "$out" >options
        [ "$(wc -l <options)" -ge 8 ]
        if LC_ALL=C grep -v '[^ -~]' options; then
            fail "$program: options in English"
        fi
    done
    exits 0 wirelab check --lang zh_CN --help
    columns 80 <"$out"
}

@test "--lang stands before check and layers as before any other command" {
    need_catalogue
    local lang
    exits 0 wirelab check --lang zh_CN --help
    cp "$out" help
    for lang in --lang=zh_CN '--lang zh_CN' '--lang en --lang zh_CN'; do
        # shellcheck disable=SC2086
        exits 0 wirelab $lang check --help
        cmp help "$out"
        # shellcheck disable=SC2086
        exits 0 wirelab $lang layers
        grep -q '[^ -~]' "$out"
    done
    exits 2 wirelab --lang zh_CN check
    exits 2 wirelab --lang tlh check --help
    says "--lang 'tlh'"
    exits 2 wirelab --list check "$BATS_TEST_DIRNAME"/../../docs/labs/01*.lab
    says "the options of check stand behind it"
}

@test "the picture keeps its columns in Chinese: every recording" {
    need_catalogue
    need python3
    for file in "$root"/docs/recordings/*.ndjson; do
        for options in '' --explain '--calls all --absolute' '--only data'; do
            # shellcheck disable=SC2086 # words
            chinese_view "$file" $options
            columns 79 26 51 <"$out" || fail "$file $options"
        done
    done
}

@test "the wide picture keeps its columns in Chinese" {
    need_catalogue
    need python3
    for columns in 110 133 160; do
        for file in "$root"/docs/recordings/{lost-tcp,damaged,hello-udp}.ndjson
        do
            COLUMNS=$columns chinese_view "$file" --explain
            # Half of what there is beyond 110 goes to the wire.
            local more=$((columns - 110))
            [ "$more" -lt 60 ] || more=60
            # shellcheck disable=SC2017 # whole columns
            local calls=$((19 + more / 4)) wire=$((32 + more - more / 4 * 2))
            columns "$columns" $((7 + calls + 12)) \
                $((7 + calls + 12 + 1 + wire)) <"$out" || fail "$file"
        done
    done
}

@test "the sentences, the layers and the slide are Chinese too" {
    need_catalogue
    need python3
    local file=$root/docs/recordings/lost-tcp.ndjson
    chinese_view "$file" --list
    lacks '^(客户端|服务器): ' "$out" # as with a time
    grep -q '^40\.[0-9] ms，客户端：发送 6 B seq=x+1 ack=y+1；丢失：规则 1$' \
        "$out" || fail "$(cat "$out")"
    chinese_view "$file" --layers
    columns 79 <"$out"
    chinese_view "$file" --svg picture.svg
    python3 - picture.svg <<'END'
import sys
import xml.etree.ElementTree as tree
words = "".join(tree.parse(sys.argv[1]).getroot().itertext())
assert "丢失：规则 1" in words and "?" not in words, words
END
}

# What nobody can see is cut in the middle of a character: a terminal so
# narrow, or a buffer that is full.
@test "no text is cut within a character" {
    need_catalogue
    need python3
    local long
    long=$(printf '汉%.0s' {1..400})
    exits 2 tcp_client --lang zh_CN --lang "$long" 127.0.0.1 1
    exits 1 wirelab --lang zh_CN view "./$long"
    exits 2 wirelab --lang zh_CN --only "x$long"
    python3 -c 'import sys; open(sys.argv[1], encoding="utf-8").read()' "$err"
}

@test "--step asks in Chinese" {
    need_catalogue
    need python3
    python3 - "$root/docs/recordings/hello-tcp.ndjson" <<'END'
import os
import pty
import sys

pid, terminal = pty.fork()
if pid == 0:
    os.execvp("wirelab", ["wirelab", "--lang", "zh_CN", "--step", "view",
                          sys.argv[1]])
os.write(terminal, b"\n" * 80)  # a row each; the rest is not read
data = b""
while "接下来谁发送" not in data.decode(errors="ignore"):
    data += os.read(terminal, 4096)  # an error at its end
os.close(terminal)
os.waitpid(pid, 0)
END
}
