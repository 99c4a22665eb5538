# SPDX-License-Identifier: MIT
#
# What scripts/compare found, read from results.ndjson: the plan, its runs, and
# the runs that belong together as one figure with its spread.
# Read next: docs/schema.json (plan, run, picture), then figures.py.
import json
import statistics

SCHEMA = 1


class Unusable(Exception):
    """The file is no results that can be read; what to do about it."""


class Spread:
    """The values of the repeats: their median, and half of them around it."""

    def __init__(self, values):
        self.values = sorted(values)
        self.median = statistics.median(self.values)
        self.low = self.high = self.median
        if len(self.values) > 1:
            quarters = statistics.quantiles(self.values, method="inclusive")
            self.low, self.high = quarters[0], quarters[2]

    def overlaps(self, other):
        return self.low <= other.high and other.low <= self.high


def spread(values):
    """Of those that are known; None if none is."""
    known = [value for value in values if value is not None]
    return Spread(known) if known else None


class Results:
    def __init__(self, plan, runs, pictures, cut_off):
        self.plan, self.runs, self.pictures = plan, runs, pictures
        self.cut_off = cut_off  # the last line is only half there
        self.conditions = plan["conditions"]

    def of(self, workload, condition=None, proto=None):
        """The whole runs of that kind, in the order of their repeats."""
        return [
            run
            for run in self.runs
            if run["workload"] == workload
            and run["condition"] == condition
            and proto in (None, run["proto"])
            and not run["partial"]
        ]

    def spread(self, measure, condition, proto):
        runs = self.of(measure.workload, condition, proto)
        return spread([measure.of(run) for run in runs])

    def load(self):
        """The highest load average of all, as a number."""
        loads = [run["load_hundredths"] for run in self.runs]
        return max([self.plan["load_hundredths"], *loads]) / 100


def read(path, begun=False):
    """The results in a file; begun: a plan without a run is enough."""
    try:
        with open(path, encoding="utf-8") as file:
            lines = file.read().split("\n")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "not text"
        raise Unusable(
            f"{path}: {why}; scripts/compare --out DIR writes it"
        ) from error
    events, cut_off = [], False
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        event = parse(line)
        if event is None and number == len(lines):
            cut_off = True  # whoever wrote it was interrupted
        elif event is None:
            raise Unusable(f"{path}:{number}: not an event of scripts/compare")
        else:
            check(path, number, event)
            events.append(event)
    return sort(path, events, cut_off, begun)


def parse(line):
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) and "event" in event else None


def check(path, number, event):
    schema = event.get("schema")
    if isinstance(schema, int) and schema > SCHEMA:
        raise Unusable(
            f"{path}:{number}: schema {schema}, and this report knows "
            f"{SCHEMA}: use the report of the version that wrote it"
        )
    if schema != SCHEMA:
        raise Unusable(f"{path}:{number}: not an event of scripts/compare")


def sort(path, events, cut_off, begun):
    kinds = {"plan": [], "run": [], "picture": []}
    for event in events:
        kinds.setdefault(event["event"], []).append(event)
    if not events:
        raise Unusable(f"{path}: empty; scripts/compare --out DIR fills it")
    if not kinds["plan"]:
        raise Unusable(f"{path}: has no plan: not from scripts/compare")
    if not kinds["run"] and not begun:
        raise Unusable(
            f"{path}: no run has ended yet; scripts/compare --resume goes on"
        )
    return Results(kinds["plan"][0], kinds["run"], kinds["picture"], cut_off)
