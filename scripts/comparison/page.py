# SPDX-License-Identifier: MIT
#
# The page: one file of HTML with everything in it, that needs no network and
# no script, and reads on a telephone, on a desk and on paper.
# Read next: figures.py, experiments.py and answer.py, for what it says.
import html
import shlex

from comparison import answer, measures, table, words
from comparison.figures import SIDES, Axis
from comparison.style import CSS

TITLE = "TCP and UDP under the same faults"


def text(value):
    """Everything that comes from outside goes through here."""
    return html.escape(str(value))


def element(tag, content, **attributes):
    """content is HTML. class_ is for class."""
    words_ = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{text(value)}"'
        for name, value in attributes.items()
    )
    return f"<{tag}{words_}>{content}</{tag}>"


def paragraph(content, **attributes):
    return element("p", text(content), **attributes)


def section(name, title, *parts):
    head = element("h2", text(title), id=f"{name}-title")
    return element(
        "section",
        head + "\n".join(parts),
        id=name,
        aria_labelledby=f"{name}-title",
    )


def scrolling(content, label):
    """A box of its own for what may be wider than the page."""
    return element(
        "div",
        content,
        class_="scroll",
        role="region",
        aria_label=label,
        tabindex="0",
    )


# -- the top ---------------------------------------------------------------


def header(results):
    plan = results.plan
    facts = [
        plan["began"].replace("T", " ").replace("Z", " UTC"),
        plan["machine"],
        f"{plan['cores']} cores",
        f"Linux {plan['kernel']}",
        f"over {plan['over']}",
        f"{plan['repeat']} repeats",
        f"seed {plan['seed']}",
    ]
    return element(
        "header",
        element("h1", text(TITLE)) + paragraph(
            " · ".join(str(fact).replace(" ", "\u00a0") for fact in facts),
            class_="facts",
        ),
    )


def short_answer(results):
    calm, worst = answer.cases(results)
    items = "\n".join(
        element("li", f'<a href="#{figure}">{text(what)}</a> {text(said)}')
        for figure, what, said in answer.points(results)
    )
    return section(
        "answer",
        "“UDP is faster, isn’t it?”",
        paragraph(answer.headline(calm, worst), class_="verdict"),
        element("ul", items),
        paragraph(
            "A figure is the median of the repeats; in brackets the first and "
            "the third quartile, between which half of them lie. Where these "
            "ranges overlap, the difference is called within the noise.",
            class_="fine",
        ),
    )


def notes(results, drawn):
    """What a reader must know before believing a figure."""
    plan, said = results.plan, []
    if results.load() > plan["cores"]:
        busy = table.load_words(results)
        said.append(
            f"{busy[0].upper()}{busy[1:]}, those of time most of all. Run it "
            "again when the machine has nothing else to do."
        )
    if len(results.runs) < plan["runs"]:
        said.append(
            f"Interrupted: {len(results.runs)} of {plan['runs']} runs are "
            "here. scripts/compare --resume goes on."
        )
    if results.cut_off:
        said.append("The last line of the results was cut off: left out.")
    said += table.remarks(results)
    if plan["repeat"] < 3:
        said.append("Fewer than three repeats: the spread says little.")
    if not drawn:
        said.append(
            "No plots: there was no gnuplot where this page was made. Install "
            "it and run scripts/report again. The tables have every figure."
        )
    said += plan["missing"]
    if not said:
        return ""
    items = "".join(element("li", text(line)) for line in said)
    title = element("h2", "Before you believe a figure", id="notes-title")
    return element(
        "aside",
        title + element("ul", items),
        id="notes",
        aria_labelledby="notes-title",
    )


# -- figures ---------------------------------------------------------------


def figure_section(figure, drawn):
    says = "\n".join(
        element("li", f"<b>{text(what)}:</b> {text(said)}")
        for what, said in figure.says
    )
    parts = [
        element("h3", "What these results say"),
        element("ul", says, class_="says"),
    ]
    if drawn:
        parts.insert(0, panels(figure))
    return section(figure.name, figure.title, paragraph(figure.shows), *parts)


def panels(figure):
    """Two and two where there is room; how to read them takes the last place
    if it is empty."""
    made = [
        element("figure", element("figcaption", text(p.title)) + p.svg())
        for p in figure.panels
    ]
    how = f"<b>How to read it.</b> {text(figure.how)}"
    beside = "beside" if len(made) % 2 else "below"
    made.append(element("p", how, class_=f"how {beside}"))
    return element("div", "\n".join(made), class_="panels")


def pictures(drawings):
    """The ladders: (title, what it shows, command, SVG or why there is none)"""
    if not drawings:
        return ""
    parts = [
        paragraph(
            "A typical run of each. Time goes down; each host has its own "
            "calls on the outside and its own clock; the arrows between them "
            "are the frames on the wire, and their slope is the delay. A "
            "broken arrow is a frame that was lost."
        )
    ]
    for title, command, svg, why in drawings:
        body = scrolling(svg, title) if svg else paragraph(why, class_="fine")
        code = scrolling(
            element("pre", element("code", text(command))), "its command"
        )
        parts.append(
            element(
                "figure",
                element("figcaption", text(title)) + body + code,
                class_="ladder",
            )
        )
    return section("ladders", "The same, segment by segment", *parts)


def checksums(results):
    damaged = {side: 0 for side in SIDES}
    accepted = {side: 0 for side in SIDES}
    for run in results.runs:
        wire = run["wire"] or {}
        damaged[run["proto"]] += sum(
            wire.get(f"corrupted_by_{host}", 0) for host in ("client", "server")
        )
        accepted[run["proto"]] += run.get("corrupt") or 0
    if any(damaged.values()):
        found = "; ".join(
            f"{side.upper()}: the wire flipped a bit in {damaged[side]} "
            f"frames, and {accepted[side]} messages reached a program with "
            "other content than was sent"
            for side in SIDES
        )
        found = f"In this comparison: {found}."
    else:
        found = (
            "In this comparison the wire damaged nothing; with --corrupt 1% "
            "it would flip one bit in each hundredth frame."
        )
    return section(
        "checksum",
        "What a checksum promises",
        paragraph(
            "TCP and UDP carry the same checksum of 16 bits. A single flipped "
            "bit never passes it: the kernel throws the frame away and tells "
            "nobody. To TCP that is a loss like any other, and it sends "
            "again; to UDP the message is gone. But 16 bits are few: of "
            "frames damaged at random about one in 65,536 passes, and words "
            "that change places always do. Whoever must be sure adds a sum of "
            "their own, as TLS does."
        ),
        paragraph(found),
    )


# -- tables ----------------------------------------------------------------


def cell(stat):
    if stat is None:
        return element("td", "–")
    middle = text(words.number(stat.median))
    low, high = map(words.number, (stat.low, stat.high))
    if low != high:
        middle += element("small", f"{low}–{high}")
    return element("td", middle)


def row(label, cells, last=""):
    label = element("th", text(label), scope="row")
    last = element("td", text(last), class_="word")
    return element("tr", label + "".join(cells) + last)


def measure_row(results, measure, place):
    sides = [results.spread(measure, place, side) for side in SIDES]
    if not any(sides):
        return ""
    label = measure.label + (f", {measure.unit}" if measure.unit else "")
    better = table.better(words.Verdict(measure, *sides))
    return row(label, map(cell, sides), better)


def disorder_row(results, place):
    counts = (table.disorder(results, place, side) for side in SIDES)
    cells = (element("td", text(count)) for count in counts)
    return row("twice, out of order, corrupt, in all runs", cells)


def condition_table(results, place, name):
    heads = ["", "TCP", "UDP", "better"]
    head = "".join(element("th", h, scope="col") for h in heads)
    body = []
    for title, group in (
        ("Messages there and back", measures.PING),
        ("A stream, one way", measures.STREAM),
    ):
        rows = [measure_row(results, measure, place) for measure in group]
        if group is measures.STREAM and any(rows):
            rows.append(disorder_row(results, place))
        if any(rows):
            part = element("th", title, scope="rowgroup", colspan="4")
            rows.insert(0, element("tr", part, class_="part"))
            body.append(element("tbody", "\n".join(rows)))
    return element(
        "table",
        element("caption", text(name))
        + element("thead", element("tr", head))
        + "\n".join(body),
    )


def tables(results):
    axis = Axis(results.conditions)
    made = []
    for facet, places in axis.facets:
        for place in places:
            name = axis.at([place]).removeprefix("at ")
            title = ", ".join(filter(None, (name, facet)))
            made.append(scrolling(condition_table(results, place, title), title))
    return section(
        "table",
        "Every figure",
        paragraph(
            "The median of the repeats, below it the first and the third "
            "quartile if they differ. A dash: not known, or there is no such "
            "thing. Noise: the two differ less than the runs among "
            "themselves; alike: by less than 2 %. What is only counted is "
            "better where there is less of it."
        ),
        element("div", "\n".join(made), class_="tables"),
    )


# -- again -----------------------------------------------------------------


def again(results):
    plan = results.plan
    facts = {
        "begun": plan["began"],
        "version": plan["version"],
        "machine": plan["machine"],
        "cores": plan["cores"],
        "load, at most": words.number(results.load()),
        "kernel": plan["kernel"],
        "TCP’s congestion control": congestion(results),
        "over": plan["over"],
        "seed of the first repeat; each next has one more": plan["seed"],
        "repeats": plan["repeat"],
        "messages there and back, each run": plan["count"],
        "time between two of them": f"{plan['interval_ns'] / 1e6:g} ms",
        "bytes streamed, each run": plan["stream_bytes"],
        "runs": f"{len(results.runs)} of {plan['runs']}",
    }
    rows = "\n".join(
        element("tr", element("th", text(k), scope="row") + element("td", text(v)))
        for k, v in facts.items()
    )
    command = element("pre", element("code", text(shlex.join(plan["args"]))))
    return section(
        "again",
        "Run it again",
        paragraph("From the root of the source, once it is built:"),
        scrolling(command, "the command"),
        scrolling(element("table", rows, class_="facts"), "what was run"),
        element("h3", "The conditions"),
        scrolling(conditions(results), "the conditions"),
        element("h3", "Each run by itself"),
        paragraph(
            "The command of the first repeat of each; the others differ by "
            "their seed. results.ndjson has them all."
        ),
        scrolling(commands(results), "the commands"),
    )


def congestion(results):
    names = {run.get("congestion") for run in results.runs} - {None}
    return ", ".join(sorted(names)) or "not known"


def conditions(results):
    names = "loss delay jitter duplicate reorder corrupt rate".split()
    head = "".join(element("th", n, scope="col") for n in [*names, "size"])
    rows = "\n".join(
        element(
            "tr",
            "".join(
                element("td", text(value))
                for value in [
                    *(condition[n] for n in names),
                    f"{condition['size_bytes']} B",
                ]
            ),
        )
        for condition in results.conditions
    )
    return element(
        "table", element("thead", element("tr", head)) + element("tbody", rows)
    )


def commands(results):
    seen, lines = set(), []
    for run in results.runs:
        kind = run["workload"], run["condition"], run["proto"]
        kind += (run.get("against"),)
        if kind not in seen:
            seen.add(kind)
            lines.append(text(run["command"]))
    return element("pre", element("code", "\n".join(lines)))


# -- all of it -------------------------------------------------------------


def contents(entries):
    items = "".join(
        element("li", element("a", text(title), href=f"#{name}"))
        for name, title in entries
    )
    return element("nav", element("ul", items), aria_label="On this page")


def page(results, figures, drawings, drawn):
    entries = [("answer", "The short answer")]
    entries += [(figure.name, figure.title) for figure in figures]
    entries += [("ladders", "Segment by segment")] if drawings else []
    entries += [
        ("checksum", "Checksums"),
        ("table", "Every figure"),
        ("again", "Run it again"),
    ]
    main = [
        short_answer(results),
        notes(results, drawn),
        contents(entries),
        *(figure_section(figure, drawn) for figure in figures),
        pictures(drawings),
        checksums(results),
        tables(results),
        again(results),
    ]
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{text(TITLE)}</title>
<style>
{CSS}</style>
</head>
<body>
{header(results)}
<main>
{chr(10).join(main)}
</main>
</body>
</html>
"""
