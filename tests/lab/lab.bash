# SPDX-License-Identifier: MIT
#
# What the lab's tests share.
# shellcheck shell=bash disable=SC2154

# LeakSanitizer traces a program at its end, and so does the lab: it would fail.
export ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0

# lab EXPECTATIONS OPTION...: runs the lab; all expectations must hold. A run in
# which this machine held up the wire itself is no run: there are three tries.
lab() {
    local expectations=$1 status
    shift
    for _ in 1 2 3; do
        status=0
        timeout "$PATIENCE" wirelab "$@" --expect "$expectations" \
            >"$out" 2>"$err" 3>&- 4>&- || status=$?
        [ "$status" -ne 77 ] || skip "$(tail -n 1 "$err")"
        [ "$status" -ne "${lab_status:-0}" ] || return 0
        grep -q '^wirelab: the wire was up to .* late' "$err" || break
    done
    fail "status $status: $(cat "$out" "$err")"
}
