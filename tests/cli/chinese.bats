#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# The Chinese texts keep up with the English ones. Every page of docs/labs has
# a twin of the same name in docs/labs/zh-CN, pages of docs have theirs in
# docs/zh-CN, and README.md has README.zh-CN.md. Twins show the same sessions, commands and code (scripts/quote takes them
# over), so what is run and compared for the English page holds for the Chinese
# one. Nor is any link dead.
# Read next: docs.bats, ../lab/lessons.bats.
load examples

setup() {
    cd "$BATS_TEST_DIRNAME/../.." || return
    export WIRELAB_BIN=${WIRELAB_BIN:-$PWD/build/bin}
}

# Each English page and its Chinese twin, a pair a line.
pairs() {
    local page
    echo README.md README.zh-CN.md
    for page in docs/labs/*.md; do
        echo "$page docs/labs/zh-CN/$(basename "$page")"
    done
    for page in docs/zh-CN/*.md; do
        echo "docs/$(basename "$page") $page"
    done
}

# for_pairs COMMAND: runs COMMAND ENGLISH CHINESE for each pair; says which
# pairs it did not hold for.
for_pairs() {
    local english chinese failed=0
    while read -r english chinese; do
        "$1" "$english" "$chinese" || {
            echo "^ in $english (<), but not so in $chinese (>)"
            failed=1
        }
    done < <(pairs)
    return "$failed"
}

# The fenced blocks of a page, or (fenced=0) what stands outside of them.
fences() {
    awk -v wanted="${2:-1}" '/^```/ { fenced = !fenced; if (wanted) print; next }
        fenced == wanted || wanted && /^<!-- quote / { print }' "$1"
}

# The indented commands of a page, without the words behind them.
commands() {
    fences "$1" 0 | awk '/^    [^ ]/ || goes_on {
            sub(/^ +/, ""); sub(/  .*/, ""); print; goes_on = /\\$/; next
        }
        { goes_on = 0 }'
}

# The options that the prose of a page names.
options() {
    fences "$1" 0 | grep -v '^    ' | grep -oE -- '--[a-z][a-z-]+' | sort -u
}

# How many headings, rows of tables and links a page has.
shape() {
    local part
    for part in '^#' '^\|' '\]\('; do
        echo "$part: $(fences "$1" 0 | grep -oE "$part" | wc -l)"
    done
}

# Nothing of the first may lack in the second.
none_lacks() { ! diff "$1" "$2" | grep '^<'; }

same_fences() { diff <(fences "$1") <(fences "$2"); }
same_commands() { diff <(commands "$1") <(commands "$2"); }
same_shape() { diff <(shape "$1") <(shape "$2"); }
no_option_lacks() { none_lacks <(options "$1") <(options "$2"); }

linked() {
    local from
    from=$(realpath --relative-to="$(dirname "$2")" "$1")
    grep -qF "[English]($from)" "$2" || { echo "no link to $1" && false; }
    from=$(realpath --relative-to="$(dirname "$1")" "$2")
    grep -qF "[中文]($from)" "$1" || { echo "no link to $2" && false; }
}

@test "each page has its Chinese twin, and each twin its page" {
    diff <(cd docs/labs && ls ./*.md) <(cd docs/labs/zh-CN && ls ./*.md)
    # architecture.md is for who changes the toolkit: they read English.
    diff <(find docs -maxdepth 1 -name '*.md' -not -name architecture.md \
        -exec basename {} ';' | sort) <(cd docs/zh-CN && ls -- *.md)
    [ -f README.zh-CN.md ]
}

@test "a Chinese page shows the sessions and the code of the English one" {
    same_but_readme() {
        [ "$1" = README.md ] || same_fences "$1" "$2"
    }
    for_pairs same_but_readme
}

@test "README.zh-CN.md shows all that README.md shows" {
    none_lacks <(fences README.md) <(fences README.zh-CN.md)
}

@test "a Chinese page has the indented commands of the English one" {
    for_pairs same_commands
}

@test "a Chinese page names the options that the English one names" {
    for_pairs no_option_lacks
}

@test "a Chinese page has the headings, tables and links of the English one" {
    for_pairs same_shape
}

@test "twins link to each other" {
    for_pairs linked
}

@test "the console blocks of README.zh-CN.md do what they show" {
    [ -f "$WIRELAB_BIN/../locale/zh_CN/LC_MESSAGES/wirelab.mo" ] ||
        skip "built without gettext"
    run_examples example_of_markdown README.zh-CN.md
}

@test "no link is dead, in any page" {
    local dead=0 page target
    while read -r page; do
        while read -r target; do
            [ -e "$(dirname "$page")/${target%%#*}" ] || {
                echo "$page: no $target"
                dead=1
            }
        done < <(fences "$page" 0 | grep -oE '\]\([^)]+\)' |
            sed -E 's/^\]\((.*)\)$/\1/; /^(https?|mailto):|^#/d')
    done < <(find . -name '*.md' -not -path './build/*')
    return "$dead"
}
