# SPDX-License-Identifier: MIT
#
# The figures of the report: what each shows, its panels, how to read it, and
# what these results say, in words that are drawn from them.
# Read next: experiments.py for those that have a link of their own.
from comparison import measures, plots, words

SIDES = ("tcp", "udp")

# What may be varied, and how it is called under an axis.
PARAMETERS = {
    "loss": "frames that the wire loses",
    "delay": "delay, each way",
    "jitter": "jitter",
    "duplicate": "frames that the wire doubles",
    "reorder": "frames that the wire lets overtake",
    "corrupt": "frames in which the wire flips a bit",
    "rate": "rate of the wire",
    "size_bytes": "size of a message",
}


class Figure:
    """A part of the page. panels: plots; says: sentences."""

    def __init__(self, name, title, shows, how, panels, says):
        self.name, self.title, self.shows, self.how = name, title, shows, how
        self.panels, self.says = panels, says


def value_of(condition, name):
    if name == "size_bytes":
        return words.with_unit(str(condition[name]), "B")
    text = condition[name]
    digits = text.rstrip("abcdefghijklmnopqrstuvwxyzBKMGT%")
    return words.with_unit(digits, text[len(digits) :])


class Axis:
    """One parameter along x, and a facet for each combination of the others
    that vary: facets is a list of (name, [place of a condition])."""

    def __init__(self, conditions):
        varied = [
            name
            for name in PARAMETERS
            if len({condition[name] for condition in conditions}) > 1
        ]
        self.parameter = varied[0] if varied else "loss"
        self.label = PARAMETERS[self.parameter]
        facets = {}
        for place, condition in enumerate(conditions):
            others = [
                value_of(condition, name)
                if name == "size_bytes"
                else f"{name} {value_of(condition, name)}"
                for name in varied[1:]
            ]
            facets.setdefault(", ".join(others), []).append(place)
        self.facets = list(facets.items())
        self.conditions = conditions

    def names(self, places):
        return [value_of(self.conditions[p], self.parameter) for p in places]

    def at(self, places, among=()):
        """The same in a sentence: at loss 1 % and 5 %."""
        word = "size" if self.parameter == "size_bytes" else self.parameter
        if len(places) > 1 and len(places) == len(among):
            return f"at every {word} tried"
        return f"at {word} {words.listed(self.names(places))}"


def spreads(results, measure, places):
    return {
        side.upper(): [results.spread(measure, p, side) for p in places]
        for side in SIDES
    }


def top_of(results, axis, measure):
    """One scale for all panels of a measure, so that they can be compared."""
    known = [
        stat.high
        for _, places in axis.facets
        for stats in spreads(results, measure, places).values()
        for stat in stats
        if stat
    ]
    return max(known, default=0) * 1.1 or 1


def heading(measure, facet):
    label = measure.label[0].upper() + measure.label[1:]
    return f"{label}; {facet}" if facet else label


def panel_of(results, axis, measure, facet, number):
    name, places = facet
    title = heading(measure, name)
    panel = plots.Panel(
        f"{measure.name}-{number}", title, axis.label, measure.axis
    )
    stats = spreads(results, measure, places)
    sides = dict(stats)
    if measure.name == "lost":  # beside it, what the wire did
        lost = measures.BY_NAME["wire_lost"]
        sides["wire"] = [results.spread(lost, p, "udp") for p in places]
    plots.by_category(
        panel, axis.names(places), sides, top_of(results, axis, measure)
    )
    panel.about = f"{title}. " + aloud(axis, measure, places, stats)
    return panel


def aloud(axis, measure, places, stats):
    """The plot for those who do not see it."""
    sentences = []
    for side, row in stats.items():
        found = [
            f"{axis.at([place])} {words.span(stat, measure.unit)}"
            for place, stat in zip(places, row)
            if stat
        ]
        sentences.append(f"{side}: {', '.join(found) or 'not known'}.")
    return " ".join(sentences)


def verdict(results, measure, place):
    sides = (results.spread(measure, place, side) for side in SIDES)
    return words.Verdict(measure, *sides)


def sentence_of(results, axis, measure):
    """Facet by facet."""
    parts = []
    for name, places in axis.facets:
        found = [verdict(results, measure, place) for place in places]
        text = words.by_condition(axis, places, found)
        parts.append(f"{name}: {text}." if name else f"{text}.")
    return " ".join(parts)


def compared(results, name, title, shows, how, names):
    """A figure of these measures, TCP beside UDP, over all conditions."""
    axis = Axis(results.conditions)
    chosen = [measures.BY_NAME[n] for n in names]
    if not any(known(results, measure) for measure in chosen):
        return None
    panels = [
        panel_of(results, axis, measure, facet, number)
        for measure in chosen
        for number, facet in enumerate(axis.facets)
    ]
    says = [
        (heading(measure, ""), sentence_of(results, axis, measure))
        for measure in chosen
    ]
    return Figure(name, title, shows, how, panels, says)


def known(results, measure):
    return any(
        results.spread(measure, place, side)
        for place in range(len(results.conditions))
        for side in SIDES
    )


QUARTILES = (
    "A mark is the median of the repeats, the bar goes from the first to the "
    "third quartile: half of the repeats lie on it. Where two bars share a "
    "height, the difference is within the noise."
)

COMPARED = [
    (
        "first-reply",
        "When does the first reply come?",
        "From the first step to connect until the first reply is here. TCP "
        "shakes hands before it may send: one round trip more.",
        QUARTILES,
        ["first"],
    ),
    (
        "round-trip",
        "How long does a message take, there and back?",
        "The usual round trip (p50: half are faster) and the slow ones (p99: "
        "one in a hundred is slower). Only replies that came are counted: "
        "what UDP loses is in no percentile, what TCP sends again is.",
        QUARTILES,
        ["p50", "p99"],
    ),
    (
        "goodput",
        "How much gets through?",
        "Goodput: what the receiving program got, a second. TCP sends as "
        "fast as it thinks fit; UDP was sent at the pace of the link, "
        "whatever was lost.",
        QUARTILES,
        ["goodput"],
    ),
    (
        "delivered",
        "What arrives, and what is lost?",
        "The share of the messages of a stream that never reached the "
        "program; and the share of UDP\u2019s frames that the wire lost.",
        QUARTILES + " UDP should lie on the dots: what the wire lost, and no "
        "more.",
        ["lost"],
    ),
    (
        "wire-bytes",
        "What does a byte cost on the wire?",
        "All bytes of all frames in both directions (headers, "
        "acknowledgements, what was sent again) for each byte that the "
        "program got.",
        QUARTILES + " 1 would be a wire without headers.",
        ["wire_bytes"],
    ),
    (
        "cost",
        "What does a message cost the computers?",
        "System calls and CPU time of both programs in a stream, for each "
        "message.",
        QUARTILES + " TCP may send and fetch many small messages with one "
        "call; over UDP each datagram is one, unless it is batched.",
        ["calls", "cpu"],
    ),
]


def all_compared(results):
    made = (compared(results, *row) for row in COMPARED)
    return [figure for figure in made if figure]
