# SPDX-License-Identifier: MIT
#
# What the runs say together: the median of each figure and its quartiles, and
# whether TCP and UDP differ by more than the runs do among themselves. Both
# the table and the page take their figures from here.
# Read next: table.py.
import json
import os


class Results:
    """What a directory of compare holds: the plan, the runs and the pictures,
    as dicts."""

    def __init__(self):
        self.plan, self.runs, self.pictures = None, [], []

    @classmethod
    def read(cls, directory):
        results = cls()
        with open(os.path.join(directory, "results.ndjson")) as lines:
            for line in lines:
                if line.endswith("\n"):  # else it was cut off
                    results.add(json.loads(line))
        return results

    def add(self, event):
        if event["event"] == "plan":
            self.plan = event
        elif event["event"] == "run":
            self.runs.append(event)
        elif event["event"] == "picture":
            self.pictures.append(event)

    def of(self, workload, condition=None, proto=None, against=None):
        """The runs of a kind that were not cut short, by repeat."""
        return sorted((r for r in self.runs if r["workload"] == workload
                       and r["condition"] == condition
                       and proto in (None, r["proto"])
                       and against in (None, r.get("against"))
                       and not r["partial"]), key=lambda r: r["repeat"])

    def values(self, metric, condition, proto):
        """A metric of all runs of a condition: those that have it."""
        found = map(metric.of, self.of(metric.workload, condition, proto))
        return [value for value in found if value is not None]

    def spread(self, metric, condition, proto):
        values = self.values(metric, condition, proto)
        return Spread(values) if values else None


def quantile(ordered, share):
    """Between the two values that it falls between (R's type 7)."""
    at = share * (len(ordered) - 1)
    below = int(at)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (at - below)


class Spread:
    """The median of some values and their quartiles; of one or two values
    the least and the most, because two have no quartiles."""

    def __init__(self, values):
        ordered = sorted(values)
        self.count = len(ordered)
        self.median = quantile(ordered, 0.5)
        few = self.count < 3
        self.low = ordered[0] if few else quantile(ordered, 0.25)
        self.high = ordered[-1] if few else quantile(ordered, 0.75)

    def overlaps(self, other):
        return self.low <= other.high and other.low <= self.high


ALIKE = 1.02  # less than this is no difference that anybody would notice


def verdict(metric, tcp, udp):
    """(who, factor): who is "tcp" or "udp", the better one, and by how much;
    "noise": the spreads overlap; "alike": the difference is below 2 %;
    "unknown": a side is not known, or has one run alone."""
    if metric.better is None or tcp is None or udp is None:
        return "unknown", None
    low, high = sorted((tcp.median, udp.median))
    if high == low or (low > 0 and high / low < ALIKE):
        return "alike", None
    if min(tcp.count, udp.count) < 2:
        return "unknown", None
    if tcp.overlaps(udp):
        return "noise", None
    less = "tcp" if tcp.median < udp.median else "udp"
    more = "udp" if less == "tcp" else "tcp"
    return (less if metric.better == "less" else more,
            high / low if low > 0 else None)


class Metric:
    """A figure of a run: its name, its words, its unit, and which is better,
    "less" or "more"; None: it is told, and not judged."""

    def __init__(self, name, workload, label, unit, better, of):
        self.name, self.workload, self.label = name, workload, label
        self.unit, self.better, self.of = unit, better, of


def ratio(above, below):
    """Above by below; None if one is not known or the run has no such."""
    if above is None or not below:
        return None
    return above / below


def both(run, name):
    """A figure of client and server together."""
    sides = [run.get(name + "_by_client"), run.get(name + "_by_server")]
    return None if None in sides else sum(sides)


def wire(run, name):
    return None if run["wire"] is None else both(run["wire"], name)


def field(name):
    return lambda run: run.get(name)


METRICS = (
    Metric("first_byte", "ping", "time to first byte", "ns", "less",
           field("first_byte_ns")),
    Metric("rtt_p50", "ping", "round trip, half within", "ns", "less",
           field("rtt_p50_ns")),
    Metric("rtt_p99", "ping", "round trip, 99 % within", "ns", "less",
           field("rtt_p99_ns")),
    Metric("answered", "ping", "messages answered", "share", "more",
           lambda r: ratio(r["delivered"], r["sent"])),
    Metric("goodput", "stream", "one way: goodput", "bps", "more",
           field("goodput_bps")),
    Metric("delivered", "stream", "one way: delivered", "share", "more",
           lambda r: ratio(r["delivered"], r["sent"])),
    Metric("wire_bytes", "stream", "wire bytes for each byte", "number",
           "less", lambda r: ratio(wire(r, "bytes"), r["delivered_bytes"])),
    Metric("segments", "stream", "segments for each message", "number",
           "less", lambda r: ratio(wire(r, "frames"), r["delivered"])),
    Metric("retransmits", "stream", "segments sent again", "count", None,
           field("retransmits")),
    Metric("syscalls", "stream", "calls for each message", "number", "less",
           lambda r: ratio(both(r, "syscalls"), r["delivered"])),
    Metric("cpu", "stream", "CPU for each message", "ns", "less",
           lambda r: ratio(both(r, "cpu_ns"), r["delivered"])),
)


def total(runs, name):
    """A count of all runs, added up; None if one does not know it."""
    values = [run.get(name) for run in runs]
    return None if None in values or not values else sum(values)


def digits(value):
    """Three that count."""
    if value >= 100 or value == 0:
        return f"{value:.0f}"
    return f"{value:.2f}" if value < 10 else f"{value:.1f}"


def scale(unit, largest):
    """What to divide a value of the unit by, and the name that it has then,
    so that several values beside each other have the same."""
    steps = {"ns": ((1e9, "s"), (1e6, "ms"), (1e3, "us"), (1, "ns")),
             "bps": ((1e9, "Gbit/s"), (1e6, "Mbit/s"), (1e3, "kbit/s"),
                     (1, "bit/s")),
             "share": ((0.01, "%"),), "count": ((1, ""),)}.get(unit, ((1, ""),))
    for size, name in steps:
        if largest >= size:
            return size, name
    return steps[-1]


def text(unit, value):
    size, name = scale(unit, value)
    return (digits(value / size) + " " + name).rstrip()


def faults_of(condition):
    """A condition in words: "loss 5%, delay 10ms, rate 10mbit"."""
    words = []
    for name in ("loss", "duplicate", "reorder", "corrupt", "delay", "jitter",
                 "rate"):
        numbers = [v for k, v in condition.items()
                   if k.startswith(name + "_")]
        if any(numbers):
            words.append(f"{name} {condition[name]}")
    if not condition["loss_ppm"]:
        words.insert(0, "no loss")
    return ", ".join(words)


def load_words(hundredths, cores):
    """The load, and what to think of it."""
    load = f"load {hundredths / 100:.1f} on {cores} cores"
    busy = hundredths / 100 > cores
    return load + (": figures are noise" if busy else "")
