#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# make tarball: programs that need nothing, and the labs. What is unpacked
# works in an empty root, with a busybox for its shell and nothing else.
# Read next: ../inroot.
# shellcheck disable=SC2016,SC2154 # the shell inside expands
bats_require_minimum_version 1.5.0

root=$BATS_TEST_DIRNAME/../..

# Only linked, from the objects of the programs that are tested, in a build
# directory of this test's own.
setup_file() {
    local bin=${WIRELAB_BIN:-$root/build/bin}
    export build=$BATS_FILE_TMPDIR/build
    mkdir "$build"
    cp -a "${bin%/bin}"/obj "${bin%/bin}"/libcommon.a "$build"
    [ ! -d "${bin%/bin}/locale" ] || cp -a "${bin%/bin}/locale" "$build"
    pack
}

# pack: makes the tarball; its talk is in the file $build/log.
pack() {
    rm -f "$build"/*.tar.gz
    make -C "$root" BUILD="$build" tarball >"$build/log" 2>&1 || true
}

setup() {
    export WIRELAB_LANG=en # the words that are compared
    cd "$BATS_TEST_TMPDIR" || return
    [ -z "${SAN-}" ] || skip "sanitizers do not link statically"
    if grep -qE 'cannot find -l' "$build/log"; then
        skip "no static libraries here"
    fi
    tarball=$(echo "$build"/wirelab-*.tar.gz)
    [ -f "$tarball" ] || cat "$build/log"
    name=$(basename "$tarball" .tar.gz)
}

# Unpacks it in a root in which there is a shell, and nothing else.
empty_root() {
    local busybox
    busybox=$(command -v busybox) || skip "no busybox here"
    if ldd "$busybox" >/dev/null 2>&1; then
        skip "this busybox needs libraries"
    fi
    mkdir -p empty/bin empty/etc
    cp "$busybox" empty/bin/busybox
    for applet in sh umount cat grep head seq sleep; do
        ln -s busybox "empty/bin/$applet"
    done
    tar -C empty -xzf "$tarball"
    inside true || skip "no root of one's own here: $(cat err)"
}

# inside COMMAND: in the empty root, with the tarball's programs in PATH.
inside() {
    timeout 60 "$BATS_TEST_DIRNAME/../inroot" empty \
        "cd /$name; PATH=\$PWD/bin:\$PATH; $1" >out 2>err 3>&- 4>&-
}

shows() { grep -qF -- "$1" "$2" || { cat out err && false; }; }

@test "it holds the programs, the manual, the labs and their recordings" {
    tar -tzf "$tarball" >names
    for file in bin/tcp_server bin/wirelab share/man/man1/wirelab.1 \
        docs/labs/03-handshake.md docs/labs/03-handshake.lab \
        docs/labs/recordings/03-handshake.ndjson README.md LICENSE \
        share/bash-completion/completions/tcp_client; do
        grep -qx "$name/$file" names || { echo "no $file" && false; }
    done
    [ "$(cut -d / -f 1 names | sort -u)" = "$name" ]
}

@test "the same sources make the same tarball, byte for byte" {
    cp "$tarball" first.tar.gz
    umask 077
    pack
    cmp first.tar.gz "$tarball"
    SOURCE_DATE_EPOCH=1000000000 pack
    tar --full-time -tvzf "$tarball" >names
    [ "$(grep -c '2001-09-09' names)" -eq "$(wc -l <names)" ]
}

@test "in an empty root a server and a client find each other" {
    empty_root
    inside 'tcp_server -n 1 0 >/tmp/log & until grep -q listening /tmp/log
        do :; done; read l t address </tmp/log
        tcp_client --ask hello 127.0.0.1 ${address##*:}; wait; cat /tmp/log'
    shows hello out
    shows 'closed by the client (FIN), 6 bytes in, 6 out' out
}

@test "in an empty root two hosts and a wire are drawn, and labs checked" {
    empty_root
    inside wirelab
    shows '[SYN_SENT]|- SYN seq=x' out
    shows '11 segments' out
    inside 'wirelab check docs/labs/0[12]*.lab'
    shows 'ok 4 - 02-calls: UDP' out
    inside 'wirelab view docs/labs/recordings/04-close.ndjson'
    shows '[TIME_WAIT]' out
}

# By what is built in: modules that nsswitch.conf asks for are another C
# library's, if they are there at all.
@test "in an empty root names are found in /etc/hosts, or else a line says so" {
    empty_root
    echo 'hosts: mymachines resolve [!UNAVAIL=return] files' \
        >empty/etc/nsswitch.conf
    echo '127.0.0.1 here' >empty/etc/hosts
    inside 'udp_client --ask hello here 9; true'
    shows 'udp_client: recv: Connection refused' err
    run ! inside 'tcp_client nowhere.invalid 9'
    shows 'tcp_client: resolve nowhere.invalid: ' err
    [ "$(wc -l <err)" -eq 2 ]
}

# UTF-8 is a locale, and an empty root has none.
@test "in an empty root the programs speak Chinese" {
    tar -tzf "$tarball" | grep -q 'wirelab\.mo$' || skip "no catalogue here"
    empty_root
    unset WIRELAB_LANG
    inside 'LC_ALL=zh_CN.UTF-8 udp_client --ask hello 127.0.0.1 9; true'
    shows 拒绝连接 err
}
