# SPDX-License-Identifier: MIT
#
# Figures in words: how a number is written, and what may be said of two
# spreads. A difference counts only where the middle halves of the repeats,
# from quartile to quartile, do not overlap; else it is within the noise.
# Read next: figures.py, which asks for these sentences.

NARROW = "\u202f"  # a space that does not break
DASH = "\u2013"

ALIKE = 1.02  # nobody notices less
NEAR = 1.5  # ratios that are told as a range, not each by itself

# Of the larger figure: as a ratio, as percent, if the other is 0.
LONGER = (
    "takes {} times as long as",
    "takes {} % longer than",
    "only {} takes any time",
)
FASTER = (
    "delivers {} times as fast as",
    "delivers {} % faster than",
    "only {} delivers any",
)
MORE = "needs {} times as much as", "needs {} % more than", "only {} needs any"
MANY = "needs {} times as many as", "needs {} % more than", "only {} needs any"
HAVE = "has {} times as many as", "has {} % more than", "only {} has any"
LOSE = "loses {} times as many as", "loses {} % more than", "only {} loses any"


def number(value):
    """Three digits at most, in few columns: 0, 0.09, 20.4, 231, 9480."""
    if value == int(value):
        return str(int(value))
    return f"{value:.{0 if value >= 100 else 1 if value >= 10 else 2}f}"


def rough(value):
    """How much more, for a sentence: 0.8, 2.5, 97."""
    return f"{value:.{0 if value >= 9.95 else 1}f}"


def with_unit(text, unit):
    return f"{text}{NARROW}{unit}" if unit else text


def scaled(stat, steps):
    """A spread in the first of the units (size, name) that fits."""
    size, name = next((s for s in steps if stat.median >= s[0]), steps[-1])
    middle, low, high = (
        number(value / size) for value in (stat.median, stat.low, stat.high)
    )
    if low != high:
        middle = f"{middle} ({low}{DASH}{high})"
    return with_unit(middle, name)


def duration(stat):
    """A spread of nanoseconds."""
    return scaled(stat, ((1e9, "s"), (1e6, "ms"), (1e3, "\u00b5s")))


def rate(stat):
    """A spread of bits a second."""
    return scaled(stat, ((1e6, "Mbit/s"), (1e3, "kbit/s"), (1, "bit/s")))


def span(stat, unit=""):
    """20.4 (20.3–20.6) ms"""
    return scaled(stat, ((1, unit),))


def listed(items):
    """one, two and three"""
    items = list(items)
    return " and ".join(filter(None, [", ".join(items[:-1]), *items[-1:]]))


class Verdict:
    """TCP beside UDP in one figure under one condition. kind: noise, same,
    one (a single run each, so the noise is not known), unknown, or who has
    more: TCP, UDP, or if the other has none: only TCP, only UDP."""

    def __init__(self, measure, tcp, udp):
        self.measure, self.tcp, self.udp = measure, tcp, udp
        self.more, self.less = tcp, udp
        self.kind = self.judge()

    def judge(self):
        tcp, udp = self.tcp, self.udp
        if not tcp or not udp:
            return "unknown"
        if tcp.values[0] == udp.values[-1] and udp.values[0] == tcp.values[-1]:
            return "same"
        if min(len(tcp.values), len(udp.values)) < 2:
            return "one"
        if tcp.overlaps(udp):
            return "noise"
        if udp.median > tcp.median:
            self.more, self.less = udp, tcp
        who = "TCP" if self.more is tcp else "UDP"
        return who if self.less.median > 0 else f"only {who}"

    def said(self):
        """The kind, or alike if nobody notices the difference."""
        if self.kind in ("TCP", "UDP") and self.ratio() < ALIKE:
            return "alike"
        return "alike" if self.kind == "same" else self.kind

    def like(self, other):
        """Both can be told together: the same side, and about as much."""
        if self.said() != other.said():
            return False
        if self.kind not in ("TCP", "UDP") or self.said() == "alike":
            return True
        return 1 / NEAR < self.ratio() / other.ratio() < NEAR

    def ratio(self):
        """Of the larger median to the smaller, which is not 0."""
        return self.more.median / self.less.median

    def both(self):
        """TCP 20.4, UDP 20.3 ms"""
        pair = f"TCP {number(self.tcp.median)}, UDP {number(self.udp.median)}"
        return with_unit(pair, self.measure.unit)

    def text(self):
        return together([self])


def together(verdicts):
    """Verdicts that say the same of one measure, as one clause."""
    first = verdicts[0]
    kind = first.said()
    if kind == "unknown":
        return "not known of both"
    alone = f" ({first.both()})" if len(verdicts) == 1 else ""
    if kind == "noise":
        return f"within the noise{alone}"
    if kind == "one":
        pairs = "; ".join(verdict.both() for verdict in verdicts)
        return f"{pairs} (one run each: the noise is not known)"
    if kind == "alike":
        return f"alike{alone}"
    return excess(verdicts) + alone


def excess(verdicts):
    """Who has more, and by how much: UDP takes 8 to 12 % longer than TCP."""
    first = verdicts[0]
    ratio, percent, only = first.measure.phrase
    if first.kind.startswith("only"):
        return only.format(first.kind[5:])
    ratios = sorted(verdict.ratio() for verdict in verdicts)
    phrase, ends = ratio, map(rough, (ratios[0], ratios[-1]))
    if ratios[0] < 1.5:
        phrase = percent
        ends = (rough((r - 1) * 100) for r in (ratios[0], ratios[-1]))
    other = "UDP" if first.kind == "TCP" else "TCP"
    amount = " to ".join(dict.fromkeys(ends))
    return f"{first.kind} {phrase.format(amount)} {other}"


def by_condition(axis, places, verdicts):
    """What is found under each condition, as one sentence; conditions that
    say the same are named together."""
    groups = []
    for place, found in zip(places, verdicts):
        group = next((g for g in groups if found.like(g[0][1])), None)
        if group:
            group.append((place, found))
        else:
            groups.append([(place, found)])
    clauses = [
        f"{axis.at([place for place, _ in group], places)} "
        + together([found for _, found in group])
        for group in groups
    ]
    return "; ".join(clauses)
