# SPDX-License-Identifier: MIT
#
# What is run: each workload as the commands of a server and a client, and
# what their outcome says, in the fields of docs/schema.json. A figure comes
# from who knows it: counts from the programs, segments and bytes from the
# wire, when a message arrived from the server's own recv.
# Read next: run.py.
import os

MS = 1_000_000
HEADERS = 42  # of a datagram: Ethernet 14, IP 20, UDP 8


def link_options(condition, seed):
    """wirelab's options for a condition; what is 0 is left out."""
    words = ["--delay", condition["delay"], "--seed", str(seed)]
    for name in ("jitter", "loss", "duplicate", "reorder", "corrupt", "rate"):
        numbers = [v for k, v in condition.items()
                   if k.startswith(name + "_")]
        if any(numbers):
            words += ["--" + name, condition[name]]
    return words


def wire_account(outcome):
    """Adds up the frames; None where nobody has seen them."""
    if outcome.frames is None:
        return None
    names = ("frames", "bytes", "lost", "duplicated", "corrupted", "again")
    account = {f"{name}_by_{host}": 0
               for name in names for host in ("client", "server")}
    for frame in outcome.frames:
        if frame["phase"] != "sent":
            continue
        by = "_by_" + frame["from"]
        account["frames" + by] += 1
        account["bytes" + by] += frame["frame_bytes"]
        if frame["fate"] != "delivered":
            account[frame["fate"] + by] += 1
        if "again" in frame:
            account["again" + by] += 1
    account["missed"] = sum(v for k, v in outcome.lab_end.items()
                            if k.startswith(("dropped_", "refused_")))
    return account


def port_of(endpoint):
    return int(endpoint.rpartition(":")[2]) if endpoint else 0


def round_trip_ns(condition):
    return 2 * (condition["delay_ns"] + condition["jitter_ns"])


def echo_server(proto):
    """Neither side may wait for more to send (Nagle): that would be measured,
    and not the wire."""
    return [proto + "_server", "--quiet"] + (
        ["--nodelay"] if proto == "tcp" else [])


def ping(place, proto, plan, condition, seed):
    """Messages there and back, each at its time."""
    patience_ns = 200 * MS + 4 * round_trip_ns(condition)
    client = [proto + "_client", "--json", "--ping",
              "-n", str(plan["count"]), "-i", f"{plan['interval_ns']}ns",
              "-l", str(condition["size_bytes"])]
    if proto == "tcp":  # slow is not lost: TCP still tries
        client += ["--nodelay", "--connect-timeout", "20s",
                   "--timeout", "30s"]
    else:
        client += ["--timeout", f"{patience_ns // MS}ms"]
    outcome = place.run(echo_server(proto), client,
                        link_options(condition, seed))
    end = outcome.end()
    wire = wire_account(outcome)
    step_ns = plan["interval_ns"] or patience_ns
    replies = [r["number"] * step_ns + r["rtt_ns"] for r in outcome.replies()]
    first_ns = min(replies) + (end.get("connect_ns") or 0) if replies else None
    fields = {name: end.get(name) for name in (
        "sent", "lost", "duplicated", "reordered", "late", "connect_ns",
        "rtt_min_ns", "rtt_mean_ns", "rtt_p50_ns", "rtt_p90_ns", "rtt_p99_ns",
        "rtt_max_ns", "syscalls_by_client", "cpu_ns_by_client")}
    again = wire["again_by_client"] + wire["again_by_server"] if wire else None
    return outcome, {
        "delivered": end.get("received"), "first_byte_ns": first_ns, **fields,
        "rtt_buckets": end.get("rtt_buckets", []),
        "retransmits": again if proto == "tcp" else None, "wire": wire}


STREAM = ("sent", "delivered", "lost", "duplicated", "reordered", "corrupt",
          "sent_bytes", "delivered_bytes", "connect_ns", "elapsed_ns",
          "goodput_bps", "syscalls_by_client", "syscalls_by_server",
          "cpu_ns_by_client", "cpu_ns_by_server", "retransmits",
          "kernel_drops")


def sink_server(proto):
    """It counts. What comes while it waits for a processor must find room:
    not the machine is to lose datagrams but the wire."""
    return [proto + "_server", "--quiet", "-s", "sink"] + (
        ["--rcvbuf", "4Mi"] if proto == "udp" else [])


def pace_of(rate_bps, size_bytes):
    """What a sender may send, so that with its headers it fits the rate."""
    return f"{rate_bps * size_bytes // (size_bytes + HEADERS)}bit"


def stream(place, proto, plan, condition, seed):
    """One way: UDP at the pace of the link, TCP as fast as it dares; where
    there is no link to hold it back, at the same pace."""
    size = condition["size_bytes"]
    client = [proto + "_client", "--json", "--stream", "--verify",
              "--bytes", str(plan["stream_bytes"]), "-l", str(size)]
    if proto == "udp" or not place.has_wire:
        client += ["--rate", pace_of(condition["rate_bps"], size)]
    if proto == "tcp":
        client += ["--connect-timeout", "20s", "--timeout", "30s"]
    # A sender that was held up hurries after: the queue has room for that.
    outcome = place.run(sink_server(proto), client,
                        [*link_options(condition, seed),
                         "--queue", "client:10000"])
    end = outcome.end()
    fields = {name: end.get(name) for name in STREAM}
    if end.get("congestion"):
        fields["congestion"] = end["congestion"]
    return outcome, {**fields, "wire": wire_account(outcome)}


# Head-of-line blocking: so many messages, and this one is lost.
BLOCKING = {"count": 24, "interval_ns": 10 * MS, "size_bytes": 200,
            "lost_message": 8}


def calls_of(outcome, host, names):
    return [c for c in outcome.calls if c["host"] == host
            and c["name"] in names and (c["result"] or 0) > 0]


def arrivals(proto, outcome, size, count):
    """When the server's recv had each message, by the lab's clock."""
    received = calls_of(outcome, "server", ("recv", "recvfrom"))
    arrived = [None] * count
    if proto == "tcp":  # bytes: a message is here with its last one
        total = 0
        for call in received:
            before, total = total, total + call["result"]
            for number in range(before // size, min(total // size, count)):
                arrived[number] = call["end_ns"]
        return arrived
    frames = [f for f in outcome.frames
              if f["from"] == "client" and f["len_bytes"] == size]
    order = [f["number"] for f in frames if f["phase"] == "sent"]
    came = [order.index(f["number"])
            for f in frames if f["phase"] == "received"]
    for number, call in zip(came, received):
        arrived[number] = call["end_ns"]
    return arrived


def blocking(place, proto, plan, _, seed):
    """One message of many is lost: when does each of them arrive?"""
    size, count = BLOCKING["size_bytes"], BLOCKING["count"]
    kind = "data" if proto == "tcp" else "udp"
    client = [proto + "_client", "--json", "--ping", "-n", str(count),
              "-i", f"{BLOCKING['interval_ns'] // MS}ms", "-l", str(size)]
    client += ["--nodelay"] if proto == "tcp" else ["--timeout", "300ms"]
    outcome = place.run(
        echo_server(proto), client,
        ["--delay", "20ms", "--seed", str(seed), "--rule",
         f"drop client:{kind}#{BLOCKING['lost_message'] + 1}"], "calls,wire")
    sent = [c["begin_ns"]
            for c in calls_of(outcome, "client", ("send", "sendto"))]
    zero = sent[0] if sent else 0
    arrived = arrivals(proto, outcome, size, len(sent))
    return outcome, {
        "size_bytes": size, "interval_ns": BLOCKING["interval_ns"],
        "lost_message": BLOCKING["lost_message"],
        "sent_ns": [t - zero for t in sent],
        "arrived_ns": [t and t - zero for t in arrived],
        "wire": wire_account(outcome)}


def data_of(outcome, proto, size, phase, port=9000):
    """(time, bytes so far) at each of the client's frames with messages."""
    so_far, points = 0, []
    for frame in outcome.frames:
        if (frame["phase"] != phase or frame["from"] != "client"
                or frame["len_bytes"] == 0
                or port_of(frame["destination"]) != port):
            continue
        if proto == "tcp":  # what is sent again is not more
            so_far = max(so_far, frame["seq"] - 1 + frame["len_bytes"])
        elif frame["len_bytes"] == size:
            so_far += size
        points.append((frame["t_ns"], so_far))
    return points


def sampled(points, zero_ns, interval_ns, count):
    """What had been reached at the end of each interval."""
    series, last, at = [], 0, 0
    for step in range(1, count + 1):
        while (at < len(points)
               and points[at][0] <= zero_ns + step * interval_ns):
            last = points[at][1]
            at += 1
        series.append(last)
    return series


SLOW = {"read_rate_bytes": 200_000, "bytes": 400_000, "size_bytes": 1000,
        "interval_ns": 50 * MS, "rate_bps": 10_000_000}


def windows(outcome, zero_ns):
    """What the server offered to take, at each change."""
    changes = []
    for frame in outcome.frames:
        if (frame["from"] != "server" or frame["phase"] != "sent"
                or "SYN" in frame.get("flags", ["SYN"])):
            continue
        if not changes or changes[-1][1] != frame["window_bytes"]:
            changes.append([max(0, frame["t_ns"] - zero_ns),
                            frame["window_bytes"]])
    return changes


def slow_reader(place, proto, plan, _, seed):
    """The server takes what has come only slowly."""
    size = SLOW["size_bytes"]
    server = [proto + "_server", "--quiet", "-s", "sink", "--read-rate",
              str(SLOW["read_rate_bytes"])]
    client = [proto + "_client", "--json", "--stream", "--timeout", "20s",
              "--bytes", str(SLOW["bytes"]), "-l", str(size)]
    if proto == "udp":  # TCP's server makes its buffer of this size itself
        server += ["--rcvbuf", str(SLOW["read_rate_bytes"])]
        client += ["--rate", pace_of(SLOW["rate_bps"], size)]
    outcome = place.run(server, client,
                        ["--delay", "10ms", "--seed", str(seed),
                         "--rate", f"{SLOW['rate_bps']}bit"])
    end = outcome.end()
    left = data_of(outcome, proto, size, "sent")
    reached = data_of(outcome, proto, size, "received")
    zero = left[0][0] if left else 0
    step = SLOW["interval_ns"]
    last = max([t for t, _ in left + reached] + [zero]) - zero
    count = -(-last // step)
    return outcome, {
        **{name: end.get(name) for name in (
            "sent", "delivered", "lost", "kernel_drops", "elapsed_ns",
            "goodput_bps")},
        "size_bytes": size, "read_rate_bytes": SLOW["read_rate_bytes"],
        "interval_ns": step,
        "left_bytes": sampled(left, zero, step, count),
        "reached_bytes": sampled(reached, zero, step, count),
        "window": windows(outcome, zero) if proto == "tcp" else None,
        "wire": wire_account(outcome)}


NARROW = {"rate_bps": 4_000_000, "queue": 20, "duration_ns": 1500 * MS,
          "interval_ns": 100 * MS, "size_bytes": 1400, "udp_share": 80}


def flow_commands(proto):
    client = [proto + "_client", "--json", "--stream",
              "--duration", f"{NARROW['duration_ns'] // MS}ms",
              "-l", str(NARROW["size_bytes"])]
    if proto == "udp":
        client += ["--rate",
                   f"{NARROW['rate_bps'] * NARROW['udp_share'] // 100}bit"]
    return sink_server(proto), client


def end_of_port(outcome):
    """The `end` of each client, by the port that it was given."""
    ports = {e["pid"]: int(e["args"][-1]) for e in outcome.said
             if e["event"] == "start"}
    return {ports[e["pid"]]: e for e in outcome.ends() if e["pid"] in ports}


def bottleneck(place, pair, plan, _, seed):
    """Two flows share a narrow link: who gets what?"""
    size = NARROW["size_bytes"]
    outcome = place.together(
        [flow_commands(proto) for proto in pair],
        ["--delay", "10ms", "--seed", str(seed),
         "--rate", f"client:{NARROW['rate_bps']}bit",
         "--queue", f"client:{NARROW['queue']}"])
    reached = [data_of(outcome, proto, size, "received", port)
               for port, proto in enumerate(pair, 9000)]
    zero = min([points[0][0] for points in reached if points] or [0])
    step, count = NARROW["interval_ns"], (
        NARROW["duration_ns"] // NARROW["interval_ns"])
    ends, flows = end_of_port(outcome), []
    for port, proto in enumerate(pair, 9000):
        so_far = sampled(reached[port - 9000], zero, step, count)
        end = ends.get(port, {})
        flows.append({"proto": proto,
                      **{name: end.get(name) for name in
                         ("sent", "delivered", "lost", "retransmits")},
                      "goodput_bps": so_far[-1] * 8 * 1000 * MS
                      // NARROW["duration_ns"],
                      "reached_bytes": [b - a for a, b in
                                        zip([0] + so_far, so_far)]})
    return outcome, {
        "against": pair[1], "size_bytes": size,
        **{name: NARROW[name] for name in
           ("rate_bps", "queue", "duration_ns", "interval_ns")},
        "flows": flows, "wire": wire_account(outcome)}


WORKLOADS = {"ping": ping, "stream": stream, "blocking": blocking,
             "slow-reader": slow_reader, "bottleneck": bottleneck}


def picture(place, proto, directory):
    """Three messages, the second of them lost, kept for the ladder."""
    kind, name = ("data" if proto == "tcp" else "udp"), f"picture-{proto}.rec"
    server = echo_server(proto) + ["-n", "1" if proto == "tcp" else "2"]
    client = [proto + "_client", "--quiet", "--ping", "-n", "3",
              "-i", "30ms"]
    client += (["--nodelay", "--timeout", "10s"] if proto == "tcp"
               else ["--timeout", "200ms"])
    link = ["--delay", "10ms", "--rule", f"drop client:{kind}#2"]
    outcome = place.together(
        [(server, client)],
        ["--quiet", "--record", os.path.join(directory, name), *link],
        "calls,wire,states")
    return {"event": "picture", "proto": proto, "file": name,
            "text": "three messages there and back; the second is lost on "
            "its way to the server", "command": outcome.command}


def busy_s(plan, kind, condition):
    """How long messages are on their way in such a run, without faults."""
    if kind == "stream":
        return plan["stream_bytes"] * 8 / condition["rate_bps"]
    each = plan["interval_ns"] or round_trip_ns(condition)
    return plan["count"] * max(each / 1e9, condition["size_bytes"] * 8
                               / condition["rate_bps"])


def seconds(plan, jobs):
    """About how long these take, without faults."""
    fixed = {"blocking": 0.7, "slow-reader": 2, "bottleneck": 2.4}
    total = 0
    for kind, index, *_ in jobs:
        if kind in fixed:
            total += fixed[kind]
            continue
        condition = plan["conditions"][index]
        total += (0.3 + 4 * round_trip_ns(condition) / 1e9
                  + busy_s(plan, kind, condition))
    return total
