#!/usr/bin/env python3
"""Prints the tables of docs/SCALE.md from the model (scale_model.py) and what was measured (scale.json).
usage: scale.py                        every table
       scale.py --write | --check      puts them into docs/SCALE.md, or says where they differ from it
       scale.py --plan USERS PER_SECOND [name=value]…    one load, with other assumptions"""

import dataclasses
import difflib
import pathlib
import re
import sys

from scale_model import Assumptions, Plan, due, plan, rate, storm_seconds, stored_bytes
from scale_units import Units, load_units

PAPER = pathlib.Path(__file__).resolve().parents[1] / "docs/SCALE.md"
USERS = (1e6, 10e6, 100e6)
RATES = (10e3, 100e3, 1e6)
CORES = 2
PODS_OF_CELL = {"pods-2": 2, "pods-3": 3, "pods-crossed": 2}


def table(head: list[str], rows: list[list]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def short(number: float) -> str:
    """Three digits, as people read them."""
    for size, word in ((1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.3g}{word}"
    return f"{number:.3g}"


def ratio(predicted: float, measured: float) -> str:
    return f"{predicted / measured:.2f}"


def units_table(units: Units) -> str:
    of = {
        "stream": "a user's stream with one entry, up to sixteen",
        "stream node": "sixteen entries more",
        "payload": "a payload that lives (200 bytes of message)",
        "expired row": "a user whom the janitor has to visit",
        "trimming row": "a user whom the trimmer has to visit",
        "recent row": "one of the 100,000 users of the admin lists",
        "idempotency record": "an `Idempotency-Key`, for a day",
        "connected user": "a user with devices: presence, lock, group, list of connections",
        "delivered entry": "an unread entry that was delivered: pending list and receipts",
        "pod, device": "a device, in the pod",
        "log per notification": "a notification in the append-only file, and to each replica",
        "received per notification": "a notification into Redis over the network",
        "sent per notification": "a notification out of Redis over the network",
    }
    rows = [[meaning, f"{units.bytes[name]:,.0f} B"] for name, meaning in of.items()]
    times = [
        ["post and push, pod", units.pod_post, "`closed-10k`"],
        ["post and push, Redis", units.redis_post, "`closed-10k`"],
        ["a read, pod", units.pod_read, "`read-1k` less `closed-1k`"],
        ["a read, Redis", units.redis_read, "`read-1k` less `closed-1k`"],
        ["one more pod, both pods", units.pod_line, "`pods-crossed` less `closed-10k`"],
        ["one more pod, Redis", units.redis_line, "`pods-crossed` less `closed-10k`"],
        ["a connect, pod", units.pod_connect, "`idle-10k`"],
        ["an idle device, pod and Redis, per second", units.idle_device, "`idle-10k`"],
        ["a heartbeat with 16 pods, Redis", units.beat(16, "us"), "`heartbeat`"],
        ["a heartbeat with 512 pods, Redis", units.beat(512, "us"), "`heartbeat`"],
        ["a user's row in `notif:users:recent`, alone / with 511 others", None, "recent"],
        ["a user's row in `notif:expired`, alone / with 511 others", None, "expired"],
        ["a user whom the janitor looks at, Redis", units.janitor["redis us"], "`janitor`"],
        ["the same, pod", units.janitor["pod us"], "`janitor`"],
    ]
    for name, value, source in times:
        if value is None:
            rows.append([name, f"{units.index(source, 1):.1f} / {units.index(source, 512):.1f} us"])
        else:
            rows.append([f"{name} ({source})", f"{value:.1f} us"])
    return table(["unit", "cost"], rows)


def memory_table(units: Units) -> str:
    rows = []
    for check in units.measured["memory"]["checks"]:
        predicted = stored_bytes(units, check["users"], check["each"], check["rows"])
        figures = [f"{value / 1e6:,.1f}" for value in (predicted, check["bytes"])]
        rows.append([f"{check['users']:,}", check["each"], *figures, ratio(predicted, check["bytes"])])
    return table(["users", "notifications each", "predicted MB", "measured MB", "ratio"], rows)


def rate_table(units: Units) -> str:
    base = units.cells["closed-10k"]
    share = base["deliveredPerSecond"] / rate(base, CORES - base["otherCores"])
    rows = []
    for name, cell in units.cells.items():
        # The rate of the others is set by the load.
        if cell.get("deliveredPerSecond") and not name.startswith(("open", "streams")):
            predicted = rate(cell, CORES - cell["otherCores"], PODS_OF_CELL.get(name, 1), share)
            costs = "/".join(f"{cell[key] or 0:.0f}" for key in ("hubMicroseconds", "redisMicroseconds", "loadMicroseconds"))
            figures = [f"{value:,.0f}" for value in (predicted, cell["deliveredPerSecond"])]
            note = " (sets the share)" if name == "closed-10k" else ""
            other = f"{cell['otherCores']:.2f}"
            rows.append([f"`{name}`{note}", costs, other, *figures, ratio(predicted, cell["deliveredPerSecond"])])
    return table(["cell", "us pod/Redis/load", "other cores", "predicted per s", "measured per s", "ratio"], rows)


def heartbeat_table(units: Units) -> str:
    rows = []
    for pods, point in units.beats.items():
        predicted = units.beat(pods, "us")
        all_pods = [f"{pods * predicted / 1e4:.1f} %", f"{pods * units.beat(pods, 'bytes') * 8 / 1e6:,.1f} Mbit/s"]
        rows.append([f"{pods:,}", f"{predicted:.0f}", f"{point['us']:.0f}", ratio(predicted, point["us"]), *all_pods])
    return table(["pods", "predicted us", "measured us", "ratio", "all pods, of a core", "all pods, network"], rows)


def idle_table(units: Units) -> str:
    rows = []
    for number, point in enumerate(units.measured["idle"]["points"]):
        predicted = units.idle(units.idle_commands, point["pods"], point["devices"])
        gives = number < 2 or point["devices"] and point["pods"] == 1
        figures = ["sets the cost" if gives else ratio(predicted, point["commands"]), f"{point['us'] / 1e3:.1f}"]
        rows.append([point["pods"], f"{point['devices']:,}", f"{predicted:.1f}", f"{point['commands']:.1f}", *figures])
    return table(["pods", "devices", "predicted commands per s", "measured", "ratio", "CPU of Redis, ms per s"], rows)


def plans(units: Units, assumed: Assumptions = Assumptions()) -> list[Plan]:
    return [plan(units, users, per_second, assumed) for users in USERS for per_second in RATES]


def plan_row(found: Plan, assumed: Assumptions) -> list:
    nodes = 1 + assumed.replicas
    return [
        short(found.users),
        short(found.per_second),
        f"{found.pods:,}",
        f"{found.primaries:,} ({found.bound_by})",
        f"{found.redis_cores:,.1f}",
        f"{found.gigabytes:,.0f}",
        f"{found.gigabytes * nodes:,.0f}",
        f"{found.pod_gigabytes:,.1f}",
        f"{found.network_bytes_per_second * 8 / 1e9:,.2f}",
        f"{found.log_bytes_per_second / 1e6:,.0f}",
        f"{found.dollars:,.0f}",
    ]


PLAN_HEAD = ["users", "per s", "pods", "primaries (bound by)", "Redis cores", "GB", "GB with replicas"]
PLAN_HEAD += ["GB in pods", "Gbit/s of Redis", "file MB/s", "$ a month"]


def plan_table(units: Units) -> str:
    return table(PLAN_HEAD, [plan_row(found, Assumptions()) for found in plans(units)])


def memory_parts(units: Units) -> str:
    found = plans(units)
    names = list(found[0].memory)
    rows = [[short(one.users), short(one.per_second), *(f"{one.memory[name] / 1e9:,.1f}" for name in names)] for one in found]
    return table(["users", "per s", *names], rows)


def hot_table(units: Units) -> str:
    rows = []
    for shards in (1, 16):
        assumed = Assumptions(index_shards=shards)
        for per_second in RATES:
            found = plan(units, 10e6, per_second, assumed)
            rows.append([shards, short(per_second), found.pods, *(f"{cores:.2f}" for cores in found.hot.values())])
    return table(["shards", "per s", "pods", *(f"`{name}`" for name in plan(units, 10e6, 1e4).hot)], rows)


def janitor_table(units: Units) -> str:
    rows = []
    for found in plans(units):
        able = found.pods * units.janitor["users per second"]
        wanted = due(found, Assumptions())
        rows.append([short(found.users), short(found.per_second), short(wanted), short(able), f"{min(1, able / wanted):.0%}"])
    return table(["users", "per s", "users due per s", "users that all janitors can look at per s", "share"], rows)


def storm_table(units: Units) -> str:
    measured = units.cells["storm-10k"]
    predicted = storm_seconds(units, 10_000, 1)
    rows = [["10,000", "the same, restarted", f"{predicted:.2f} s", f"{measured['recoveredSeconds']:.2f} s"]]
    for pods in (2, 10, 100):
        rows.append(["50,000", f"{pods - 1} of {pods}", f"{storm_seconds(units, 50_000, pods - 1):.2f} s", ""])
    return table(["devices of the pod that dies", "pods that take them", "predicted", "measured"], rows)


def cluster_table(units: Units) -> str:
    """What `measure-scale.py cluster=…` found for each number of primaries."""
    rows = []
    for primaries, cell in units.cluster.items():
        if cell is None:
            rows.append([primaries, *["not measured yet"] * 8])
            continue
        number = int(primaries)
        each = " ".join(f"{core:.2f}" for core in cell["redis cores"])
        costs = [cell["pod us"], cell["redis us"], f"{cell['pod cores']:.2f}", each, f"{cell['load cores']:.2f}"]
        worth = [f"{units.cluster_factor('pod us', number):.2f}", f"{units.scaling(number):.2f}"] if number != 1 else ["", ""]
        rows.append([primaries if number else "no cluster", f"{cell['per second']:,}", *costs, *worth])
    titles = ["primaries", "delivered per s", "pod us", "us of all Redis", "cores: pod", "each primary", "load"]
    titles += ["cost of a pod's work", "worth of a primary"]
    return table(titles, rows)


def assumptions_table(_: Units) -> str:
    assumed = dataclasses.asdict(Assumptions())
    return table(["assumed", "value"], [[f"`{name}`", f"{value:g}"] for name, value in assumed.items()])


TABLES = {
    "units": units_table,
    "memory": memory_table,
    "rates": rate_table,
    "heartbeats": heartbeat_table,
    "idle": idle_table,
    "storms": storm_table,
    "cluster": cluster_table,
    "assumptions": assumptions_table,
    "plans": plan_table,
    "parts": memory_parts,
    "hot": hot_table,
    "janitor": janitor_table,
}


def filled(paper: str, units: Units) -> str:
    """The paper with each table between its two comments."""
    for name, made in TABLES.items():
        pattern = re.compile(rf"(<!-- scale:{name} -->\n).*?(<!-- /scale:{name} -->)", re.DOTALL)
        if not pattern.search(paper):
            raise SystemExit(f"docs/SCALE.md has no place for the table {name}")
        paper = pattern.sub(lambda match: match[1] + made(units) + "\n" + match[2], paper)
    return paper


def print_plan(units: Units, arguments: list[str]) -> None:
    values = {name: float(value) for name, value in (argument.split("=") for argument in arguments[2:])}
    assumed = dataclasses.replace(Assumptions(), **values)
    print(table(PLAN_HEAD, [plan_row(plan(units, float(arguments[0]), float(arguments[1]), assumed), assumed)]))


def main(arguments: list[str]) -> None:
    units = load_units()
    if not arguments:
        print("\n\n".join(f"{name}\n{made(units)}" for name, made in TABLES.items()))
    elif arguments[0] == "--plan":
        print_plan(units, arguments[1:])
    else:
        paper = PAPER.read_text(encoding="utf-8")
        wanted = filled(paper, units)
        if arguments[0] == "--write":
            PAPER.write_text(wanted, encoding="utf-8")
        elif wanted != paper:
            old, new = paper.splitlines(), wanted.splitlines()
            raise SystemExit("\n".join(difflib.unified_diff(old, new, "docs/SCALE.md", "scripts/scale.py", lineterm="", n=0)))


if __name__ == "__main__":
    main(sys.argv[1:])
