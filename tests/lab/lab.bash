# SPDX-License-Identifier: MIT
#
# What the lab's tests share.
# shellcheck shell=bash disable=SC2154

# LeakSanitizer traces a program at its end, and so does the lab: it would fail.
export ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0

# lab EXPECTATIONS OPTION...: runs the lab; all expectations must hold.
lab() {
    local expectations=$1 status=0
    shift
    timeout "$PATIENCE" wirelab "$@" --expect "$expectations" \
        >"$out" 2>"$err" 3>&- 4>&- || status=$?
    [ "$status" -ne 77 ] || skip "$(tail -n 1 "$err")"
    [ "$status" -eq "${lab_status:-0}" ] ||
        fail "status $status: $(cat "$out" "$err")"
}
