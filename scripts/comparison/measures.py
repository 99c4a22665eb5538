# SPDX-License-Identifier: MIT
#
# What is compared: each figure as a name, a unit, and how it is had from a
# run. The table and the plots both read this list.
# Read next: docs/measuring.md, which says what the fields of a run are.
from comparison import words

MS, US = 1_000_000, 1_000


class Measure:
    """axis: what stands beside a plot, if it is not the unit."""

    def __init__(self, name, workload, label, unit, phrase, of, axis=""):
        self.name, self.workload = name, workload
        self.label, self.unit, self.phrase = label, unit, phrase
        self.compute, self.axis = of, axis or unit

    def of(self, run):
        """The figure of one run, or None where it is not known."""
        try:
            return self.compute(run)
        except (TypeError, ZeroDivisionError):  # null, or of no message
            return None


def per(field, count, scale=1):
    return lambda run: run[field] / scale / run[count]


def percent(field):
    return lambda run: 100 * run[field] / run["sent"]


def plain(field, scale=1):
    return lambda run: run[field] / scale


def both(field, run):
    return run[field + "_by_client"] + run[field + "_by_server"]


def both_per(field, scale=1):
    return lambda run: both(field, run) / scale / run["sent"]


def wire_per(field, unit):
    return lambda run: both(field, run["wire"]) / run[unit]


def wire_lost(run):
    wire = run["wire"]
    return 100 * wire["lost_by_client"] / wire["frames_by_client"]


PING = [
    Measure("first", "ping", "time to the first reply, with the handshake",
            "ms", words.LONGER, plain("first_byte_ns", MS)),
    Measure("p50", "ping", "usual round trip (median, p50)", "ms",
            words.LONGER, plain("rtt_p50_ns", MS)),
    Measure("p99", "ping", "slow round trip (p99)", "ms", words.LONGER,
            plain("rtt_p99_ns", MS)),
    Measure("unanswered", "ping", "messages without a reply", "%",
            words.HAVE, percent("lost")),
    Measure("ping_again", "ping", "segments sent again", "", words.HAVE,
            plain("retransmits")),
    Measure("ping_calls", "ping", "client\u2019s system calls for a message",
            "", words.MANY, per("syscalls_by_client", "sent")),
    Measure("ping_cpu", "ping", "client\u2019s CPU time for a message",
            "\u00b5s", words.MORE, per("cpu_ns_by_client", "sent", US)),
]

STREAM = [
    Measure("goodput", "stream", "goodput", "Mbit/s", words.FASTER,
            plain("goodput_bps", 1e6)),
    Measure("sent", "stream", "messages sent", "", words.HAVE, plain("sent")),
    Measure("delivered", "stream", "messages delivered", "", words.HAVE,
            plain("delivered")),
    Measure("lost", "stream", "messages lost", "%", words.LOSE,
            percent("lost"), "% lost"),
    Measure("wire_lost", "stream", "client\u2019s frames that the wire lost",
            "%", words.LOSE, wire_lost),
    Measure("wire_bytes", "stream", "bytes on the wire for a byte delivered",
            "", words.MANY, wire_per("bytes", "delivered_bytes"), "bytes"),
    Measure("frames", "stream", "frames on the wire for a message delivered",
            "", words.MANY, wire_per("frames", "delivered"), "frames"),
    Measure("again", "stream", "segments sent again", "", words.HAVE,
            plain("retransmits")),
    Measure("calls", "stream", "system calls for a message", "", words.MANY,
            both_per("syscalls"), "calls"),
    Measure("cpu", "stream", "CPU time for a message", "\u00b5s", words.MORE,
            both_per("cpu_ns", US)),
]

ALL = PING + STREAM
BY_NAME = {measure.name: measure for measure in ALL}
