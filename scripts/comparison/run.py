# SPDX-License-Identifier: MIT
#
# One run: two programs, and what is between them, the lab's wire, this
# machine's loopback or the network to another host. Its outcome is what the
# client said, and where there is a wire each frame and what became of it.
# Read next: workload.py.
import json
import os
import shlex
import subprocess
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
BIN = os.environ.get("WIRELAB_BIN", os.path.join(ROOT, "build/bin"))
LIMIT_S = 120  # nothing here takes longer


class CannotRun(Exception):
    """No run of this kind is possible here."""


class Outcome:
    """What came of a run. frames, calls: events of the lab, or None."""

    def __init__(self, command, status, took_ns, said, complaint):
        self.command, self.status, self.took_ns = command, status, took_ns
        self.said, self.complaint = said, complaint
        self.frames = self.calls = self.lab_end = None

    def ends(self):
        """The `end` event of each client."""
        return [e for e in self.said if e["event"] == "end"]

    def end(self):
        ends = self.ends()
        return ends[0] if ends else {}

    def replies(self):
        return [e for e in self.said if e["event"] == "reply"]


def events_of(lines):
    """The JSON among the lines; an interrupted program may cut one off."""
    for line in lines:
        if line.startswith("{"):
            try:
                yield json.loads(line)
            except ValueError:
                pass


class Lab:
    """Two hosts and a wire, by wirelab."""
    name = "wirelab"
    has_wire = True
    missing = []
    pictures = ("tcp", "udp")

    def why_not(self):
        """None, or why there can be no hosts here."""
        tried = subprocess.run(
            [BIN + "/wirelab", "--quiet", "demo", "udp"], encoding="utf-8",
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, timeout=LIMIT_S)
        return tried.stderr.strip() if tried.returncode == 77 else None

    def run(self, server, client, link, lanes="wire"):
        """A server and a client, and the link between them."""
        return self.together([(server, client)], link, lanes)

    def together(self, pairs, link, lanes="wire"):
        """Several servers, each on a port, and their clients."""
        words = ["--json", "--lanes", lanes, *link]
        for option, side in (("--server", 0), ("--client", 1)):
            for port, pair in enumerate(pairs, 9000):
                words += [option,
                          shlex.join([*pair[side], "server", str(port)])]
        return self.wirelab(words)

    def wirelab(self, words):
        began = time.monotonic_ns()
        with tempfile.TemporaryFile("w+", encoding="utf-8") as out:
            done = subprocess.run(
                [BIN + "/wirelab", *words], stdin=subprocess.DEVNULL,
                stdout=out, stderr=subprocess.PIPE, encoding="utf-8",
                timeout=LIMIT_S)
            took_ns = time.monotonic_ns() - began
            out.seek(0)
            events = list(events_of(out))
        return self.outcome(shlex.join(["build/bin/wirelab", *words]),
                            done, took_ns, events)

    @staticmethod
    def outcome(command, done, took_ns, events):
        if done.returncode == 77:
            raise CannotRun(done.stderr.strip())
        kinds = {"frame": [], "call": [], "output": [], "end": []}
        for event in events:
            kinds.setdefault(event["event"], []).append(event)
        said = [{**event, "pid": e["pid"]} for e in kinds["output"]
                if e["host"] == "client" and e["stream"] == "stdout"
                for event in events_of([e["text"]])]
        complaint = [e["text"] for e in kinds["output"]
                     if e["stream"] == "stderr"]
        result = Outcome(command, done.returncode, took_ns, said,
                         done.stderr.strip() or "; ".join(complaint))
        result.frames, result.calls = kinds["frame"], kinds["call"]
        result.lab_end = kinds["end"][-1] if kinds["end"] else {}
        return result


class Plain:
    """A server and a client without a wire between them that could be asked;
    the faults are those that are there."""
    has_wire = False
    pictures = ()

    def run(self, server, client, link, lanes=None):
        """LINK and LANES are the lab's: there is nothing to set here."""
        process, address, port = self.start(server)
        began = time.monotonic_ns()
        words = [*client, address, port]
        try:
            done = subprocess.run(
                [os.path.join(BIN, words[0]), *words[1:]], encoding="utf-8",
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, timeout=LIMIT_S)
        finally:
            self.end(process)
        shown = shlex.join(["build/bin/" + words[0], *words[1:]])
        return Outcome(f"{self.shown(server)} & {shown}", done.returncode,
                       time.monotonic_ns() - began,
                       list(events_of(done.stdout.splitlines())),
                       done.stderr.strip())

    @staticmethod
    def ready(process):
        """The address and the port of the ready line."""
        line = process.stdout.readline().split()
        if len(line) != 3 or line[0] != "listening":
            raise CannotRun("the server does not start: "
                            + " ".join(line + [process.stderr.read().strip()]))
        address, _, port = line[2].rpartition(":")
        return address.strip("[]"), port


class Loopback(Plain):
    """Both on this machine."""
    name = "loopback"
    missing = [
        "Over loopback nothing is lost, late or damaged: faults need the lab, "
        "so what TCP does about them is not seen.",
        "A round trip is the machine's own cost, and both are sent at the pace "
        "of --rate.",
        "Segments and bytes on the wire are not counted, and nothing is "
        "drawn."]

    def start(self, server):
        process = subprocess.Popen(
            [os.path.join(BIN, server[0]), *server[1:], "127.0.0.1", "0"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, encoding="utf-8")
        try:
            return (process, *self.ready(process))
        except BaseException:  # Stopped, too: nobody else knows of it yet
            self.end(process)
            raise

    @staticmethod
    def shown(server):
        return shlex.join(["build/bin/" + server[0], *server[1:],
                           "127.0.0.1", "0"])

    @staticmethod
    def end(process):
        process.terminate()
        process.communicate()


class Remote(Plain):
    """The server on another host, by ssh, which asks no question; the programs
    are in its PATH. It ends there when its input ends, so that nothing is left
    behind when the connection breaks."""
    missing = [
        "The faults are those of the real network between the two hosts; both "
        "are sent at the pace of --rate.",
        "Segments and bytes on the wire are not counted, and nothing is "
        "drawn."]

    def __init__(self, host):
        self.name = host

    def why_not(self):
        """None, or why no server can be started there."""
        tried = subprocess.run(
            ["ssh", "-o", "BatchMode=yes", "--", self.name,
             "command -v tcp_server && command -v udp_server"],
            encoding="utf-8", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, timeout=LIMIT_S)
        if tried.returncode == 255:  # ssh itself
            return f"ssh {self.name}: {tried.stderr.strip()}"
        if tried.returncode != 0:
            return (f"{self.name}: no tcp_server and udp_server in the PATH "
                    "that ssh has there; `make install` them")
        return None

    def script(self, server):
        return ('echo "at $SSH_CONNECTION"; '
                + shlex.join([*server, "0.0.0.0", "0"])
                + " & cat >/dev/null; kill $!; wait $!")

    def start(self, server):
        process = subprocess.Popen(
            ["ssh", "-o", "BatchMode=yes", "--", self.name,
             self.script(server)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, encoding="utf-8")
        at = process.stdout.readline().split()
        if at[:1] != ["at"]:
            raise CannotRun(f"ssh {self.name}: "
                            + process.communicate()[1].strip())
        _, port = self.ready(process)
        # The third word is the address of the server's end of the connection.
        address = at[3] if len(at) == 5 else self.name.rpartition("@")[2]
        return process, address, port

    def shown(self, server):
        return shlex.join(["ssh", self.name,
                           shlex.join([*server, "0.0.0.0", "0"])])

    @staticmethod
    def end(process):
        process.communicate()  # closes its input
