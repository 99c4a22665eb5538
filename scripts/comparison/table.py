# SPDX-License-Identifier: MIT
#
# The results as a table for a terminal: of each condition what came of TCP
# and of UDP, with the spread of the runs, and who did better; and what the
# experiments say, in the page's own words.
# Read next: results.py and words.py, where the figures come from.
import textwrap

from comparison import answer
from comparison.experiments import all_experiments
from comparison.measures import BY_NAME
from comparison.words import DASH, NARROW, Verdict, number

LABEL, SIDE, WIDTH = 28, 18, 79

# A terminal may have no more than ASCII.
ASCII = str.maketrans({NARROW: " ", DASH: "..", "\u2019": "'", "\u00b5": "u"})

# The measures that it shows, each in a few words.
ROWS = {
    "first": "time to first byte",
    "p50": "round trip, half within",
    "p99": "round trip, 99 % within",
    "unanswered": "without a reply",
    "goodput": "one way: goodput",
    "lost": "one way: lost",
    "wire_bytes": "wire bytes for each byte",
    "frames": "segments for each message",
    "again": "segments sent again",
    "calls": "calls for each message",
    "cpu": "CPU for each message",
}
MORE_IS_BETTER = {"goodput"}


def faults_of(condition):
    """A condition in words: "loss 5%, delay 10ms, rate 10mbit"."""
    words = [] if condition["loss_ppm"] else ["no loss"]
    for name in ("loss", "duplicate", "reorder", "corrupt", "delay", "jitter",
                 "rate"):
        if any(value for key, value in condition.items()
               if key.startswith(name + "_")):
            words.append(f"{name} {condition[name]}")
    return ", ".join(words)


def cell(spread):
    """"20.3 (20.2..20.4)": the median and the quartiles, if they differ."""
    if spread is None:
        return "-"
    middle, low, high = map(number, (spread.median, spread.low, spread.high))
    return middle if low == high else f"{middle} ({low}..{high})"


def better(verdict):
    """Who did better, and by how much; or why nobody did."""
    said = verdict.said()
    if said in ("unknown", "one"):
        return ""
    if said in ("noise", "alike"):
        return said
    more = verdict.kind.rpartition(" ")[2]  # "only UDP": TCP has none of it
    less = "UDP" if more == "TCP" else "TCP"
    who = more if verdict.measure.name in MORE_IS_BETTER else less
    return f"{who} {number(verdict.ratio())}x" if said == more else who


def row(label, tcp, udp, last=""):
    return f"  {label:<{LABEL}} {tcp:<{SIDE}} {udp:<{SIDE}} {last}".rstrip()


def measure_row(results, index, name):
    measure = BY_NAME[name]
    tcp, udp = (results.spread(measure, index, proto)
                for proto in ("tcp", "udp"))
    if tcp is None and udp is None:
        return []
    unit = measure.unit.translate(ASCII)
    label = ROWS[name] + (f", {unit}" if unit else "")
    if name == "again":
        return [row(label, cell(tcp), "never")]
    return [row(label, cell(tcp), cell(udp),
                better(Verdict(measure, tcp, udp)))]


def disorder(results, index, proto):
    """Of all runs together, each as a number; "-" if one does not know."""
    runs = results.of("stream", index, proto)
    if not runs:
        return "-"
    counts = ([run[name] for run in runs]
              for name in ("duplicated", "reordered", "corrupt"))
    return ", ".join("-" if None in c else str(sum(c)) for c in counts)


def block(results, index):
    condition = results.conditions[index]
    if not (results.of("ping", index) or results.of("stream", index)):
        return []
    faults = (faults_of(condition) if results.plan["over"] == "wirelab"
              else "over " + results.plan["over"])
    lines = ["", *paragraph(
                 f"{faults}; messages of {condition['size_bytes']} B"),
             row("", "TCP", "UDP", "better")]
    for name in ROWS:
        lines += measure_row(results, index, name)
        if name == "lost":
            lines.append(row("twice, disordered, corrupt",
                             disorder(results, index, "tcp"),
                             disorder(results, index, "udp")))
    return lines


def experiment(figure):
    """What it is, and what it says of each side."""
    lines = paragraph(f"{figure.title} {figure.shows}")
    for who, what in figure.says:
        lines += paragraph(f"{who}: {what}", "  ")
    return lines


def paragraph(sentences, indent=""):
    return textwrap.wrap(sentences.translate(ASCII), WIDTH,
                         initial_indent=indent,
                         subsequent_indent=2 * indent)


def load_words(results):
    """The highest load while it ran, and what to think of it."""
    cores = results.plan["cores"]
    busy = results.load() > cores
    return (f"load {number(results.load())} on {cores} cores"
            + (": figures are noise" if busy else ""))


def heading(results):
    plan, made = results.plan, len(results.runs)
    lines = paragraph(
        f"TCP and UDP, the same messages under the same faults: {made} runs "
        f"over {plan['over']}, Linux {plan['kernel']}, {load_words(results)}. "
        + ("A figure is the median of " f"{plan['repeat']} runs, in brackets "
           "their quartiles; \"noise\": TCP and UDP differ less than the "
           "runs do." if plan["repeat"] > 1 else
           "One run of each: nothing tells a difference from noise."))
    if made < plan["runs"]:
        lines += paragraph(f"INTERRUPTED: {made} of {plan['runs']} runs were "
                           "made.")
    for sentence in plan["missing"]:
        lines += paragraph(sentence)
    in_short = answer.headline(*answer.cases(results))
    return lines + ["", *paragraph(f"UDP is faster, isn't it? {in_short}")]


def remarks(results):
    cut = sum(run["partial"] for run in results.runs)
    if cut:
        yield f"{cut} of {len(results.runs)} runs were cut short; not counted."
    missed = sum(run["wire"]["missed"] for run in results.runs if run["wire"])
    if missed:
        yield (f"The wire itself missed {missed} frames (this machine was too "
               "busy): the counts are not its faults alone.")
    full = sum(run["kernel_drops"] or 0 for run in results.runs
               if (run["workload"], run["proto"]) == ("stream", "udp"))
    if full:
        yield (f"Of UDP's streams {full} messages were lost in the receiver's "
               "full buffer and not on the wire: its program waited too long "
               "for a processor.")


def table(results):
    lines = heading(results)
    for index in range(len(results.conditions)):
        lines += block(results, index)
    for figure in all_experiments(results):
        lines += ["", *experiment(figure)]
    for sentence in remarks(results):
        lines += ["", *paragraph(sentence)]
    lines += ["", "How to read this: docs/comparing.md"]
    return "\n".join(lines) + "\n"
