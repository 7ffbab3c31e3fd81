"""The model behind docs/SCALE.md: what Carillon needs for so many users and notifications, from what one unit of each costs.

Every unit is measured (scale_units.py); what is assumed stands in `Assumptions`, and nowhere else.
"""

import dataclasses
import math

from scale_units import Units, table_bytes

SECONDS_OF_DAY = 86_400
RECENT_USERS = 100_000
SLOT_SECONDS = 10
FLUSHES_PER_SECOND = 20
BUS_MAXLEN = 10_000
# A pod looks at everybody's topic with two commands in an interval of its upkeep.
TOPIC_COMMANDS = 2
# The interval with which an idle device was measured.
MEASURED_UPKEEP_SECONDS = 20
# An entry of the bus with a line for a message of 200 bytes.
BUS_LINE_BYTES = 600


@dataclasses.dataclass(frozen=True)
class Assumptions:
    """What is not measured. Prices are nobody's: put your own in."""

    online_share: float = 0.2
    devices_of_online_user: float = 1.2
    connects_per_device_and_day: float = 10
    # Of the peak, over a day.
    average_load: float = 0.4
    # Of the notifications: posted with an Idempotency-Key; read by somebody before they expire.
    keyed_share: float = 0.1
    read_share: float = 0.6
    payload_ttl_seconds: float = 900
    retention_days: float = 15
    stream_maxlen: int = 100
    # What is used of a core at the peak, so that failures and bursts fit.
    pod_core_share: float = 0.6
    primary_core_share: float = 0.6
    devices_per_pod: int = 50_000
    primary_gigabytes: float = 32
    # Of the memory of a primary: the rest is for fragmentation and the copies that a rewrite of the file makes.
    usable_memory: float = 0.65
    replicas: int = 1
    # A pod tells another something at most so often a second: ticks of the event loop under load.
    ticks_per_second: float = 500
    heartbeat_seconds: float = 1
    # UPKEEP_INTERVAL.
    upkeep_seconds: float = 20
    index_shards: int = 16
    dollars_per_core_and_month: float = 25
    dollars_per_gigabyte_and_month: float = 3
    cores_per_pod: float = 1
    cores_per_redis: float = 2
    gigabytes_beside_devices: float = 0.25


def stored_bytes(units: Units, users: int, each: int, rows: dict[str, int]) -> float:
    """Memory after so many users have got so many notifications each, whose payloads all live still."""
    payloads = users * each
    bytes_of = units.bytes
    indexes = sum(count * bytes_of[f"{name} row"] for name, count in rows.items())
    tables = table_bytes(users + payloads) + table_bytes(payloads)
    return users * units.stream(each) + payloads * bytes_of["payload"] + indexes + tables


def distinct(users: float, notifications: float) -> float:
    """Users among so many notifications, each of which is for anybody."""
    return users * -math.expm1(-notifications / users)


@dataclasses.dataclass
class Plan:
    """What a load needs."""

    users: float
    per_second: float
    pods: int = 1
    primaries: int = 1
    bound_by: str = ""
    memory: dict[str, float] = dataclasses.field(default_factory=dict)
    pod_cores: float = 0
    redis_cores: float = 0
    hot: dict[str, float] = dataclasses.field(default_factory=dict)
    log_bytes_per_second: float = 0
    network_bytes_per_second: float = 0
    pod_gigabytes: float = 0
    dollars: float = 0

    @property
    def gigabytes(self) -> float:
        return sum(self.memory.values()) / 1e9


def plan(units: Units, users: float, per_second: float, assumed: Assumptions = Assumptions()) -> Plan:
    """Pods and primaries for a load.

    Pods depend on one another (heartbeats, the bus) and on the primaries, these on the pods: looked for until neither grows.
    """
    found = Plan(users, per_second)
    devices = users * assumed.online_share * assumed.devices_of_online_user
    for _ in range(100):
        before = found.pods, found.primaries
        found.pod_cores = pod_cores(units, found, devices, assumed) * units.pod_factor(found.primaries)
        needed = max(2, math.ceil(devices / assumed.devices_per_pod), math.ceil(found.pod_cores / assumed.pod_core_share))
        found.pods = max(found.pods, needed)
        found.memory = memory(units, found, devices, assumed)
        found.redis_cores = redis_cores(units, found, devices, assumed)
        size_redis(units, found, assumed)
        if (found.pods, found.primaries) == before:
            break
    found.hot = hot_keys(units, found, assumed)
    log = units.bytes["log per notification"]
    found.log_bytes_per_second = per_second * log
    found.network_bytes_per_second = network(units, found, assumed)
    found.pod_gigabytes = devices * units.bytes["pod, device"] / 1e9 + found.pods * assumed.gigabytes_beside_devices
    found.dollars = dollars(found, assumed)
    return found


def crossing(found: Plan, assumed: Assumptions) -> tuple[float, float]:
    """Lines and entries a second on all buses: a push crosses where the device is on another pod than the post."""
    lines = found.per_second * assumed.online_share * (found.pods - 1) / found.pods
    return lines, min(lines, found.pods * (found.pods - 1) * assumed.ticks_per_second)


def connects(devices: float, assumed: Assumptions) -> float:
    return devices * assumed.connects_per_device_and_day / SECONDS_OF_DAY


def pod_cores(units: Units, found: Plan, devices: float, assumed: Assumptions) -> float:
    lines, entries = crossing(found, assumed)
    return 1e-6 * (
        found.per_second * (units.pod_post + assumed.read_share * units.pod_read)
        + lines * units.pod_line
        + entries * units.redis_command
        + connects(devices, assumed) * units.pod_connect
        + devices * max(0, units.idle_device - units.idle_redis[2])
        + cleared(units, found, assumed) * units.janitor["pod us"]
    )


def redis_cores(units: Units, found: Plan, devices: float, assumed: Assumptions) -> float:
    lines, entries = crossing(found, assumed)
    return 1e-6 * (
        found.per_second
        * (units.redis_post + assumed.read_share * units.redis_read + assumed.keyed_share * 2 * units.redis_command)
        + lines * units.redis_line
        + entries * 2 * units.redis_command
        + connects(devices, assumed) * units.redis_connect
        + devices * units.idle_redis[2] * MEASURED_UPKEEP_SECONDS / assumed.upkeep_seconds
        + found.pods * (units.idle_redis[1] + (units.beat(found.pods, "us") - units.beat(1, "us")) / assumed.heartbeat_seconds)
        + cleared(units, found, assumed) * units.janitor["redis us"]
    )


def due(found: Plan, assumed: Assumptions) -> float:
    """Users a second whom the janitor should look at: those with payloads that expire in a slot."""
    return distinct(found.users, found.per_second * assumed.average_load * SLOT_SECONDS) / SLOT_SECONDS


def cleared(units: Units, found: Plan, assumed: Assumptions) -> float:
    """Users a second whom the janitors of all pods do look at: one after the other, and no more than they can."""
    return min(due(found, assumed), found.pods * units.janitor["users per second"])


def memory(units: Units, found: Plan, devices: float, assumed: Assumptions) -> dict[str, float]:
    average = found.per_second * assumed.average_load
    unread = average * (1 - assumed.read_share) * assumed.retention_days * SECONDS_OF_DAY / found.users
    live = average * assumed.payload_ttl_seconds
    keyed = average * assumed.keyed_share * SECONDS_OF_DAY
    online = found.users * assumed.online_share
    delivered = live * (1 - assumed.read_share) / found.users
    bytes_of = units.bytes
    waiting = due(found, assumed) * (assumed.payload_ttl_seconds + SLOT_SECONDS)
    return {
        "streams": found.users * units.stream(min(assumed.stream_maxlen, unread)),
        "payloads": live * bytes_of["payload"],
        "idempotency": keyed * bytes_of["idempotency record"],
        "connected users": online * bytes_of["connected user"],
        "delivered, unread": online * min(assumed.stream_maxlen, delivered) * bytes_of["delivered entry"],
        "indexes": waiting * bytes_of["expired row"]
        + found.users * bytes_of["trimming row"]
        + RECENT_USERS * bytes_of["recent row"],
        "buses": found.pods * BUS_MAXLEN * BUS_LINE_BYTES,
        # Two tables, each on average half as large again as it must be.
        "hash tables": 12 * (found.users + 2 * live + 2 * keyed + 4 * online),
    }


def hot_keys(units: Units, found: Plan, assumed: Assumptions) -> dict[str, float]:
    """Cores that each key which all pods share takes of the primary that has it."""
    batch = found.per_second / found.pods / FLUSHES_PER_SECOND / assumed.index_shards
    shards = assumed.index_shards
    return {
        "notif:users:recent": found.per_second * units.index("recent", batch) * 1e-6 / shards,
        "notif:expired, added": found.per_second * units.index("expired", batch) * 1e-6 / shards,
        "notif:expired, taken": due(found, assumed) / assumed.average_load * units.popped * 1e-6 / shards,
        "notif:topic:": found.pods * TOPIC_COMMANDS / assumed.upkeep_seconds * units.idle_redis[1] / units.idle_commands[1] * 1e-6,
        "notif:pods:hb": found.pods / assumed.heartbeat_seconds * units.beat(found.pods, "us") * 1e-6,
    }


def size_redis(units: Units, found: Plan, assumed: Assumptions) -> None:
    by_memory = math.ceil(found.gigabytes / (assumed.primary_gigabytes * assumed.usable_memory))
    by_cpu = 1
    while by_cpu * assumed.primary_core_share * units.scaling(by_cpu) < found.redis_cores:
        by_cpu += 1
    found.primaries = max(by_memory, by_cpu)
    found.bound_by = "memory" if by_memory > by_cpu else "CPU"


def network(units: Units, found: Plan, assumed: Assumptions) -> float:
    """Bytes a second into and out of all primaries."""
    lines, _ = crossing(found, assumed)
    received, sent, log = (units.bytes[f"{name} per notification"] for name in ("received", "sent", "log"))
    return (
        found.per_second * (received + sent + assumed.replicas * log)
        + lines * 2 * BUS_LINE_BYTES
        + found.pods / assumed.heartbeat_seconds * units.beat(found.pods, "bytes")
    )


def dollars(found: Plan, assumed: Assumptions) -> float:
    nodes = found.primaries * (1 + assumed.replicas)
    cores = found.pods * assumed.cores_per_pod + nodes * assumed.cores_per_redis
    held = found.gigabytes / assumed.usable_memory * (1 + assumed.replicas) + found.pod_gigabytes
    return cores * assumed.dollars_per_core_and_month + held * assumed.dollars_per_gigabyte_and_month


def storm_seconds(units: Units, devices: float, pods_left: int, missed: float = 1) -> float:
    """Until the devices of a pod that died are connected elsewhere and have what they missed, if only CPU counts."""
    each = units.pod_connect + missed * units.pod_post / 2
    return devices * each * 1e-6 / pods_left


def rate(cell: dict, cores: float, pods: int = 1, share: float = 1.0) -> float:
    """Messages a second that a machine can do whose cores pod, Redis and load share; a pod and a Redis have one core each."""
    hub, redis, load = cell["hubMicroseconds"], cell.get("redisMicroseconds") or 0, cell["loadMicroseconds"]
    return share * 1e6 * min(cores / (hub + redis + load), pods / hub, 1 / max(redis, 1e-9))
