# SPDX-License-Identifier: MIT
#
# The figures of the experiments that have a link of their own: one message is
# lost and others wait for it; two flows share a narrow link; a server reads
# slowly. Each draws one typical run, and says what came of all its repeats.
# Read next: page.py.
from comparison import plots, words
from comparison.figures import SIDES, Figure
from comparison.results import spread

MS, S = 1_000_000, 1_000_000_000
FIRST, SECOND = "TCP", "UDP"  # two lines, whatever they are


def typical(runs, figure):
    """The run whose figure is the middle one."""
    known = [run for run in runs if figure(run) is not None]
    return sorted(known, key=figure)[(len(known) - 1) // 2] if known else None


def blocking(results):
    """One message is lost: what of those behind it?"""
    all_runs = {side: results.of("blocking", None, side) for side in SIDES}
    drawn = {
        side: typical(runs, last_arrival) for side, runs in all_runs.items()
    }
    drawn = {side: run for side, run in drawn.items() if run}
    if not drawn:
        return None
    run = next(iter(drawn.values()))
    lost = run["lost_message"] + 1
    panel = plots.Panel(
        "blocking",
        "When each message reaches the program",
        "number of the message",
        "ms after the first one left",
    )
    plots.points(panel, {
        side.upper(): [
            (i, t / MS) for i, t in enumerate(run["arrived_ns"], 1) if t
        ]
        for side, run in drawn.items()
    })
    panel.mark_x(lost, f"{lost} is lost")
    says = [
        (side.upper(), blocked(runs)) for side, runs in all_runs.items() if runs
    ]
    panel.about += ". " + " ".join(f"{who}: {what}" for who, what in says)
    return Figure(
        "blocking",
        "One message is lost: who waits for it?",
        f"Both send a message each {run['interval_ns'] / MS:g} ms, and the "
        f"wire loses number {lost} once.",
        "A mark is the moment at which the server’s recv had that message. "
        "UDP’s marks lie on one slope, with a gap: the others do not know of "
        "the lost one. TCP delivers in order, so what came behind the lost "
        "message waits in the kernel until it has been sent again: the step "
        "is called head-of-line blocking.",
        [panel],
        says,
    )


def last_arrival(run):
    return max((t for t in run["arrived_ns"] if t), default=None)


def late(run):
    """How long each message took, by its number; the usual time; and the
    numbers of those that should have come before the lost one, sent again,
    and came only with it."""
    waits = {
        n: arrived - sent
        for n, (sent, arrived) in enumerate(
            zip(run["sent_ns"], run["arrived_ns"])
        )
        if arrived is not None
    }
    usual = sorted(waits.values())[len(waits) // 2] if waits else 0
    lost = run["lost_message"]
    if lost not in waits:
        return waits, usual, []
    came = run["arrived_ns"][lost]
    behind = [
        n
        for n in range(lost + 1, len(run["sent_ns"]))
        if run["sent_ns"][n] + usual < came <= (run["arrived_ns"][n] or 0)
    ]
    return waits, usual, behind


def blocked(runs):
    """What the loss of one message did to it, and to the others."""
    found = [late(run) for run in runs]
    places = [run["lost_message"] for run in runs]
    own = spread([waits.get(n) for n, (waits, _, _) in zip(places, found)])
    usual = words.duration(spread([usual for _, usual, _ in found]))
    held = spread([len(behind) for _, _, behind in found])
    waiting = "nothing waits for it"
    if held.high:
        waiting = f"{words.span(held)} behind it wait for it"
    if not own:
        return f"It never arrives; {waiting}. The others take {usual}."
    return (
        f"It arrives {words.duration(own)} after it was sent, since TCP "
        f"sends it again; {waiting}. The others take {usual}."
    )


def slow_reader(results):
    panels, windows, says = [], [], []
    for side in SIDES:
        runs = results.of("slow-reader", None, side)
        run = typical(runs, lambda run: run["elapsed_ns"])
        if not run:
            continue
        rate = words.number(8 * run["read_rate_bytes"] / 1e6)
        panels.append(flow_panel(run))
        says.append((side.upper(), slowed(runs)))
        panels[-1].about += f": {says[-1][1]}"
        if run["window"]:
            windows.append(window_panel(run))
    if not panels:
        return None
    return Figure(
        "slow-reader",
        "The server reads slowly: who is told?",
        f"The server’s program reads {rate} Mbit/s, and the client "
        "could send much faster.",
        "What has arrived and is not read yet lies in the receiver’s buffer. "
        "Where sending runs parallel to reading, the sender has been slowed "
        "down: TCP’s window tells it how much more may come. Where it runs "
        "away from it, what does not fit the buffer is "
        "thrown away: UDP tells nobody.",
        panels + windows,
        says,
    )


def running(run, field):
    step = run["interval_ns"] / S
    return [(0, 0)] + [
        (i * step, value / 1000) for i, value in enumerate(run[field], 1)
    ]


def flow_panel(run):
    who = run["proto"].upper()
    panel = plots.Panel(
        f"slow-{run['proto']}",
        f"Bytes on their way to a slow reader, {who}",
        "seconds",
        "kB so far",
    )
    left = running(run, "left_bytes")
    reached = running(run, "reached_bytes")
    total = max(left[-1][1], 1)
    rate = run["read_rate_bytes"] / 1000
    stop = (run["delivered"] or 0) * run["size_bytes"] / 1000 / rate
    end = max(left[-1][0], run["elapsed_ns"] / S, stop)
    panel.set(f"xrange [0:{end:.6g}]", f"yrange [0:{total * 1.1:.6g}]")
    panel.add(left, "1:2", f"lines {plots.line(FIRST)}", "sent")
    panel.add(reached, "1:2", f"lines {plots.line(SECOND)}", "arrived")
    read = [(0, 0), (stop, stop * rate)]
    panel.add(read, "1:2", f"lines {plots.line('wire')}", "read")
    return panel


def window_panel(run):
    panel = plots.Panel(
        "window", "The window that the TCP server offers", "seconds", "kB"
    )
    rows = [(t / S, size / 1000) for t, size in run["window"]]
    panel.set("xrange [0:*]", "yrange [0:*]", "offsets 0,0,graph 0.1,0")
    panel.add(rows, "1:2", f"steps {plots.line(FIRST)}", "window")
    sizes = [size for _, size in run["window"]]
    panel.about += (
        f". It begins at {sizes[0]} bytes, and is {min(sizes)} at its smallest."
    )
    return panel


def slowed(runs):
    sent, got, lost, drops, took = (
        spread([run[name] for run in runs])
        for name in ("sent", "delivered", "lost", "kernel_drops", "elapsed_ns")
    )
    if not sent or not got:
        return "The server\u2019s count did not come."
    text = f"Of {words.span(sent)} messages {words.span(got)} are delivered"
    text += f" and {words.span(lost)} lost" if lost and lost.high else ""
    if drops and drops.high:
        text += f", {words.span(drops)} of them in the receiver\u2019s full buffer"
    text += f"; it takes {words.duration(took)}." if took else "."
    smallest = spread(
        [min((w for _, w in run["window"] or []), default=None) for run in runs]
    )
    if smallest:
        text += f" The window falls to {words.span(smallest)} bytes."
    return text


def bottleneck(results):
    runs = results.of("bottleneck")
    pairs = {}
    for run in runs:
        pairs.setdefault((run["proto"], run["against"]), []).append(run)
    if not pairs:
        return None
    panels = [flows_panel(pair, runs) for pair, runs in pairs.items()]
    says = [(title_of(pair), shared(runs)) for pair, runs in pairs.items()]
    for panel, (_, text) in zip(panels, says):
        panel.about += f": {text}"
    rate = words.number(runs[0]["rate_bps"] / 1e6)
    return Figure(
        "bottleneck",
        "Two flows, one narrow link: who gets what?",
        f"Two streams begin together on a link of {rate} Mbit/s that lets "
        f"{runs[0]['queue']} frames wait and throws the rest away.",
        "Each line is what one flow gets through, in steps of "
        f"{runs[0]['interval_ns'] / MS:g} ms. TCP takes a loss as "
        "a sign to go slower, so two of them come to share; UDP sends on at "
        "its pace, and whoever goes slower makes room for it.",
        panels,
        says,
    )


def title_of(pair):
    first, second = (side.upper() for side in pair)
    return f"{first} beside {second}"


def share_of_first(run):
    first, second = (flow["goodput_bps"] for flow in run["flows"])
    return first / (first + second) if first + second else None


def flows_panel(pair, runs):
    run = typical(runs, share_of_first) or runs[0]
    step = run["interval_ns"] / S
    panel = plots.Panel(
        f"flows-{pair[0]}-{pair[1]}", title_of(pair), "seconds", "Mbit/s"
    )
    end, most = run["duration_ns"] / S, run["rate_bps"] * 1.15e-6
    panel.set(f"xrange [0:{end:.6g}]", f"yrange [0:{most:.6g}]")
    names = [side.upper() for side in pair]
    if names[0] == names[1]:
        names = [f"{names[0]}, first", f"{names[1]}, second"]
    for flow, name, look in zip(run["flows"], names, (FIRST, SECOND)):
        rows = [
            ((i + 0.5) * step, size * 8 / step / 1e6)
            for i, size in enumerate(flow["reached_bytes"])
        ]
        panel.add(rows, "1:2", f"lines {plots.line(look)}", name)
    return panel


def shared(runs):
    first, second = (
        spread([run["flows"][i]["goodput_bps"] for run in runs])
        for i in (0, 1)
    )
    text = f"{words.rate(first)} and {words.rate(second)}"
    part = spread([share_of_first(run) for run in runs])
    if part:
        share = 100 * part.median
        text += f": {words.rough(share)} % and {words.rough(100 - share)} %"
    if len(runs) < 2:
        return f"{text} (one run: the noise is not known)."
    if first.overlaps(second):
        return f"{text}; the difference is within the noise."
    return f"{text}."


def all_experiments(results):
    made = (f(results) for f in (blocking, bottleneck, slow_reader))
    return [figure for figure in made if figure]
