"""The simulator at length: the suite "Simulation" of the tests, with as many seeds as there is time for."""

import os
import re
import subprocess

from .disks import Skipped

# The test itself asks that every race was met. The rarest come some five times in 150 worlds.
CASES = 600


def simulate(stage):
    """the simulator: crashes, jumps of the clock and races in virtual time, every invariant"""
    tests = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../.build/debug/daybookPackageTests.xctest")
    if not os.path.exists(tests):
        raise Skipped("there are no built tests (swift build --build-tests)")
    seed = stage.chance.getrandbits(63)
    environment = {**os.environ, "DAYBOOK_SEED": str(seed), "DAYBOOK_CASES": str(CASES)}
    done = subprocess.run(
        [tests, "--testing-library", "swift-testing", "--filter", "SimulationTests"],
        env=environment, capture_output=True, text=True)
    met = re.search(r"^met: (.*)$", done.stdout, re.MULTILINE)
    if not met or done.returncode != 0:
        said = re.findall(r"recorded an issue.*|error:.*|↳.*", done.stdout)
        stage.problems.append(
            f"DAYBOOK_SEED={seed} DAYBOOK_CASES={CASES}: {done.returncode} "
            f"{' '.join(said)[:1500] or (done.stdout + done.stderr)[-800:]}")
        return []
    stage.met["cases"] += CASES
    for what in met[1].split(", "):
        name, count = what.rsplit(" ", 1)
        stage.met[name] += int(count)
    return ["cases"]
