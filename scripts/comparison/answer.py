# SPDX-License-Identifier: MIT
#
# The short answer to "UDP is faster, isn't it?", drawn from the results: the
# calmest condition that was tried, and the worst.
# Read next: words.py, which says when a difference counts.
from comparison.figures import Axis, verdict
from comparison.measures import BY_NAME
from comparison.words import excess, listed, number, span, with_unit

SMALL = 1.1  # a difference below this is no answer


class Case:
    """One condition: its name in a sentence, and what was found under it."""

    def __init__(self, results, axis, place):
        self.results, self.place = results, place
        self.at = axis.at([place])

    def __getitem__(self, name):
        """The verdict on a measure."""
        return verdict(self.results, BY_NAME[name], self.place)


def cases(results):
    """The calmest condition and the worst, of the smallest messages."""
    axis = Axis(results.conditions)
    places = axis.facets[0][1]
    if axis.parameter == "loss":
        places = sorted(
            places, key=lambda p: results.conditions[p]["loss_ppm"]
        )
    return Case(results, axis, places[0]), Case(results, axis, places[-1])


def headline(calm, worst):
    trip, slow = calm["p50"], worst["p99"]
    if trip.kind == "unknown":
        return "These results do not say: a side is missing."
    if trip.kind == "one":
        return "One run of each is a first look, and no answer."
    if not close(trip):
        short = "No" if trip.kind == "UDP" else "Here it is"
        return f"{short}: {', and '.join([excess([trip]), *gone(calm)])}."
    if worst["unanswered"].kind == "only UDP":
        dear = [] if slow.kind == "unknown" or close(slow) else [
            f"{excess([slow])} for the slowest messages"]
        return (
            "No. UDP does not wait: what it loses stays lost, and what TCP "
            f"loses comes later. {worst.at[0].upper()}{worst.at[1:]}: "
            f"{', and '.join([*dear, *gone(worst)])}."
        )
    return "No: a message takes as long over either."


def gone(case):
    """What never came back meanwhile, if anything did not."""
    lost = case["unanswered"]
    sides = ("TCP", lost.tcp), ("UDP", lost.udp)
    shares = [
        f"{with_unit(number(side.median), '%')} of {who}\u2019s messages"
        for who, side in sides
        if side and side.median
    ]
    return [f"{listed(shares)} never return"] if shares else []


def close(found):
    """No difference to speak of."""
    return found.kind in ("noise", "same") or found.ratio() < SMALL


def points(results):
    """(figure, what, sentence): the figure is where it can be seen."""
    calm, worst = cases(results)
    size = results.conditions[calm.place]["size_bytes"]
    small = f", messages of {with_unit(str(size), 'B')}"
    yield from point(calm, "p50", "round-trip", "Round trip", small)
    yield from point(calm, "first", "first-reply", "First reply")
    if worst.place != calm.place:
        yield from point(worst, "p99", "round-trip", "Slow round trips", small)
        yield from losses(worst)
        yield from point(worst, "goodput", "goodput", "Goodput of a stream")
    yield from point(calm, "wire_bytes", "wire-bytes", "Bytes on the wire")


def point(case, measure, figure, what, more=""):
    found = case[measure]
    if found.kind != "unknown":
        yield figure, what, f"{case.at}{more}: {found.text()}."


def losses(case):
    lost = case["lost"]
    if lost.kind == "unknown":
        return
    text = f"{case.at} TCP lost {span(lost.tcp, '%')} of its messages, "
    text += f"UDP {span(lost.udp, '%')}"
    wire = case["wire_lost"].udp
    if wire:
        text += f"; of UDP\u2019s frames the wire lost {span(wire, '%')}"
    yield "delivered", "Loss", f"{text}."
