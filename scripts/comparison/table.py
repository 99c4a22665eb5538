# SPDX-License-Identifier: MIT
#
# The results as a table for a terminal: of each condition what came of TCP
# and of UDP, with the spread of the runs, and who did better; and the three
# experiments, a sentence or two each.
# Read next: results.py and words.py, where the figures come from.
import textwrap

from comparison.measures import BY_NAME
from comparison.words import Verdict

LABEL, SIDE, WIDTH = 28, 18, 79

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
ALIKE = 1.02  # nobody notices less


def number(value):
    """In few columns: 0, 0.09, 20.4, 231."""
    if value == int(value):
        return str(int(value))
    return f"{value:.{0 if value >= 100 else 1 if value >= 10 else 2}f}"


def text(value, unit):
    """A figure in a sentence: nanoseconds or bits a second, at a size that
    can be read."""
    steps = {"ns": ((1e9, "s"), (1e6, "ms"), (1, "ns")),
             "bps": ((1e6, "Mbit/s"), (1e3, "kbit/s"), (1, "bit/s"))}[unit]
    size, name = next((s for s in steps if value >= s[0]), steps[-1])
    return f"{number(value / size)} {name}"


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
    if verdict.kind in ("unknown", "one"):
        return ""
    if verdict.kind in ("noise", "same"):
        return {"noise": "noise", "same": "alike"}[verdict.kind]
    more = verdict.kind.rpartition(" ")[2]  # "only UDP": TCP has none of it
    less = "UDP" if more == "TCP" else "TCP"
    who = more if verdict.measure.name in MORE_IS_BETTER else less
    if verdict.kind != more:
        return who
    ratio = verdict.ratio()
    return "alike" if ratio < ALIKE else f"{who} {number(ratio)}x"


def row(label, tcp, udp, last=""):
    return f"  {label:<{LABEL}} {tcp:<{SIDE}} {udp:<{SIDE}} {last}".rstrip()


def measure_row(results, index, name):
    measure = BY_NAME[name]
    tcp, udp = (results.spread(measure, index, proto)
                for proto in ("tcp", "udp"))
    if tcp is None and udp is None:
        return []
    unit = measure.unit.replace("\u00b5", "u")
    label = ROWS[name] + (f", {unit}" if unit else "")
    if name == "again":
        return [row(label, cell(tcp), "never")]
    return [row(label, cell(tcp), cell(udp),
                better(Verdict(measure, tcp, udp)))]


def disorder(results, index, proto):
    """Of all runs together, each as a number; "-" if one does not know."""
    runs = results.of("stream", index, proto)
    counts = ([run[name] for run in runs]
              for name in ("duplicated", "reordered", "corrupt"))
    return ", ".join("-" if None in c else str(sum(c)) for c in counts)


def block(results, index):
    condition = results.conditions[index]
    if not (results.of("ping", index) or results.of("stream", index)):
        return []
    faults = (faults_of(condition) if results.plan["over"] == "wirelab"
              else "over " + results.plan["over"])
    lines = ["", f"{faults}; messages of {condition['size_bytes']} B",
             row("", "TCP", "UDP", "better")]
    for name in ROWS:
        lines += measure_row(results, index, name)
        if name == "lost":
            lines.append(row("twice, disordered, corrupt",
                             disorder(results, index, "tcp"),
                             disorder(results, index, "udp")))
    return lines


def late(run):
    """(number of messages, longest wait): those that came after a later one
    could have, all but the lost one itself."""
    waits = {n: arrived - sent for n, (sent, arrived) in
             enumerate(zip(run["sent_ns"], run["arrived_ns"]))
             if arrived is not None}
    usual = sorted(waits.values())[len(waits) // 2] if waits else 0
    behind = {n: w for n, w in waits.items() if n != run["lost_message"]
              and w > usual + run["interval_ns"] / 2}
    return behind, waits, usual


def blocking(results):
    for run in results.of("blocking", None, "tcp"):
        behind, waits, usual = late(run)
        lost = run["lost_message"]
        own = waits.get(lost)
        yield (f"One message of {len(run['sent_ns'])}, number {lost}, is lost "
               "on its way. TCP sends it again: "
               + (f"it arrives after {text(own, 'ns')} instead of "
                  f"{text(usual, 'ns')}, " if own else "")
               + f"and {len(behind)} behind it, which had come, wait for it "
               "(head-of-line blocking).")
    for run in results.of("blocking", None, "udp"):
        missing = run["arrived_ns"].count(None)
        behind, _, _ = late(run)
        yield (f"Over UDP {missing} never arrives, and "
               + (f"{len(behind)} of the others wait." if behind
                  else "nothing waits for it."))


def slow_reader(results):
    for run in results.of("slow-reader"):
        proto = run["proto"].upper()
        if run["sent"] is None:
            continue
        reads = text(run["read_rate_bytes"] * 8, "bps")
        if run["proto"] == "tcp":
            yield (f"A server that reads {reads}: {proto} makes the sender "
                   f"wait, {text(run['elapsed_ns'], 'ns')} in all, and "
                   f"{run['lost']} of {run['sent']} messages are lost (flow "
                   "control).")
        else:
            yield (f"{proto} does not: {run['lost']} of {run['sent']} are "
                   "lost, "
                   f"{run['kernel_drops']} of them in the full buffer of the "
                   "receiver.")


def bottleneck(results):
    for run in results.of("bottleneck"):
        one, other = run["flows"]
        rates = [text(flow["goodput_bps"], "bps")
                 for flow in (one, other)]
        yield (f"Two flows on {text(run['rate_bps'], 'bps')}, "
               f"{one['proto'].upper()} and {other['proto'].upper()}: "
               f"{rates[0]} and {rates[1]}.")


def paragraph(sentences):
    return textwrap.wrap(sentences, WIDTH)


def load_words(results):
    """The highest load while it ran, and what to think of it."""
    cores = results.plan["cores"]
    busy = results.load() > cores
    return (f"load {results.load():.1f} on {cores} cores"
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
    return lines


def remarks(results):
    cut = sum(run["partial"] for run in results.runs)
    if cut:
        yield f"{cut} of {len(results.runs)} runs were cut short; not counted."
    missed = sum(run["wire"]["missed"] for run in results.runs if run["wire"])
    if missed:
        yield (f"The wire itself missed {missed} frames (this machine was too "
               "busy): the counts are not its faults alone.")


def table(results):
    lines = heading(results)
    for index in range(len(results.conditions)):
        lines += block(results, index)
    for part in (blocking, slow_reader, bottleneck, remarks):
        sentences = " ".join(part(results))
        if sentences:
            lines += ["", *paragraph(sentences)]
    return "\n".join(lines) + "\n"
