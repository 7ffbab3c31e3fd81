"""What one unit of everything costs, as scripts/measure-scale.py measured it: bytes, and microseconds of CPU."""

import json
import math
import pathlib

UNITS_FILE = pathlib.Path(__file__).with_name("scale.json")
ENTRIES_OF_NODE = 16


class Units:
    def __init__(self, measured: dict):
        self.measured = measured
        self.bytes: dict[str, float] = measured["memory"]["units"]
        cells = {cell["cell"]: cell for cell in measured["cells"]["cells"]}
        self.cells = cells
        base = cells["closed-10k"]
        self.pod_post = base["hubMicroseconds"]
        self.redis_post = base["redisMicroseconds"]
        self.redis_command = self.redis_post / base["redisCommands"]
        reads, plain = cells["read-1k"], cells["closed-1k"]
        self.pod_read = max(0, reads["hubMicroseconds"] - plain["hubMicroseconds"])
        self.redis_read = max(0, reads["redisMicroseconds"] - plain["redisMicroseconds"])
        crossed = cells["pods-crossed"]
        # A line that shares its entry with many others; an entry of its own costs an XADD and a reply more.
        self.pod_line = max(0, crossed["hubMicroseconds"] - self.pod_post)
        self.redis_line = max(0, crossed["redisMicroseconds"] - self.redis_post)
        self.pod_connect = cells["idle-10k"]["connectMicroseconds"]
        self.redis_connect = 7 * self.redis_command
        # Per second and device, pod and Redis together.
        self.idle_device = cells["idle-10k"]["idleCores"] * 1e6 / 10_000
        points = measured["indexes"]["points"]
        self.index_points = {point["batch"]: point for point in points}
        self.popped = measured["indexes"]["popped"]
        self.janitor = measured["janitor"]
        self.beats = {point["pods"]: point for point in measured["heartbeat"]["points"]}
        # What nothing happening costs Redis: itself, each pod, each device.
        nothing, pod, *others = measured["idle"]["points"]
        devices = next(point for point in others if point["devices"])
        self.idle_commands = nothing["commands"], pod["commands"] - nothing["commands"]
        self.idle_commands += ((devices["commands"] - pod["commands"]) / devices["devices"],)
        self.idle_redis = nothing["us"], pod["us"] - nothing["us"], (devices["us"] - pod["us"]) / devices["devices"]
        self.cluster: dict[str, dict | None] = measured["cluster"]

    def index(self, name: str, batch: float) -> float:
        """Microseconds for each member of a command with so many of them: something for the command, something for each."""
        one, many = self.index_points[1][name], self.index_points[512][name]
        return many + (one - many) / max(1, batch)

    def beat(self, pods: float, of: str) -> float:
        """One heartbeat with so many pods in the table: a straight line through the first and the last point."""
        (few, first), (lots, last) = min(self.beats.items()), max(self.beats.items())
        return first[of] + (last[of] - first[of]) * (pods - few) / (lots - few)

    def scaling(self, primaries: int) -> float:
        """What one of n primaries is worth, against a Redis alone: by what a message costs all of them. 1 where it was not measured."""
        return 1 / self.cluster_factor("redis us", primaries)

    def pod_factor(self, primaries: int) -> float:
        """What a pod's work costs with n primaries, against a Redis alone."""
        return self.cluster_factor("pod us", primaries)

    def cluster_factor(self, figure: str, primaries: int) -> float:
        """One primary needs no cluster: it is a Redis alone, which is the cell `0`."""
        if primaries < 2:
            return 1.0
        costs = {int(number): cell[figure] for number, cell in self.cluster.items() if cell and int(number) <= primaries}
        return costs[max(costs)] / costs[0] if 0 in costs else 1.0

    @staticmethod
    def idle(costs: tuple[float, float, float], pods: float, devices: float) -> float:
        return costs[0] + pods * costs[1] + devices * costs[2]

    def stream(self, entries: float) -> float:
        """A user's stream: each node but the last holds sixteen entries."""
        return self.bytes["stream"] + (math.ceil(max(1, entries) / ENTRIES_OF_NODE) - 1) * self.bytes["stream node"]


def load_units() -> Units:
    return Units(json.loads(UNITS_FILE.read_text(encoding="utf-8")))


def table_bytes(entries: float) -> float:
    """Buckets of a hash table of Redis: the next power of two, eight bytes each."""
    return 8 * 2 ** math.ceil(math.log2(max(4, entries))) if entries >= 1 else 0
