#!/usr/bin/env python3
"""Measures what one unit of everything costs, for scripts/scale.py: writes scripts/scale.json. Expects the release build.
usage: measure-scale.py memory heartbeat idle indexes janitor     some minutes; each replaces what it measured before
       measure-scale.py cells=FILE,…                              takes what carillon-bench wrote with --json
       measure-scale.py cluster=FILE,…                            the same of closed-10k, cluster-1, cluster-2 and cluster-3, of one run
CARILLON_PROGRAMS names another folder of programs than that of the release build."""

import datetime
import json
import os
import pathlib
import random
import statistics
import sys
import time

from programs import ROOT, Pod, Redis, eventually, redis, running_pods

RESULTS = ROOT / "scripts/scale.json"
DEVICES = 2_000
KEYED = 5_000
# Users, and notifications for each, by which the model of memory is judged.
CHECKS = ((60_000, 1), (60_000, 5), (150_000, 2), (3_000, 100))
CELL_FIGURES = (
    "deliveredPerSecond", "hubMicroseconds", "redisMicroseconds", "loadMicroseconds", "redisCommands", "connectMicroseconds",
    "idleCores", "recoveredSeconds", "otherCores",
)


def key_of(number: int) -> str:
    return f"{number}-user{number % 1000:03d}"


class Place:
    """What a Redis holds at one moment."""

    def __init__(self, redis_client: Redis):
        fields = redis_client.info()
        numbers = dict(pair.split("=") for pair in fields.get("db0", "keys=0,expires=0").split(","))
        self.keys, self.expires = int(numbers["keys"]), int(numbers["expires"])
        self.bytes = int(fields["used_memory"]) - int(fields["mem_clients_normal"]) - int(fields["mem_aof_buffer"])
        self.tables = tables_of(redis_client, self.keys, self.expires)
        self.log = int(fields["aof_current_size"])
        self.received, self.sent = int(fields["total_net_input_bytes"]), int(fields["total_net_output_bytes"])

    @property
    def is_rehashed(self) -> bool:
        return self.tables == table_bytes(self.keys) + table_bytes(self.expires)


def tables_of(client: Redis, keys: int, expires: int) -> int:
    """Bytes of the buckets of the two hash tables, as MEMORY STATS counts them: 40 and 24 bytes for each entry are no buckets."""
    stats = client.call("MEMORY", "STATS")
    if "db.0" not in stats:
        return 0
    found = stats[stats.index("db.0") + 1]
    sizes = dict(zip(found[::2], found[1::2]))
    return sizes["overhead.hashtable.main"] - keys * 40 + sizes["overhead.hashtable.expires"] - expires * 24


def table_bytes(entries: int) -> int:
    return 8 * (1 << max(2, (entries - 1).bit_length())) if entries else 0


def settled(client: Redis) -> Place:
    """Waits until nothing grows any more: upkeep is done and tables are rehashed."""
    last = [0, 0]

    def is_still() -> bool:
        time.sleep(0.7)
        now = Place(client)
        still = now.is_rehashed and all(abs(now.bytes - before) < 20_000 for before in last)
        last[:] = [last[1], now.bytes]
        return still

    eventually(is_still, "memory stands still", seconds=120)
    return Place(client)


def rows(client: Redis) -> dict[str, list[int]]:
    """Members and bytes of the indexes."""
    found = {}
    indexes = (("recent", "users:recent", "ZCARD"), ("expired", "expired:*", "SCARD"), ("trimming", "trimming:*", "SCARD"))
    for name, pattern, count in indexes:
        keys = client.call("KEYS", f"notif:{pattern}")
        sizes = client.pipeline([(count, key) for key in keys] + [("MEMORY", "USAGE", key, "SAMPLES", 0) for key in keys])
        found[name] = [sum(sizes[: len(keys)]), sum(sizes[len(keys) :])]
    return found


def memory() -> dict:
    some, few = 20_000, 4_000
    units: dict[str, float] = {}
    with redis() as port, running_pods(port, 1) as [(pod_port, program)]:
        client, pod = Redis(port), Pod(pod_port, program)
        places, indexes = [settled(client)], [rows(client)]

        def step() -> int:
            """Bytes of memory without indexes and tables since the step before."""
            places.append(settled(client))
            indexes.append(rows(client))
            index = sum(new[1] - old[1] for new, old in zip(indexes[-1].values(), indexes[-2].values()))
            return places[-1].bytes - places[-2].bytes - (places[-1].tables - places[-2].tables) - index

        pod.post_all(range(some))
        first = step()
        before = Place(client)
        pod.post_all(range(some), 9)
        after = Place(client)
        units["payload"] = step() / some / 9
        units["stream"] = first / some - units["payload"]
        for name in ("log", "received", "sent"):
            units[f"{name} per notification"] = (getattr(after, name) - getattr(before, name)) / some / 9
        pod.post_all(range(few), 20)
        units["stream node"] = (step() - few * 20 * units["payload"]) / few
        for name, (members, size) in indexes[-1].items():
            units[f"{name} row"] = size / members
        for number in range(KEYED):
            pod.post([some], Idempotency_Key=f"8e03978e-40d5-43e8-bc93-{number:012d}")
        units["idempotency record"] = step() / KEYED - units["payload"]
        resident = pod.resident_bytes()
        fresh = [pod.connect(1_000_000 + number) for number in range(DEVICES)]
        wait_for_devices(client, DEVICES)
        # Their streams are empty but for the group.
        units["connected user"] = step() / DEVICES
        units["pod, device"] = (pod.resident_bytes() - resident) / DEVICES
        behind = [pod.connect(some - 1 - number) for number in range(DEVICES)]
        wait_for_devices(client, 2 * DEVICES)
        units["delivered entry"] = (step() / DEVICES - units["connected user"]) / 10
        for device in fresh + behind:
            device.close()
    checks = [check_memory(*check) for check in CHECKS]
    return {"units": {name: round(value, 1) for name, value in units.items()}, "checks": checks}


def wait_for_devices(client: Redis, count: int) -> None:
    eventually(lambda: sum(client.call("HLEN", key) for key in client.call("KEYS", "notif:clients:*")) == count, "devices", 60)


def check_memory(users: int, each: int) -> dict:
    with redis() as port, running_pods(port, 1) as [(pod_port, program)]:
        client, pod = Redis(port), Pod(pod_port, program)
        before = settled(client)
        pod.post_all(range(users), each)
        after, members = settled(client), {name: found[0] for name, found in rows(client).items()}
    return {"users": users, "each": each, "bytes": after.bytes - before.bytes, "rows": members}


def heartbeat() -> dict:
    """What a beat of one pod costs with others in the table, by the commands of PodRegistry.beat."""
    points = []
    with redis() as port:
        client = Redis(port)
        for pods in (16, 64, 128, 256, 512, 1_024):
            names = [f"carillon-7d9f8b6c5-{number:05d}" for number in range(pods)]
            client.pipeline([("HSET", "notif:pods:hb", name, int(time.time())) for name in names])
            beats = 400
            before, used = Place(client), client.cpu_seconds()
            for number in range(beats):
                name = names[number % pods]
                client.pipeline([("SET", f"notif:pod:{name}", "x" * 36, "NX", "GET", "EX", 30), ("HGETALL", "notif:pods:hb")])
                client.pipeline([("EXPIRE", f"notif:pod:{name}", 30), ("HSET", "notif:pods:hb", name, int(time.time()))])
            sent = Place(client).sent - before.sent
            points.append({"pods": pods, "us": round((client.cpu_seconds() - used) / beats * 1e6, 1), "bytes": round(sent / beats)})
    return {"points": points}


def idle() -> dict:
    """What pods and devices ask of Redis while nothing happens, over one interval of upkeep."""
    points = []
    for count, devices in ((0, 0), (1, 0), (4, 0), (8, 0), (1, DEVICES), (2, DEVICES)):
        with redis() as port, running_pods(port, count) as pods:
            client = Redis(port)
            open_devices = [Pod(*pods[number % count]).connect(number) for number in range(devices)]
            wait_for_devices(client, devices)
            # What pods do because they have just started is over by then.
            time.sleep(5)
            calls, used, started = sum(client.calls().values()), client.cpu_seconds(), time.monotonic()
            time.sleep(20)
            seconds = time.monotonic() - started
            # The two questions of this measurement are none of theirs.
            asked = (sum(client.calls().values()) - calls - 2) / seconds
            point = {"commands": asked, "us": (client.cpu_seconds() - used) / seconds * 1e6}
            points.append({"pods": count, "devices": devices, **{name: round(value, 1) for name, value in point.items()}})
            for device in open_devices:
                device.close()
    return {"points": points}


def indexes() -> dict:
    """What ActivityIndex.flush and UserQueues.pop cost Redis for one user, by how many come together."""
    users, points = 1_000_000, []
    with redis() as port:
        client = Redis(port)
        client.pipeline([("ZADD", "notif:users:recent", number, key_of(number)) for number in range(100_000)])

        def cost(commands: list[list]) -> float:
            used = client.cpu_seconds()
            for batch in commands:
                client.pipeline(batch)
            return (client.cpu_seconds() - used) * 1e6

        for batch in (1, 5, 50, 512):
            rounds = max(60, 10_000 // batch)
            picked = [[key_of(random.randrange(users)) for _ in range(batch)] for _ in range(rounds)]
            score = int(time.time() * 1_000)
            recent = [
                [("ZADD", "notif:users:recent", *(part for name in names for part in (score, name))),
                 ("ZREMRANGEBYRANK", "notif:users:recent", 0, -100_001)]
                for names in picked
            ]
            expired = [[("SADD", "notif:expired:1", *names), ("EXPIREAT", "notif:expired:1", 4_102_444_800)] for names in picked]
            points.append({"batch": batch, "recent": cost(recent) / rounds / batch, "expired": cost(expired) / rounds / batch})
        client.pipeline([("SADD", "notif:expired:2", *map(key_of, range(start, start + 500))) for start in range(0, 500_000, 500)])
        popped = cost([[("SPOP", "notif:expired:2", 128)] for _ in range(1_000)]) / 128_000
    return {"points": [{name: round(value, 2) for name, value in point.items()} for point in points], "popped": round(popped, 2)}


def janitor() -> dict:
    """What clearing costs for each user whose payload has expired, all of them offline: they are looked at and kept."""
    users = 4_000
    with redis() as port, running_pods(port, 1, TTL_JANITOR_INTERVAL="1s", SWEEP_STREAMS_PER_SECOND="1") as [(pod_port, program)]:
        client, pod = Redis(port), Pod(pod_port, program)

        def left() -> int:
            return sum(client.pipeline([("SCARD", key) for key in client.call("KEYS", "notif:expired:*")] or [("SCARD", "none")]))

        # All of them expire in one slot of ten seconds.
        eventually(lambda: time.time() % 10 < 2, "a slot begins", 11)
        pod.post_all(range(users), ttl=2)
        eventually(lambda: left() == users, "all are noted", 5)
        eventually(lambda: left() < users, "the janitor begins", 30)
        waiting, started, used, own = left(), time.monotonic(), client.cpu_seconds(), pod.cpu_seconds()
        eventually(lambda: left() == 0, "the janitor is done", 120)
        seconds = time.monotonic() - started
        return {
            "users per second": round(waiting / seconds),
            "redis us": round((client.cpu_seconds() - used) / waiting * 1e6, 1),
            "pod us": round((pod.cpu_seconds() - own) / waiting * 1e6, 1),
        }


def median(values) -> float:
    return round(statistics.median(values), 3)


def cells(*files: str) -> dict:
    """Medians of what `make bench ARGS="--rounds 3 --json FILE"` measured, of Carillon alone."""
    rounds: dict[str, list[dict]] = {}
    for file in files:
        for cell in json.loads(pathlib.Path(file).read_text(encoding="utf-8")):
            if cell["hub"] == "carillon":
                rounds.setdefault(cell["cell"], []).append(cell)
    medians = [
        {"cell": name, **{key: median(one[key] or 0 for one in some) for key in CELL_FIGURES if key in some[0]}}
        for name, some in rounds.items()
    ]
    return {"cells": medians}


def cluster(*files: str) -> dict:
    """Medians of the cells without a cluster (0) and with one, two and three primaries, and what part of a core each process took."""
    found = {}
    for primaries, name in (("0", "closed-10k"), ("1", "cluster-1"), ("2", "cluster-2"), ("3", "cluster-3")):
        rounds = [cell for file in files for cell in json.loads(pathlib.Path(file).read_text(encoding="utf-8")) if cell["cell"] == name]
        if not rounds:
            found[primaries] = None
            continue
        rate, pod, all_redis, load = (
            statistics.median(cell[key] for cell in rounds)
            for key in ("deliveredPerSecond", "hubMicroseconds", "redisMicroseconds", "loadMicroseconds")
        )
        cores = [round(statistics.median(sorted(cell["redisCores"])[place] for cell in rounds), 2) for place in range(max(1, int(primaries)))]
        found[primaries] = {
            "per second": round(rate), "pod us": round(pod, 1), "redis us": round(all_redis, 1),
            "pod cores": round(pod * rate / 1e6, 2), "redis cores": cores, "load cores": round(load * rate / 1e6, 2),
        }
    return found


PARTS = {
    "memory": memory, "heartbeat": heartbeat, "idle": idle, "indexes": indexes, "janitor": janitor, "cells": cells, "cluster": cluster,
}


def main() -> None:
    results = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    for argument in sys.argv[1:]:
        name, _, listed = argument.partition("=")
        files = listed.split(",") if listed else []
        # What else the machine did; each cell of the bench has its own figure for it.
        load = {} if files else {"load": round(os.getloadavg()[0], 1)}
        dated = {} if name == "cluster" else {"date": str(datetime.date.today()), **load}
        results[name] = {**dated, **PARTS[name](*files)}
        RESULTS.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        print(name, json.dumps(results[name], indent=1), flush=True)


if __name__ == "__main__":
    main()
