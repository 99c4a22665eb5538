# SPDX-License-Identifier: MIT
#
# What the three measurements share: a row of the table, and its record.
# Whoever sources this sets $record, a file; $ROUNDS; and in $setting what the
# figure depends on, as a JSON object.
# Read next: run.
# shellcheck shell=bash disable=SC2154 # set by who sources this

say() { printf '%s\n' "$*" >&2; }

# The median, the least and the most of the numbers on stdin.
spread() {
    jq -sr 'map(numbers) + if any(numbers) then [] else [0] end | sort
        | [.[(length - 1) / 2 | floor], .[0], .[-1]]
        | map(. * 1000 | round / 1000) | join(" ")'
}

# verdict WHAT VALUE LOW HIGH SIGN BAR: a row of the table, and a record. SIGN
# is >= or <=; BAR "-" is no bar.
verdict() {
    local word=''
    [ "$6" = - ] ||
        word=$(jq -nr "if $2 $5 $6 then \"holds\" else \"falls short\" end")
    printf '%-54s %9s  (%s .. %s)  %s %s  %s\n' "$1" "$2" "$3" "$4" "$5" "$6" \
        "$word"
    jq -nc --arg what "$1" --argjson value "$2" --argjson low "$3" \
        --argjson high "$4" --arg bar "$5 $6" --arg verdict "$word" \
        --argjson rounds "$ROUNDS" --argjson setting "$setting" \
        '{schema: 1, event: "bench", what: $what, value: $value, low: $low,
          high: $high, bar: $bar, verdict: $verdict, rounds: $rounds}
          + $setting' >>"$record"
}
