#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# scripts/report: a page made from what a comparison once found. It has each
# figure of the table, it is whole, it asks for nothing, and a browser shows it
# as wide as a telephone and as a desk.
# Read next: proofread and browse, which look at the page.
# shellcheck disable=SC2154 # set by helpers.bash
load helpers

root=$BATS_TEST_DIRNAME/../..
report=$root/scripts/report

# A directory d with the results; jq words change each event on the way.
results() {
    mkdir -p d
    jq -c "${1:-.}" "$root/tests/golden/compare.ndjson" >d/results.ndjson
    cp "$root/docs/recordings/lost-tcp.ndjson" d/picture-tcp.rec
    cp "$root/docs/recordings/lost-udp.ndjson" d/picture-udp.rec
}

# The table that scripts/compare prints of them.
table() {
    PYTHONPATH=$root/scripts python3 -B -c '
from comparison import results, table
print(table.table(results.read("d/results.ndjson")))' >d/table.txt
    [ "$(wc -l <d/table.txt)" -gt 20 ]
}

# on_page TEXT: the page has it, told as HTML.
on_page() {
    grep -qF -- "$1" d/report.html || fail "not on the page: $1"
}

@test "the page is whole, and has each figure of the table" {
    need gnuplot jq
    results
    table
    exits 0 "$report" d
    prints ''
    says nothing
    proofread d/report.html d/table.txt
    [ "$(grep -c '<figure' d/report.html)" -gt 10 ]
    on_page 'aria-label="TCP: '
    lacks 'No plots' d/report.html
}

@test "a figure that one side lacks is told as not known" {
    need jq
    results 'if .proto == "tcp" and .workload == "stream" and .condition == 0
        then .goodput_bps = null else . end'
    exits 0 "$report" d
    on_page 'not known of both'
}

@test "proofread sees what is wrong with a page" {
    results
    exits 0 "$report" d
    for harm in 's/<main>/<main><p>/' 's/id="answer"/id="table"/' \
        's/href="#again"/href="#nowhere"/' 's/ lang="en"//' \
        's/<main>/<main><script><\/script>/' 's/role="img"//' \
        's/<main>/<main><img src="http:\/\/h\/i.png">/' \
        's/<main>/<main><svg role="img" aria-label="x"><b><\/svg>/'; do
        sed "$harm" d/report.html >harmed.html
        [ -n "$(cmp d/report.html harmed.html 2>&1)" ] || fail "no harm: $harm"
        exits 1 proofread harmed.html
    done
    echo 918273645 >figures
    exits 1 proofread d/report.html figures
}

@test "a browser shows it at both widths, and has nothing to complain of" {
    need gnuplot jq
    results
    exits 0 "$report" d
    status=0
    browse d/report.html . >seen 2>"$err" || status=$?
    [ "$status" -ne 77 ] || skip "no Chromium here"
    [ "$status" -eq 0 ] || fail "$(cat "$err")"
    jq -es 'map(.width) == [390, 1280] and all(.[];
        .scroll_width <= .width and .errors == [] and .requests == []
        and .ink > 0.01 and (.figures | length) > 10
        and all(.figures[]; .ink > 0.005 and .width > 300))' seen ||
        fail "$(jq -c 'del(.figures[].name)' seen)"
    [ -s 390.png ] && [ -s 1280.png ] && [ -s print.pdf ]
}

@test "browse hears a console, a request and a page too wide" {
    echo '<script>console.log(1)</script><img src="http://nowhere.invalid/i">
        <p style="width: 3000px">wide</p>' >bad.html
    status=0
    browse bad.html . >seen || status=$?
    [ "$status" -ne 77 ] || skip "no Chromium here"
    jq -es 'all(.[]; (.errors | length) > 0 and .scroll_width > 1280
        and .requests == ["http://nowhere.invalid/i"])' seen || fail "$(cat seen)"
}

@test "what comes from outside is escaped" {
    results 'if .event == "plan" then .machine = "<script>x</script>&\"" |
        .args += ["<img src=x>"] else .command = "<i onclick=x>" end |
        if .event == "picture" then .text = "<b>\"t" else . end'
    exits 0 "$report" d
    proofread d/report.html
    on_page '&lt;script&gt;x&lt;/script&gt;&amp;'
    on_page '&lt;i onclick=x&gt;'
}

@test "without gnuplot: the tables, and what is missing" {
    results
    table
    mkdir bin
    ln -s "$(python3 -c 'import sys; print(sys.executable)')" bin/python3
    exits 0 env PATH="$PWD/bin" bin/python3 "$report" d
    on_page 'No plots: there was no gnuplot'
    proofread d/report.html d/table.txt
}

@test "a gnuplot that fails: its words, in one line, and no page" {
    results
    mkdir bin
    printf '#!/bin/sh\necho "no terminal svg" >&2\nexit 1\n' >bin/gnuplot
    chmod +x bin/gnuplot
    PATH=$PWD/bin:$PATH refuses 'gnuplot: no terminal svg'
}

@test "a tester whose locale is not UTF-8 gets the same page" {
    need gnuplot
    results
    exits 0 "$report" d
    mv d/report.html utf8.html
    exits 0 env PYTHONUTF8=0 PYTHONCOERCECLOCALE=0 LC_ALL=C "$report" d
    cmp utf8.html d/report.html
}

@test "a picture that cannot be drawn is named" {
    results
    rm d/picture-udp.rec
    exits 0 "$report" d
    on_page 'no picture: '
    proofread d/report.html
}

@test "a difference within the noise is called that" {
    # TCP's figures, as the other side's too: alike. Then the repeats apart.
    results 'if .workload == "ping" then
        .rtt_p50_ns = 20000000 else . end'
    exits 0 "$report" d
    on_page 'at every loss tried alike'
    results 'if .workload == "ping" then .rtt_p50_ns = 20000000 +
        (if .proto == "tcp" then 9000000 else 10000000 end) * .repeat
        else . end'
    exits 0 "$report" d
    on_page 'at every loss tried within the noise'
}

@test "an interrupted comparison: what there is, and that it is not all" {
    results
    head -n 30 d/results.ndjson >part
    { cat part && printf '{"schema":1,"event":"ru'; } >d/results.ndjson
    exits 0 "$report" d
    on_page 'Interrupted: 29 of '
    on_page 'cut off'
    proofread d/report.html
}

@test "one run each: no word of a difference" {
    results 'select(.event != "run" or .repeat == 1)'
    exits 0 "$report" d
    on_page 'One run of each is a first look'
    proofread d/report.html
}

@test "no results to read: status 1, one line, and no page" {
    mkdir d
    refuses 'd/results.ndjson: No such file or directory; scripts/compare'
    : >d/results.ndjson
    refuses 'empty'
    results 'select(.event == "run")'
    refuses 'has no plan'
    results '.schema = 2'
    refuses 'schema 2, and this report knows 1'
    results 'select(.event != "run")'
    refuses 'no run has ended'
    results 'del(.workload)'
    refuses 'a field is missing: workload'
    printf 'hello\nyou\n' >d/results.ndjson
    refuses 'd/results.ndjson:1: not an event'
    printf '\377\376\n' >d/results.ndjson
    refuses 'not text'
}

# refuses REGEX: it says that, in one line, and leaves no page.
refuses() {
    exits 1 "$report" d
    says "^report: .*$1"
    [ "$(wc -l <"$err")" -eq 1 ] || fail "$(cat "$err")"
    [ ! -e d/report.html ] || fail "a page all the same"
}

@test "a directory that cannot be written, and usage" {
    results
    mkdir d/report.html
    exits 1 "$report" d
    says '^report: d/report.html: '
    exits 2 "$report"
    exits 2 "$report" a b
    exits 2 "$report" --nothing
    exits 0 "$report" --help
    grep -q '^Status: 0 written' "$out"
}
