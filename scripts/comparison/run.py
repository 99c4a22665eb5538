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
    missing = []

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
        with tempfile.TemporaryFile("w+") as out:
            done = subprocess.run(
                [BIN + "/wirelab", *words], stdin=subprocess.DEVNULL,
                stdout=out, stderr=subprocess.PIPE, text=True,
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
