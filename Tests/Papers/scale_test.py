"""The model behind docs/SCALE.md: it says what was measured, and goes the way it must where nothing can be measured."""

import dataclasses
import json
import subprocess
import sys
import unittest

from papers import ROOT

sys.path.insert(0, str(ROOT / "scripts"))

import scale  # noqa: E402
import scale_model  # noqa: E402
from scale_model import Assumptions, distinct, plan, rate, stored_bytes  # noqa: E402
from scale_units import Units, load_units, table_bytes  # noqa: E402

UNITS = load_units()
MILLION = 1e6


def with_cluster(cluster: dict) -> Units:
    return Units({**UNITS.measured, "cluster": cluster})


class MeasuredTest(unittest.TestCase):
    def test_memory_is_what_redis_held(self):
        for check in UNITS.measured["memory"]["checks"]:
            predicted = stored_bytes(UNITS, check["users"], check["each"], check["rows"])
            self.assertAlmostEqual(predicted / check["bytes"], 1, delta=0.05, msg=check)

    def test_rates_are_those_of_the_bench(self):
        base = UNITS.cells["closed-10k"]
        share = base["deliveredPerSecond"] / rate(base, 2 - base["otherCores"])
        for name in ("closed-1k", "read-1k", "targets-100", "fanout-10k", "pods-2", "pods-crossed"):
            cell = UNITS.cells[name]
            predicted = rate(cell, 2 - cell["otherCores"], scale.PODS_OF_CELL.get(name, 1), share)
            self.assertAlmostEqual(predicted / cell["deliveredPerSecond"], 1, delta=0.2, msg=name)

    def test_a_storm_takes_as_long_as_it_did(self):
        measured = UNITS.cells["storm-10k"]["recoveredSeconds"]
        self.assertAlmostEqual(scale_model.storm_seconds(UNITS, 10_000, 1) / measured, 1, delta=0.3)


class ModelTest(unittest.TestCase):
    def test_tables_have_a_power_of_two_of_buckets(self):
        self.assertEqual([table_bytes(entries) for entries in (0, 1, 4, 5, 8, 9)], [0, 32, 32, 64, 64, 128])

    def test_streams_grow_by_nodes_of_sixteen(self):
        one, node = UNITS.bytes["stream"], UNITS.bytes["stream node"]
        found = [UNITS.stream(entries) - one for entries in (0, 1, 16, 17, 32, 33)]
        for expected, extra in zip((0, 0, 0, node, node, 2 * node), found):
            self.assertAlmostEqual(extra, expected)

    def test_nobody_is_counted_twice(self):
        self.assertAlmostEqual(distinct(10, 1e9), 10)
        self.assertAlmostEqual(distinct(1e9, 10), 10, places=3)

    def test_more_takes_more(self):
        for smaller, larger in (((MILLION, 1e4), (MILLION, 1e5)), ((MILLION, 1e4), (10 * MILLION, 1e4))):
            few, many = plan(UNITS, *smaller), plan(UNITS, *larger)
            for name in ("pods", "primaries", "gigabytes", "dollars", "network_bytes_per_second"):
                self.assertGreater(getattr(many, name), getattr(few, name), name)

    def test_there_are_always_two_pods_and_a_primary(self):
        tiny = plan(UNITS, 1, 1e-3)
        self.assertEqual((tiny.pods, tiny.primaries), (2, 1))

    def test_pods_follow_the_limit_of_devices_and_of_cpu(self):
        roomy = dataclasses.replace(Assumptions(), devices_per_pod=10**9)
        devices = 10 * MILLION * Assumptions().online_share * Assumptions().devices_of_online_user
        self.assertEqual(plan(UNITS, 10 * MILLION, 1e3).pods, devices / Assumptions().devices_per_pod)
        found = plan(UNITS, 10 * MILLION, 1e6, roomy)
        self.assertLessEqual(found.pod_cores / found.pods, roomy.pod_core_share)

    def test_heartbeats_grow_with_the_square_of_the_pods(self):
        def load(pods):
            return pods * UNITS.beat(pods, "bytes")

        self.assertAlmostEqual(load(1_000) / load(100), 100, delta=5)

    def test_spreading_divides_a_hot_key(self):
        whole, spread = (plan(UNITS, 10 * MILLION, 1e6, Assumptions(index_shards=shards)).hot for shards in (1, 16))
        for name in ("notif:users:recent", "notif:expired, added"):
            # Smaller batches take some of it back.
            self.assertLess(spread[name], whole[name] / 4, name)
        self.assertEqual(spread["notif:pods:hb"], whole["notif:pods:hb"])

    def test_the_bus_has_no_more_entries_than_lines_or_ticks(self):
        for per_second in (1e3, 1e5, 1e6):
            found = plan(UNITS, MILLION, per_second)
            lines, entries = scale_model.crossing(found, Assumptions())
            self.assertLessEqual(entries, min(lines, found.pods**2 * Assumptions().ticks_per_second))

    def test_what_is_measured_of_a_cluster_counts(self):
        unknown = with_cluster({"0": None, "1": None, "2": None})
        self.assertEqual((unknown.scaling(2), unknown.pod_factor(2)), (1, 1))
        units = with_cluster({"0": {"redis us": 20, "pod us": 30}, "1": None, "2": {"redis us": 25, "pod us": 45}, "3": None})
        self.assertEqual([units.scaling(primaries) for primaries in (1, 2, 3, 9)], [1, 0.8, 0.8, 0.8])
        self.assertEqual([units.pod_factor(primaries) for primaries in (1, 2, 3, 9)], [1, 1.5, 1.5, 1.5])
        self.assertGreater(plan(units, 100 * MILLION, 1e4).primaries, plan(unknown, 100 * MILLION, 1e4).primaries)
        self.assertGreater(plan(units, MILLION, 1e6).pods, plan(unknown, MILLION, 1e6).pods)


class PaperTest(unittest.TestCase):
    def run_script(self, *arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run([sys.executable, "-B", ROOT / "scripts/scale.py", *arguments], capture_output=True, text=True)

    def test_the_tables_are_those_of_the_script(self):
        result = self.run_script("--check")
        self.assertEqual(result.returncode, 0, result.stderr)

    def test_a_figure_that_has_drifted_is_noticed(self):
        measured = json.loads(json.dumps(UNITS.measured))
        measured["memory"]["units"]["payload"] *= 2
        paper = scale.PAPER.read_text(encoding="utf-8")
        self.assertEqual(scale.filled(paper, UNITS), paper)
        self.assertNotEqual(scale.filled(paper, Units(measured)), paper)

    def test_a_load_of_ones_own(self):
        result = self.run_script("--plan", "5e6", "2e4", "replicas=2", "online_share=0.5")
        self.assertIn("| 5M | 20k | 60 |", result.stdout)

    def test_a_wrong_name_is_refused(self):
        self.assertNotEqual(self.run_script("--plan", "5e6", "2e4", "nonsense=2").returncode, 0)


if __name__ == "__main__":
    unittest.main()
