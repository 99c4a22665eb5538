#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Installing puts everything in its place and uninstalling takes all of it
# away; the completion offers what --help has.
# shellcheck disable=SC2154 # the helpers set them
load helpers

root=$BATS_TEST_DIRNAME/../..
PROGRAMS='tcp_server tcp_client udp_server udp_client wirelab'

# make install or uninstall, of the programs that are tested: nothing is built.
install() {
    local bin
    bin=$(dirname "$(command -v tcp_server)")
    make -C "$root" -o all BUILD="${bin%/bin}" \
        DESTDIR="$PWD/fresh" PREFIX=/usr "$1" >"$out" 2>&1 ||
        fail "make $1: $(cat "$out")"
}

@test "make install, and make uninstall leaves nothing behind" {
    install install
    for name in $PROGRAMS; do
        "fresh/usr/bin/$name" --version | grep "^$name (Wirelab)"
        [ -f "fresh/usr/share/bash-completion/completions/$name" ]
    done
    diff <(ls "$root"/docs/man) <(ls fresh/usr/share/man/man1)
    [ -f fresh/usr/share/doc/wirelab/docs/schema.json ]
    [ -f fresh/usr/share/doc/wirelab/docs/labs/03-handshake.lab ]
    [ -f fresh/usr/share/doc/wirelab/LICENSE ]
    [ -z "$(find fresh -type f -perm /022)" ]
    install uninstall
    [ -z "$(find fresh ! -type d)" ] || fail "left: $(find fresh ! -type d)"
}

@test "make uninstall takes nothing that is not ours" {
    install install
    touch fresh/usr/bin/another fresh/usr/share/man/man1/another.1
    install uninstall
    [ "$(find fresh -type f | wc -l)" -eq 2 ]
}

# complete WORD...: what bash would offer for the last word, one a line.
complete_words() {
    # shellcheck disable=SC2016 # expanded by that bash
    bash -c '. "$1" && shift
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        _wirelab "$1" "${!#}" "${COMP_WORDS[COMP_CWORD - 1]}"
        printf "%s\n" "${COMPREPLY[@]}"' bash "$root/scripts/completion.bash" \
        "$@"
}

@test "completion: each option of --help is offered" {
    for name in $PROGRAMS; do
        "$name" --help | grep -oE '^  (-., |    )--[^ ]+' |
            grep -oE -- '--.*' | diff - <(complete_words "$name" --)
    done
    [ "$(complete_words tcp_server --idle)" = --idle-timeout ]
}

@test "completion: models and services, however the option is written" {
    diff <(models tcp_server) <(complete_words tcp_server --model '')
    diff <(models tcp_server) <(complete_words tcp_server -m '')
    diff <(models udp_server) <(complete_words udp_server --model =)
    [ "$(complete_words tcp_server --model = it)" = iterative ]
    [ "$(complete_words udp_server -s d)" = "$(printf 'discard\ndaytime')" ]
}

@test "completion: no value is made up, and a host is completed" {
    [ -z "$(complete_words tcp_server --count '')" ]
    [ -z "$(complete_words tcp_server '')" ]
    [ -z "$(complete_words tcp_client --ask '-')" ]
    # A flag takes no value, so what follows is completed as usual.
    [ "$(complete_words tcp_server --quiet --js)" = --json ]
}

@test "completion: the commands of wirelab" {
    diff <(printf '%s\n' check demo doctor layers view) \
        <(complete_words wirelab '' | sort)
    [ "$(complete_words wirelab view serv)" = servers ]
    [ "$(complete_words wirelab --record serv)" = servers ]
}

@test "completion: wirelab check has options of its own" {
    wirelab check --help | grep -oE '^  (-., |    )--[^ ]+' |
        grep -oE -- '--.*' | diff - <(complete_words wirelab check --)
    [ "$(complete_words wirelab check --student 7 --ans)" = --answers ]
    touch first.lab second.lab
    [ "$(complete_words wirelab check --recording fir)" = first.lab ]
    [ "$(complete_words wirelab check --student 7 fir)" = first.lab ]
    [ "$(complete_words wirelab check first.lab sec)" = second.lab ]
    [ -z "$(complete_words wirelab check --student '')" ]
}

@test "completion: bash knows it by the name of each program" {
    for name in $PROGRAMS; do
        bash -c '. "$1" && complete -p "$2"' bash \
            "$root/scripts/completion.bash" "$name"
    done
}
