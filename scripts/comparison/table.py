# SPDX-License-Identifier: MIT
#
# The results as a table for a terminal: of each condition what came of TCP
# and of UDP, with the spread of the runs, and who did better; and the three
# experiments, a sentence or two each.
# Read next: stats.py.
import textwrap

from comparison import stats

LABEL, SIDE, WIDTH = 28, 18, 79


def cell(spread, size):
    """"20.3 (20.2..20.4)": the median and its spread, if there is one."""
    if spread is None:
        return "-"
    middle, low, high = (stats.digits(value / size) for value in
                         (spread.median, spread.low, spread.high))
    return middle if low == high else f"{middle} ({low}..{high})"


def judged(metric, tcp, udp):
    who, factor = stats.verdict(metric, tcp, udp)
    if who in ("tcp", "udp"):
        by = f", {stats.digits(factor)}x" if factor else ""
        return who.upper() + by
    return {"noise": "noise", "alike": "alike"}.get(who, "")


def row(label, tcp, udp, last=""):
    return f"  {label:<{LABEL}} {tcp:<{SIDE}} {udp:<{SIDE}} {last}".rstrip()


def disorder(results, condition, proto):
    runs = results.of("stream", condition, proto)
    counts = [stats.total(runs, name) for name in
              ("duplicated", "reordered", "corrupt")]
    return ", ".join("-" if n is None else str(n) for n in counts)


def metric_row(results, metric, condition):
    tcp, udp = (results.spread(metric, condition, proto)
                for proto in ("tcp", "udp"))
    if tcp is None and udp is None:
        return []
    size, unit = stats.scale(metric.unit, max(
        side.median for side in (tcp, udp) if side))
    cells = [cell(side, size) for side in (tcp, udp)]
    if metric.name == "retransmits":
        cells[1] = "never"
    label = metric.label + (", " + unit if unit else "")
    return [row(label, *cells, judged(metric, tcp, udp))]


def block(results, index):
    condition = results.plan["conditions"][index]
    if not (results.of("ping", index) or results.of("stream", index)):
        return []
    faults = (stats.faults_of(condition) if results.plan["over"] == "wirelab"
              else "over " + results.plan["over"])
    lines = ["", f"{faults}; messages of {condition['size_bytes']} B",
             row("", "TCP", "UDP", "better")]
    for metric in stats.METRICS:
        lines += metric_row(results, metric, index)
        if metric.name == "delivered":
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
    for run in results.of("blocking", proto="tcp"):
        behind, waits, usual = late(run)
        lost = run["lost_message"]
        own = waits.get(lost)
        yield (f"One message of {len(run['sent_ns'])}, number {lost}, is lost "
               "on its way. TCP sends it again: "
               + (f"it arrives after {stats.text('ns', own)} instead of "
                  f"{stats.text('ns', usual)}, " if own else "")
               + f"and {len(behind)} behind it, which had come, wait for it "
               "(head-of-line blocking).")
    for run in results.of("blocking", proto="udp"):
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
        reads = stats.text("bps", run["read_rate_bytes"] * 8)
        if run["proto"] == "tcp":
            yield (f"A server that reads {reads}: {proto} makes the sender "
                   f"wait, {stats.text('ns', run['elapsed_ns'])} in all, and "
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
        rates = [stats.text("bps", flow["goodput_bps"])
                 for flow in (one, other)]
        yield (f"Two flows on {stats.text('bps', run['rate_bps'])}, "
               f"{one['proto'].upper()} and {other['proto'].upper()}: "
               f"{rates[0]} and {rates[1]}.")


def paragraph(text):
    return textwrap.wrap(text, WIDTH)


def heading(results):
    plan = results.plan
    runs = plan["repeat"]
    loads = [run["load_hundredths"] for run in results.runs]
    load = max(loads + [plan["load_hundredths"]])
    spread = ("their quartiles" if runs > 2 else "the least and the most")
    text = (f"TCP and UDP, the same messages through the same wire: "
            f"{len(results.runs)} runs, over {plan['over']}, Linux "
            f"{plan['kernel']}, {stats.load_words(load, plan['cores'])}. ")
    if runs > 1:
        text += (f"A figure is the median of {runs} runs (in brackets "
                 f"{spread}); \"noise\": the two differ less than the runs "
                 "among themselves.")
    else:
        text += "One run of each: nothing tells a difference from noise."
    lines = paragraph(text)
    if len(results.runs) < plan["runs"]:
        lines += paragraph(f"INTERRUPTED: {len(results.runs)} of "
                           f"{plan['runs']} runs were made.")
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
    for index in range(len(results.plan["conditions"])):
        lines += block(results, index)
    for part in (blocking, slow_reader, bottleneck, remarks):
        sentences = " ".join(part(results))
        if sentences:
            lines += ["", *paragraph(sentences)]
    return "\n".join(lines) + "\n"
