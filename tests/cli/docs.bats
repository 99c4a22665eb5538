#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# The documentation tells the truth: each option of --help is in the man page
# and each of the page in --help, and every example is run and prints what is
# shown. Examples are the displays (.Bd) under EXAMPLES in a man page, and the
# blocks fenced as ```console in Markdown; ../session says how they are
# written. Blocks of another kind are not run.
load examples

setup() {
    cd "$BATS_TEST_DIRNAME/../.." || return
    bin=${WIRELAB_BIN:-$PWD/build/bin}
    export WIRELAB_BIN=$bin WIRELAB_LANG=en
}

pages() { ls docs/man/*.1; }

program_of() { basename "$1" .1; }

# What --help says; wirelab's check has options of its own.
help_of() {
    "$bin/$1" --help
    [ "$1" != wirelab ] || "$bin/$1" check --help
}

# One option a line, sorted: "m model NAME", "- models".
options_of_help() {
    help_of "$1" | sed -nE 's/^  -(.), --([^ ]+)( ([^ ]+))? .*/\1 \2 \4/p
        s/^      --([^ ]+)( ([^ ]+))? .*/- \1 \3/p' | sed 's/ *$//' | sort -u
}

options_of_page() {
    sed -nE 's/^\.It (Fl (.) , )?Fl -([a-z][^ ]*) ?(Ar (.*))?$/\2 \3 \5/p' \
        "$1" | sed -E 's/^ /- /; s/ +$//' | sort
}

# The N-th example of a page, as the reader sees it.
example_of_page() {
    awk -v n="$2" '/^\.Sh/ { on = /EXAMPLES/ }
        on && /^\.Ed/ { shown = 0 }
        shown { print }
        on && /^\.Bd/ { shown = ++count == n }' "$1" |
        sed 's/\\&//g; s/\\-/-/g; s/\\e/\\/g'
}

@test "--help and the man page have the same options" {
    for page in $(pages); do
        program=$(program_of "$page")
        [ "$(options_of_help "$program" | wc -l)" -ge 8 ]
        diff -u --label --help <(options_of_help "$program") \
            --label "$page" <(options_of_page "$page")
    done
}

@test "--help fits a terminal of 80 columns" {
    for program in "$bin"/*; do
        "$program" --help | awk 'length > 80 { print; bad = 1 }
            END { exit bad }'
    done
}

@test "every program has a page, and every page its sections" {
    for program in "$bin"/*; do
        [ -f "docs/man/$(basename "$program").1" ]
    done
    for page in $(pages); do
        for section in NAME SYNOPSIS DESCRIPTION 'EXIT STATUS' EXAMPLES \
            'SEE ALSO' CAVEATS; do
            grep -qx "\.Sh $section" "$page" || {
                echo "$page: no $section" && false
            }
        done
    done
}

@test "mandoc finds nothing to say about the pages" {
    command -v mandoc >/dev/null || skip "no mandoc here"
    for page in $(pages); do
        mandoc -T lint -W warning "$page"
    done
}

@test "--models and --services list what the pages explain" {
    for program in tcp_server udp_server; do
        for name in $("$bin/$program" --models --services | cut -d' ' -f1); do
            grep -q "^\.Cm $name\b" "docs/man/$program.1" || {
                echo "$program.1: no $name" && false
            }
        done
    done
}

@test "the examples of tcp_server.1 do what they show" {
    run_examples example_of_page docs/man/tcp_server.1
}

@test "the examples of tcp_client.1 do what they show" {
    run_examples example_of_page docs/man/tcp_client.1
}

@test "the examples of udp_server.1 do what they show" {
    run_examples example_of_page docs/man/udp_server.1
}

@test "the examples of udp_client.1 do what they show" {
    run_examples example_of_page docs/man/udp_client.1
}

@test "the examples of wirelab.1 do what they show" {
    run_examples example_of_page docs/man/wirelab.1
}

@test "the console blocks in Markdown do what they show" {
    # The labs have a test file of their own, tests/lab/lessons.bats, and what
    # is in Chinese too: chinese.bats.
    find . -name '*.md' -not -path './build/*' -not -path './docs/labs/[0-9]*' \
        -not -path '*zh-CN*' >"$BATS_TEST_TMPDIR/files"
    while read -r file; do
        run_examples example_of_markdown "$file"
    done <"$BATS_TEST_TMPDIR/files"
}

# The indented commands of the pages, which are not run here: a line each.
indented() {
    find . -name '*.md' -not -path './build/*' -exec \
        awk '/^```/ { fenced = !fenced } fenced { next }
            /^    / || goes_on { sub(/^ +/, ""); goes_on = /\\$/
                sub(/\\$/, ""); printf "%s%s", $0, goes_on ? "" : "\n" }' {} +
}

# What the programs and scripts that LINE names say of their options.
known_to() {
    local name
    while read -r name; do
        case $name in
        scripts/*) cat "$name" || return ;;
        *) help_of "$name" || return ;;
        esac
    done < <(grep -oE '(tcp|udp)_(server|client)|wirelab|scripts/[a-z-]+' \
        <<<"$1")
}

@test "indented commands name options and scripts that are there" {
    local line option commands=$BATS_TEST_TMPDIR/commands
    indented | grep -E '^(tcp_|udp_|wirelab |(\./)?scripts/)' |
        sed 's/  .*//' >"$commands" # behind two blanks: the page's own words
    [ "$(wc -l <"$commands")" -gt 20 ]
    while read -r line; do
        known_to "$line" >"$BATS_TEST_TMPDIR/known"
        while read -r option; do
            grep -q -e "$option\\b" "$BATS_TEST_TMPDIR/known" || {
                echo "$line: no $option" && false
            }
        done < <(grep -oE -e '--[a-z-]+' <<<"$line" | sort -u)
    done <"$commands"
}

@test "docs/architecture.md says what each script is for" {
    for script in scripts/*; do
        grep -qE "^\| .*\`$(basename "$script")/?\`" docs/architecture.md || {
            echo "no $script" && false
        }
    done
}

# The table of common/README.md: "level file", one a line.
levels() {
    sed -nE 's/^\| ([0-9]) \| .([a-z_]+). .*/\1 \2/p' common/README.md
}

@test "common/README.md has every file, and none includes a higher level" {
    diff <(levels | cut -d ' ' -f 2 | sort) \
        <(basename -s .c common/*.c)
    for file in common/*.[ch]; do
        name=$(basename "${file%.*}")
        mine=$(levels | sed -n "s/ $name$//p")
        while read -r used; do
            theirs=$(levels | sed -n "s/ $used$//p")
            [ "$theirs" -le "$mine" ] || {
                echo "$file, of level $mine, includes $used of $theirs" && false
            }
        done < <(sed -nE 's/^#include "([a-z_]+)\.h"/\1/p' "$file")
    done
}
