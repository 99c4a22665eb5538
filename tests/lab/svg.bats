#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# svg: the picture as a slide: no word over another and none out of the page;
# in it the rows of the text; and no file where one could not be written.
# Read next: ../svg_overlap.
# shellcheck disable=SC2154 # out and err are set by the helpers
load ../cli/helpers
load lab

setup_file() {
    PATH="$BATS_TEST_DIRNAME/..:$PATH"
}

# slide OPTION...: runs the lab with --svg slide.svg, and looks at that.
slide() {
    local status=0
    timeout "$PATIENCE" wirelab --svg slide.svg "$@" \
        >"$out" 2>"$err" 3>&- 4>&- || status=$?
    [ "$status" -ne 77 ] || skip "$(tail -n 1 "$err")"
    [ "$status" -eq "${slide_status:-0}" ] ||
        fail "status $status: $(cat "$out" "$err")"
    svg_overlap slide.svg
    # Nothing stays beside it under another name.
    [ -z "$(find . -name 'slide.svg.*')" ]
}

# says WORDS: they stand on the slide as one piece of text.
says() {
    grep -qF ">$1</text>" slide.svg || fail "no '$1' on the slide"
}

@test "both protocols beside each other, the same rows as in the text" {
    need python3
    slide demo
    says 'server: tcp_server -n 1 --close-delay 100ms server 9000'
    says 'SYN+ACK seq=y ack=x+1'
    says 'recv(4)=6 "hello\n"'
    says 'TIME_WAIT'
    says '6 B to :9000'
    says "$(sed -n 's/^11 segments.*/&/p' "$out")"
    says "$(sed -n 's/^2 datagrams.*; TCP 11 segments.*/&/p' "$out")"
}

@test "the run is told in sentences too, for those who do not see it" {
    need python3
    slide
    sed -n '/<desc/,/<\/desc>/p' slide.svg >desc
    grep -q 'client: sends SYN seq=x' desc
    grep -q 'server: receives SYN seq=x' desc
    grep -q 'client: the state is now TIME_WAIT' desc
}

@test "what is lost breaks off; what is sent again says so" {
    need python3
    slide -q --rule 'drop client:data#1'
    says 'lost: rule 1'
    says '(again: timeout)'
}

@test "frames that cross are drawn from their leaving to their landing" {
    need python3
    slide -q --start together --delay 200ms \
        --server 'tcp_client --source 10.9.0.2:9000 client 9000' \
        --client 'tcp_client --source 10.9.0.1:9000 server 9000'
    grep -q 'stroke-dasharray' slide.svg
    says 'CLOSING'
}

@test "a run that is too long for a page shows its beginning and its end" {
    need python3
    slide -q --server 'tcp_server -n 1 --read-rate 20K server 9000' \
        --client 'head -c 50000 /dev/zero | tcp_client server 9000'
    grep -q 'rows more than a page takes' slide.svg
    says 'SYN seq=x'
    says 'TIME_WAIT'
}

@test "with reasons, remarks and what programs print" {
    need python3
    slide_status=5 slide -q --explain --rule 'corrupt client:udp#1' \
        --lanes calls,wire,states,output \
        --server 'udp_server -n 1 server 9000' \
        --client 'udp_client --ask hello server 9000'
    says 'dropped silently; nobody tells the sender'
}

@test "what is not to be trusted is escaped" {
    need python3
    # shellcheck disable=SC2016
    slide --lanes calls,wire,states,output --server 'udp_server server 9000' \
        --client 'printf "\033]0;<script>&\"\n"; : "<b>"; echo "<i>&" |
            udp_client server 9000'
    grep -q '&lt;script&gt;&amp;' slide.svg
    [ "$(grep -c '<script\|<i>\|<b>' slide.svg)" -eq 0 ]
    [ "$(tr -d '\n -~' <slide.svg | wc -c)" -eq 0 ]
}

@test "as an image, by rsvg-convert" {
    need rsvg-convert
    timeout "$PATIENCE" wirelab -q --png slide.png --only handshake \
        2>"$err" 3>&- || skip "$(tail -n 1 "$err")"
    [ "$(head -c 8 slide.png | od -An -tx1)" = ' 89 50 4e 47 0d 0a 1a 0a' ]
}

@test "as an image for an ordinary user, of a loopback, and of a file" {
    need rsvg-convert
    as_ordinary_user
    local bin image
    bin=$(mktemp -d) # the checkout may lie where only root may go
    cp "$(command -v wirelab)" "$(command -v tcp_server)" \
        "$(command -v tcp_client)" "$bin"
    chmod 777 "$bin"
    cd "$bin"
    exits 0 "${as_user[@]}" ./wirelab -q --png user.png
    mv user.png "$BATS_TEST_TMPDIR"
    cd "$BATS_TEST_TMPDIR"
    rm -r "$bin"
    exits 0 wirelab -q --png file.png \
        view "$BATS_TEST_DIRNAME/../../docs/recordings/hello-tcp.ndjson"
    exits 0 wirelab -q --loopback --png loopback.png
    for image in user file loopback; do
        [ "$(head -c 4 $image.png | tail -c 3)" = PNG ]
    done
}

@test "without rsvg-convert nothing is run, and it says what to install" {
    local status=0 bin
    bin=$(dirname "$(command -v wirelab)")
    PATH=$bin wirelab --png slide.png >"$out" 2>"$err" || status=$?
    [ "$status" -eq 77 ]
    [ ! -s "$out" ]
    grep -q 'no rsvg-convert here' "$err"
    grep -q 'librsvg2-bin' "$err"
    [ ! -e slide.png ]
}

@test "a file that cannot be written: a clear line, and nothing is run" {
    local status=0
    wirelab --svg no/where.svg >"$out" 2>"$err" || status=$?
    [ "$status" -eq 1 ]
    [ ! -s "$out" ]
    grep -q 'no/where.svg: No such file or directory' "$err"
}

@test "a disk that fills: a clear line, status 1, what was there stays" {
    local status=0
    echo before >slide.svg
    [ "$(ulimit -f)" = unlimited ] || skip 'files are limited already'
    (
        trap '' XFSZ
        ulimit -f 4
        timeout "$PATIENCE" wirelab -q --svg slide.svg 2>"$err" 3>&-
    ) || status=$?
    [ "$status" -ne 77 ] || skip "$(tail -n 1 "$err")"
    [ "$status" -eq 1 ]
    grep -q 'slide.svg: File too large' "$err"
    [ "$(cat slide.svg)" = before ]
    [ -z "$(find . -name 'slide.svg.*')" ]
}

@test "one run to a recording: demo alone has two" {
    local status=0
    wirelab --record both.ndjson demo 2>"$err" || status=$?
    [ "$status" -eq 2 ]
    grep -q 'either demo tcp or demo udp' "$err"
}
