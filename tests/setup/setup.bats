#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# scripts/setup on machines of paper: PATH holds links to the shell's tools,
# programs of paper in a directory of their own (nothing is ever written
# through a link), and nothing else. The real thing is tried by
# tests/cleanroot.

setup() {
    cd "$BATS_TEST_TMPDIR" || return
    mkdir scripts paper real
    cp "$BATS_TEST_DIRNAME/../../scripts/setup" scripts/
    for tool in sh awk cat dirname echo env flock grep mkdir sed sleep tail \
        touch chmod; do
        ln -s "$(command -v "$tool")" "real/$tool"
    done
    be 0
    export CC=cc
}

# Writes a program of the paper machine; its text is on stdin.
program() {
    { echo '#!/bin/sh' && cat; } >"paper/$1"
    chmod +x "paper/$1"
}

be() { echo "echo $1" | program id; }

# apt-get finds nothing before its lists are read; then it brings a compiler,
# make, and a pkg-config that knows every library.
apt() {
    program apt-get <<'END'
echo "$*|$DEBIAN_FRONTEND" >>told
case $* in
update) touch lists ;;
*install*)
    [ -e lists ] || exit 100
    for tool in cc make pkg-config msgfmt python3; do
        echo '#!/bin/sh' >paper/$tool
        chmod +x paper/$tool
    done
    ;;
esac
END
}

run_setup() { PATH=$PWD/paper:$PWD/real run scripts/setup "$@"; }

@test "what is missing is named first, then installed without a question" {
    apt
    run_setup demo
    [ "$status" -eq 0 ]
    [ "${#lines[@]}" -eq 1 ]
    [[ $output == "setup: installing: gcc libc6-dev make pkg-config \
libevent-dev libpcap-dev libjansson-dev gettext python3 (log: build/setup.log)" ]]
    grep -q -- '^-y .*install gcc.*|noninteractive$' told
}

@test "lists are read only when installing without them has failed" {
    apt
    touch lists
    run_setup demo
    [ "$status" -eq 0 ]
    run grep ^update told
    [ "$status" -eq 1 ]
}

@test "with everything there it says nothing and needs no manager" {
    apt
    touch lists
    run_setup demo
    rm told paper/apt-get
    be 1000
    run_setup demo
    [ "$status" -eq 0 ]
    [ -z "$output" ]
}

@test "without root or sudo: the line to type, and status 77" {
    apt
    be 1000
    run_setup demo
    [ "$status" -eq 77 ]
    [ "${#lines[@]}" -eq 1 ]
    [[ $output == *"as root, once: apt-get update && apt-get "*" gcc "* ]]
    [ ! -e told ]
}

@test "sudo is used when it asks for nothing" {
    apt
    be 1000
    program sudo <<'END'
echo "sudo $*" >>sudone
[ "$1" = -n ] && shift
"$@"
END
    echo true | program true
    run_setup demo
    [ "$status" -eq 0 ]
    grep -q 'sudo -n env DEBIAN_FRONTEND=noninteractive' sudone
}

@test "a package that cannot be had: status 1, and why" {
    program apt-get <<'END'
echo "E: Unable to locate package gcc"
exit 100
END
    run_setup demo
    [ "$status" -eq 1 ]
    [[ $output == *"E: Unable to locate package gcc"* ]]
    [[ $output == *"could not install gcc "* ]]
}

@test "no known manager: what is missing, and status 77" {
    run_setup demo
    [ "$status" -eq 77 ]
    [[ $output == *"missing: c-compiler make pkg-config lib:libevent_core"* ]]
}

@test "dnf, pacman and brew are told their own names" {
    for manager in dnf pacman brew; do
        rm -f paper/dnf paper/pacman
        echo 'echo "$*" >>told; exit 1' | program $manager
        run_setup demo
        [ "$status" -eq 1 ]
    done
    grep -q '^-y install gcc glibc-devel make pkgconf-pkg-config' told
    grep -q '^-S --needed --noconfirm gcc make pkgconf libevent' told
    grep -q '^install gcc make pkgconf libevent libpcap jansson$' told
}

@test "what only benchmarks and fuzzing need is installed on request alone" {
    apt
    touch lists
    run_setup
    [[ $output == *" tcpdump parallel "* ]]
    [[ $output != *nuttcp* && $output != *" clang "* ]]
    run_setup bench
    [[ $output == *" sockperf nuttcp ethtool "* ]]
    run_setup fuzz
    [[ $output == *" clang libclang-rt-dev "* ]]
}

@test "an unknown set is a usage error" {
    run_setup everything
    [ "$status" -eq 2 ]
    [[ $output == Usage:* ]]
}

@test "a build directory of somebody else is noticed" {
    echo 'exit 1' | program mkdir
    run_setup demo
    [ "$status" -eq 1 ]
    [[ $output == *"cannot write to build/"* ]]
}
