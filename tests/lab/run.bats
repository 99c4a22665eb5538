#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# run: the lab around the programs: when they start and how they end, what they
# find on their hosts, what is left behind (nothing), and what is said when
# something is wrong.
# Read next: tcp.bats, what TCP does in it.
# shellcheck disable=SC2154 # out and err are set by the helpers
load ../cli/helpers
load lab

setup_file() {
    local status=0
    command -v pgrep >/dev/null || skip "no pgrep here"
    wirelab --quiet --client true || status=$?
    [ "$status" -ne 77 ] || skip "the lab does not run here"
}

# runs STATUS OPTION...: a lab of which the picture does not matter.
runs() {
    local status=$1
    shift
    exits "$status" wirelab --quiet --delay 1ms "$@"
}

# shows REGEX OPTION...: some program prints a line like this.
shows() {
    local regex=$1
    shift
    exits 0 wirelab --json --delay 1ms --lanes output "$@"
    jq -r 'select(.event == "output").text' "$out" | grep -qE -- "$regex" ||
        fail "no '$regex': $(cat "$out")"
}

# running MARK: does a sleep with this argument run?
running() {
    pgrep -f "^sleep $1\$" >/dev/null
}

# gone MARK: none does.
gone() {
    if running "$1"; then
        fail "a process is left: $1"
    fi
}

@test "bad input: the word at fault, and what is allowed" {
    local line
    while IFS='|' read -r arguments words; do
        line=()
        eval "line=($arguments)"
        exits 2 wirelab "${line[@]}"
        says "$words"
    done <<'END'
--nosuch|--nosuch
nosuch|demo, view, check, layers, doctor
--server tcp_server server 9000|in quotes: --server 'tcp_server server 9000'
demo icmp|tcp or udp
doctor now|alone
--start soon|ready .* together
--lanes calls,colours|'colours' is not calls, wire
--lanes ''|is not calls
--only middle|handshake, data, close
--kill server|server@1s
--kill nobody@1s|server@1s
--kill server@1x|1x
--interactive nobody|client or server
--mtu 67|67
--mtu 65536|65536
-6 --mtu 1279|1280
--server ''|empty
--relative --absolute|either
--step --json|--json
--step --interactive client|terminal
--loopback --loss 1%|no wire
--loopback --rule 'drop client:syn'|no wire
--loss 101%|101
--loss 5|such as 5%
--rule 'drop client:syn#0'|#0
--expect 'client SIN'|SIN
END
}

@test "a command that is not there: status 127, and the shell's words" {
    exits 127 wirelab --client nosuch-program
    grep -q 'nosuch-program: not found' "$out"
}

@test "a server and nobody to call it: said at once" {
    runs 5 --limit 300ms --server 'udp_server server 9000'
    says 'no --client'
    runs 0 --client true
    lacks 'no --client' "$err"
    exits 0 wirelab
    lacks 'no --client' "$err"
}

@test "a server that ends before it listens" {
    runs 1 --server 'exit 3' --client true
    says 'ended before it listened'
}

@test "a server that never listens, for as long as --wait says" {
    runs 5 --wait 200ms --server 'sleep 20' --client true
    says 'no server listens after 0.2 s'
    says '--start together'
}

@test "a server that listens only on its own loopback: the cure" {
    runs 4 --server 'tcp_server 9000' --client true
    says 'own loopback, tcp 127.0.0.1:9000'
    says 'tcp_server server 9000'
    runs 4 --server 'udp_server 9000' --client true
    says 'own loopback, udp 127.0.0.1:9000'
    runs 4 -6 --server 'tcp_server -6 9000' --client true
    says 'own loopback, tcp \[::1\]:9000'
}

@test "a long delay is written in seconds" {
    exits 5 wirelab --limit 300ms --delay 15s demo udp
    grep -q 'wire, 15 s each way ' "$out"
}

@test "a program that never ends: --limit" {
    runs 5 --limit 300ms --client 'sleep 20'
    says 'not at its end after 0.3 s'
}

@test "the status is that of the first client that failed" {
    runs 0 --client true --client true
    runs 4 --client true --client 'exit 4' --client 'exit 5'
    runs 137 --client "kill -9 \$\$"
}

@test "several servers, several clients" {
    shows '^one$' --server 'tcp_server server 9000' \
        --server 'udp_server server 9001' \
        --client 'tcp_client --ask one server 9000' \
        --client 'udp_client --ask two server 9001'
    jq -r 'select(.event == "output").text' "$out" | grep -qx two
}

@test "--start together does not wait for a server" {
    runs 4 --start together --server 'sleep 1; tcp_server server 9000' \
        --client 'tcp_client --ask hello server 9000'
}

@test "no server: the lab starts at once" {
    runs 4 --client 'tcp_client --ask hello server 9000'
}

@test "each host knows the names, and its own" {
    shows '^10\.9\.0\.2 +server' --client 'getent hosts server'
    shows '^fd00:9::1 +client' -6 --client 'getent hosts client'
    shows '^server$' --server 'uname -n'
    [[ $(grep -cE '10\.9\.0\.' /etc/hosts) -eq 0 ]]
}

@test "a program keeps its user and directory, and finds ours first" {
    shows "^$(id -u)\$" --client 'id -u'
    shows "^$PWD\$" --client pwd
    shows "^$(dirname "$(command -v wirelab)" | xargs realpath)/tcp_client\$" \
        --client 'command -v tcp_client'
}

@test "low ports and raw sockets are the programs' to use" {
    shows '^hello$' --server 'tcp_server -n 1 server 7' \
        --client 'tcp_client --ask hello server 7'
    need python3
    shows '^raw$' --client \
        "python3 -c 'import socket as s; s.socket(s.AF_PACKET, s.SOCK_RAW)
print(\"raw\")'"
}

@test "255.255.255.255 reaches the other host" {
    shows '^hello$' --server 'udp_server -n 1 0.0.0.0 9000' \
        --client 'udp_client --broadcast --unconnected --ask hello \
            255.255.255.255 9000'
}

@test "IPv6 has the same frames, and none besides" {
    exits 0 wirelab --json --delay 1ms -6
    [ "$(jq -r 'select(.event == "frame").proto' "$out" | sort -u)" = tcp ]
}

@test "a program's output is taken line by line, however long" {
    shows '^x{4096}$' --client 'head -c 5000 /dev/zero | tr "\0" x'
    shows '^x{904}$' --client 'head -c 5000 /dev/zero | tr "\0" x'
}

@test "stdin is /dev/null, unless the terminal is asked for" {
    shows '^0$' --client 'wc -c' <<<hello
    shows '^6$' --interactive client --client 'wc -c' <<<hello
}

@test "whatever a program leaves behind is killed" {
    local mark=20.$RANDOM$RANDOM
    runs 0 --client "setsid sleep $mark & true"
    gone "$mark"
    runs 0 --server "tcp_server server 9000 & sleep $mark" --client true
    gone "$mark"
}

@test "Ctrl-C: the summary, the files, and nothing left behind" {
    local mark=20.$RANDOM$RANDOM status=0
    wirelab --record run.json --server 'tcp_server server 9000' --client \
        "tcp_client --ask hello server 9000; setsid sleep $mark & sleep $mark" \
        >"$out" 2>"$err" 3>&- &
    wait_for FIN "$out"
    kill -INT $!
    wait $! || status=$?
    [ "$status" -eq 130 ]
    gone "$mark"
    grep -q 'segments for 12 bytes' "$out"
    [ "$(tail -n 1 run.json | jq .partial)" = true ]
    [ "$(tail -n 1 run.json | jq .exit_status)" -eq 130 ]
}

@test "wirelab is killed: its programs die with it" {
    local mark=20.$RANDOM$RANDOM end=$((SECONDS + PATIENCE))
    wirelab --client "setsid sleep $mark & sleep $mark" >"$out" 3>&- &
    until running "$mark"; do wait_a_moment; done
    kill -KILL $!
    wait $! || true
    while running "$mark" && [ "$SECONDS" -lt "$end" ]; do wait_a_moment; done
    gone "$mark"
}

@test "wirelab is killed: no file is left half-written" {
    # A file system that has files without a name.
    [ -w /dev/shm ] || skip "no tmpfs here"
    local mark=20.$RANDOM$RANDOM dir
    dir=$(mktemp -d /dev/shm/wirelab.XXXXXX)
    wirelab --svg "$dir/slide.svg" --record "$dir/run.json" \
        --pcap "$dir/run" --client "sleep $mark" >"$out" 3>&- &
    until running "$mark"; do wait_a_moment; done
    kill -KILL $!
    wait $! || true
    rmdir "$dir" || fail "$(ls "$dir"; rm -r "$dir")"
}

@test "--interactive: the terminal is the program's, and Ctrl-Z stops nobody" {
    need python3
    wirelab --quiet --lanes wire >"$out" 2>"$err" 3>&- || skip "$(tail -n 1 "$err")"
    python3 - <<'END' || fail "$(cat "$err")"
import fcntl
import os
import termios

master, terminal = os.openpty()
pid = os.fork()
if pid == 0:
    os.setsid()
    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
    for fd in range(3):
        os.dup2(terminal, fd)
    os.execvp("wirelab", ["wirelab", "--lanes", "output", "--start", "together",
                          "--limit", "10s", "--interactive", "client",
                          "--client", "echo ready; cat", "--expect",
                          'client output "one"; client output "two"'])
os.close(terminal)

def see(word):
    seen = b""
    while word not in seen:
        seen += os.read(master, 4096)

see(b"> ready")
os.write(master, b"one\n")
see(b"> one")
os.write(master, b"\x1atwo\n")  # Ctrl-Z
see(b"> two")
os.write(master, b"\x04")  # Ctrl-D
assert os.waitpid(pid, 0)[1] == 0
END
}

@test "a program that prints without end: the limits hold, in bounded memory" {
    [[ $WIRELAB_BIN != */san-* ]] || skip "a sanitizer takes terabytes"
    exits 5 bash -c "ulimit -v 2000000
        exec wirelab --quiet --lanes output --start together --limit 2s \
            --client 'yes; true'"
    says 'not at its end'
    printf '%s\n' 'option --lanes output --start together --limit 30s' \
        'client yes; true' 'expect client exit 0' >endless.lab
    exits 7 bash -c 'ulimit -v 2000000; exec wirelab check endless.lab'
    grep -q '^# too much happens' "$out" || fail "$(tail -n 5 "$out")"
}

@test "nohup: a terminal that goes away does not end it" {
    mkfifo go
    (trap '' HUP; exec wirelab --quiet --start together --client 'read x <go' \
        --expect 'client exit 0') >"$out" 2>"$err" 3>&- &
    exec {fd}>go # opened by the client: it runs
    kill -HUP $!
    echo on >&"$fd"
    exec {fd}>&-
    wait $!
}

@test "a pager that does not read on does not stop the wire" {
    local fd
    mkfifo pager
    exec {fd}<>pager # a reader that only waits
    exits 0 bash -c "exec wirelab --json --lanes wire \
        --server 'tcp_server -n 1 -s discard server 9000' \
        --client 'head -c 100000 /dev/zero | tcp_client server 9000' \
        --expect 'no client data again' >&$fd"
    exec {fd}>&-
}

@test "a wire that was late says so" {
    # A lab that is stopped while datagrams come is late for all of them.
    wirelab --quiet --lanes wire --server 'udp_server server 9000' \
        --client 'echo >begun; until [ -e go ]; do sleep 0.05; done
            { echo one; sleep 0.1; echo two; } |
                udp_client --timeout 0 server 9000; echo >sent' \
        >"$out" 2>"$err" 3>&- &
    wait_for '' begun
    kill -STOP $!
    touch go
    wait_for '' sent || kill -KILL $!
    kill -CONT $!
    wait $!
    says '^wirelab: the wire was up to [0-9]{2,} ms late, because this machine'
    runs 0 --client true
    says nothing
}

@test "nobody reads any more: the lab ends" {
    local mark=20.$RANDOM$RANDOM
    unread 141 wirelab --record run.json --client "echo a; sleep $mark" \
        --start together
    says nothing
    gone "$mark"
    [ "$(tail -n 1 run.json | jq .partial)" = true ]
    unread 141 wirelab demo
    says nothing
    unread 141 wirelab doctor
    says nothing
    exits 1 bash -c 'wirelab >/dev/full'
    says 'No space left'
}

@test "standard descriptors that the shell closed" {
    exits 1 bash -c 'wirelab >&-'
    says '^wirelab: write stdout: Bad file descriptor$'
    exits 1 bash -c 'wirelab layers >&-'
    says '^wirelab: write stdout: Bad file descriptor$'
    exits 0 bash -c 'wirelab <&- 2>&-'
    grep -q '^11 segments' "$out"
}

@test "a recording is there as a whole, or not at all" {
    runs 0 --record run.json
    [ "$(head -n 1 run.json | jq -r .event)" = start ]
    [ "$(tail -n 1 run.json | jq -r .event)" = end ]
    jq -es 'map(select(.event == "frame")) | all(.base64 | length > 50)' \
        run.json
    exits 1 wirelab --quiet --record nosuch/run.json
    says 'nosuch/run.json: No such file'
    [ "$(echo run*)" = run.json ]
}

@test "two labs at once do not meet" {
    wirelab >one 2>&1 3>&- &
    local one=$!
    exits 0 wirelab -6
    wait "$one"
    grep -q '^11 segments' one
    grep -q '^11 segments' "$out"
}

@test "an ordinary user needs no privilege" {
    [ "$(id -u)" -eq 0 ] || skip "this is one"
    need setpriv
    local dir # the checkout may lie where only root may go
    dir=$(mktemp -d)
    chmod 755 "$dir"
    cp "$(command -v wirelab)" "$(command -v tcp_server)" \
        "$(command -v tcp_client)" "$dir"
    cd /
    exits 0 setpriv --reuid 65534 --regid 65534 --clear-groups \
        "$dir/wirelab" --server 'tcp_server -n 1 server 7' \
        --client 'id -u && tcp_client --ask hello server 7' \
        --expect 'client output "65534"; server ESTABLISHED'
    rm -r "$dir"
}

@test "a cable that is down, and up again" {
    need ip
    mkfifo down lost up sent # for each other; and for the wire, a moment
    lab 'server 2 B; client remark "cable is down"; server 3 B received
         no server 2 B received' \
        --start together --delay 1ms --lanes wire,states \
        --client 'ip link set eth0 down; : >down; : <lost
            ip link set eth0 up; : >up; : <sent' \
        --server ': <down; echo a | udp_client --timeout 0 client 9
            sleep .3; : >lost; : <up; echo up | udp_client --timeout 0 client 9; : >sent'
}

@test "--congestion: any that the kernel has, and no other" {
    runs 1 --congestion nosuch
    says 'congestion control nosuch'
    need python3
    shows '^cubic' --congestion cubic --server 'tcp_server -n 1 server 9000' \
        --client "python3 -c 'import socket as s
c = s.create_connection((\"server\", 9000))
print(c.getsockopt(s.IPPROTO_TCP, 13, 16).decode())'"
}

@test "doctor: what can be shown here" {
    exits 0 wirelab doctor
    local what
    for what in hosts names calls wire states delay; do
        grep -q "^ok  $what" "$out" || fail "$(cat "$out")"
    done
}

@test "--loopback: calls and states without namespaces" {
    # On a loopback of its own: the machine's may have thousands of connections
    # to look through, and somebody else on the port.
    unshare -rn true 2>/dev/null || skip "no namespaces here"
    need ip
    exits 0 unshare -rn sh -c 'ip link set lo up && exec wirelab "$@"' sh \
        --loopback --expect \
        'client ESTABLISHED; client FIN_WAIT_1; client TIME_WAIT
         meanwhile
         client connect = 0; client send = 6; client close = 0
         meanwhile
         no client SYN'
    grep -q 'segments are not shown' "$out"
    grep -q 'TCP_INFO: round trip' "$out"
}
