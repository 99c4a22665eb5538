# SPDX-License-Identifier: MIT
#
# What is asked for, made exact: the conditions, the runs in their order, the
# machine. A run has its place in the order whatever becomes of the others, so
# that an interrupted comparison can go on.
# Read next: workload.py.
import itertools
import os
import platform
import re
import subprocess
import time

from comparison import run, workload

UNITS = {
    "percent": {"": 10_000, "%": 10_000},  # in parts per million
    "duration": {"": 10**9, "ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9,
                 "m": 60 * 10**9},
    "rate": {"": 1, "bit": 1, "kbit": 10**3, "mbit": 10**6, "gbit": 10**9},
    "size": {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "Ki": 1 << 10,
             "Mi": 1 << 20, "Gi": 1 << 30},
}
# Option: kind, least, most, example, suffix of its number.
LINK = {
    "loss": ("percent", 0, 10**6, "5%", "_ppm"),
    "delay": ("duration", 0, 10**9, "10ms", "_ns"),
    "jitter": ("duration", 0, 10**9, "2ms", "_ns"),
    "duplicate": ("percent", 0, 10**6, "1%", "_ppm"),
    "reorder": ("percent", 0, 10**6, "1%", "_ppm"),
    "corrupt": ("percent", 0, 10**6, "1%", "_ppm"),
    "rate": ("rate", 8000, 10**10, "10mbit", "_bps"),
}
# A message has a header of 36 bytes; a datagram above 1472 would be cut into
# fragments, and "lost" would mean another thing.
SIZE = ("size", 36, 1472, "1400", "_bytes")
# What one run may take, and send: the lab ends after 60 s, and its log of all
# frames must fit the memory.
LONGEST_S, MOST = 30, 100_000


class Impossible(ValueError):
    """A value that cannot be; says which, and what can."""


def number(option, text, kind, least, most, example):
    """The value of an option as an integer of its smallest unit."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([A-Za-z%]*)", text)
    unit = UNITS[kind].get(match[2]) if match else None
    if unit is None:
        raise Impossible(f"--{option} '{text}': not a {kind} such as {example}")
    value = round(float(match[1]) * unit)
    if not least <= value <= most:
        limits = {"percent": "0 to 100 %",
                  "duration": f"0 to {most // 10**9} s",
                  "rate": "8kbit to 10gbit",
                  "size": f"{least} to {most} bytes"}[kind]
        raise Impossible(f"--{option} '{text}': must be {limits}")
    return value


def values(option, text, kind, least, most, example, suffix):
    """A list A,B,C as pairs of text and number, none twice."""
    pairs = [(word, number(option, word, kind, least, most, example))
             for word in text.split(",")]
    if len({value for _, value in pairs}) < len(pairs):
        raise Impossible(f"--{option} '{text}': the same value twice")
    return [{option: word, option + suffix: value} for word, value in pairs]


def conditions(options):
    """Each value of each list with each of the others."""
    lists = [values(name, options[name], *rule) for name, rule in LINK.items()]
    lists.append([{"size_bytes": pair["size_bytes"]} for pair in
                  values("size", options["size"], *SIZE)])
    return [{k: v for part in parts for k, v in part.items()}
            for parts in itertools.product(*lists)]


def processor():
    try:
        with open("/proc/cpuinfo") as f:
            names = [line.partition(":")[2].strip() for line in f
                     if line.startswith("model name")]
    except OSError:
        names = []
    return " ".join([platform.machine()] + names[:1])


def load_hundredths():
    return round(os.getloadavg()[0] * 100)


def whole(option, text, least, most):
    if not text.isdecimal() or not least <= int(text) <= most:
        raise Impossible(
            f"--{option} '{text}': must be a number from {least} to {most}")
    return int(text)


def make(options, quick):
    """The plan line: every parameter, the machine, and how to do it again."""
    plan = {
        "event": "plan", "program": "compare", "version": version(),
        "args": ["scripts/compare"] + (["--quick"] if quick else [])
        + [f"--{name}={value}" for name, value in options.items()],
        "kernel": os.uname().release, "machine": processor(),
        "cores": os.cpu_count(), "load_hundredths": load_hundredths(),
        "began": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "over": options["over"],
        "seed": whole("seed", options["seed"], 0, 2**32),
        "repeat": whole("repeat", options["repeat"], 1, 1000),
        "count": whole("count", options["count"], 1, MOST),
        "interval_ns": number("interval", options["interval"], "duration", 0,
                              10 * 10**9, "5ms"),
        "stream_bytes": number("bytes", options["bytes"], "size", 1, 10**9,
                               "200K"),
        "conditions": conditions(options),
        "experiments": ["blocking"] if quick else
        ["blocking", "slow-reader", "bottleneck"],
        "missing": [],
    }
    plan["runs"] = len(jobs(plan))
    check_length(plan, options)
    return plan


def check_length(plan, options):
    """Each value may be possible, and all together not."""
    asked = {"ping": ("count", "interval"), "stream": ("bytes", "rate")}
    for condition, (kind, names) in itertools.product(
            plan["conditions"], asked.items()):
        words = " with ".join(f"--{name} {options[name]}" for name in names)
        takes_s = workload.busy_s(plan, kind, condition)
        if takes_s > LONGEST_S:
            raise Impossible(f"{words}: a run would take {takes_s:.0f} s; "
                             f"must be at most {LONGEST_S} s")
        if plan["stream_bytes"] > MOST * condition["size_bytes"]:
            raise Impossible(
                f"--bytes {options['bytes']} in messages of "
                f"{condition['size_bytes']} bytes: must be at most {MOST}")


def settle(plan, place):
    """What the place cannot do is taken from the plan, and said."""
    plan["over"], plan["missing"] = place.name, place.missing
    if place.has_wire:
        return
    plan["experiments"] = []
    none = {"loss": "0", "delay": "0", "jitter": "0", "duplicate": "0",
            "reorder": "0", "corrupt": "0"}
    plan["conditions"] = [
        {**condition, **none, **{name + LINK[name][-1]: 0 for name in none}}
        for condition in plan["conditions"]]
    unique = {}
    for condition in plan["conditions"]:
        unique.setdefault((condition["size_bytes"], condition["rate_bps"]),
                          condition)
    plan["conditions"] = list(unique.values())
    plan["runs"] = len(jobs(plan))


def version():
    said = subprocess.run([run.BIN + "/wirelab", "--version"], encoding="utf-8",
                          check=True, stdout=subprocess.PIPE).stdout
    return said.splitlines()[0].split()[-1]


# Nothing in it is drawn by chance, and it comes out the same each time.
ONCE = ("slow-reader",)


def jobs(plan):
    """(workload, condition, proto, against, repeat): each run, in order. Who
    comes first changes from repeat to repeat."""
    result = []
    for repeat in range(1, plan["repeat"] + 1):
        sides = ("tcp", "udp") if repeat % 2 else ("udp", "tcp")
        for condition in range(len(plan["conditions"])):
            for kind in ("ping", "stream"):
                result += [(kind, condition, proto, None, repeat)
                           for proto in sides]
        for kind in plan["experiments"]:
            if kind in ONCE and repeat > 1:
                continue
            if kind == "bottleneck":
                result += [(kind, None, "tcp", other, repeat)
                           for other in sides]
            else:
                result += [(kind, None, proto, None, repeat)
                           for proto in sides]
    return result
