"""The first calibration in a fresh process, import included, against `import scipy.stats`: engine yardstick 3.

python -m benchmarks.first_call: 12,345 answers of 500 persons to 150 items, 2PL.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.simulated import sparse
from benchmarks.yardstick import Time, report

OURS = """
import sys
import numpy as np
from thetaline import irt
data = np.load(sys.argv[1])
fit = irt.calibrate(irt.Responses.from_long(data["user"], data["item"], data["correct"]))
assert fit.converged or fit.notes, fit
"""


def in_fresh_process(code: str, *arguments: str) -> Time:
    """Wall and processor time of a Python process, by the shell's clock."""
    script = f"""
import resource, subprocess, sys, time
began = time.perf_counter()
subprocess.run([sys.executable, "-c", {code!r}, *sys.argv[1:]], check=True)
use = resource.getrusage(resource.RUSAGE_CHILDREN)
print(time.perf_counter() - began, use.ru_utime + use.ru_stime)
"""
    out = subprocess.run([sys.executable, "-c", script, *arguments], check=True, capture_output=True, text=True).stdout
    wall, cpu = (float(number) for number in out.split())
    return Time(wall, cpu)


def main() -> None:
    long = sparse(500, 150, 25)
    kept = np.sort(np.random.default_rng(0).permutation(len(long.user))[:12_345])
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "answers.npz")
        np.savez(path, user=long.user[kept], item=long.item[kept], correct=long.correct[kept])
        runs = [(in_fresh_process(OURS, path), in_fresh_process("import scipy.stats")) for _ in range(5)]
    ours, yardstick = (Time(min(t.wall for t in side), min(t.cpu for t in side)) for side in zip(*runs, strict=True))
    report("12,345 answers in a fresh process, against import scipy.stats", ours, yardstick, "≤ 4")


if __name__ == "__main__":
    main()
