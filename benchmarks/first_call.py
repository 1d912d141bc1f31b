"""The import and the first calibration in a fresh process, against the imports of NumPy and of scipy.stats.

python -m benchmarks.first_call: 12,345 answers of 500 persons to 150 items, 2PL; engine yardstick 3.  Every process
finds its modules compiled, as those of an installed package are.
"""

import os
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


IMPORT = "from thetaline import irt; irt.calibrate, irt.Responses"
YARDSTICKS = ("import numpy", "import scipy.stats")
RUNS = 7


def in_fresh_process(code: str, *arguments: str, compiled: str) -> Time:
    """Wall and processor time of a Python process, by the shell's clock; `compiled` is a folder for its bytecode."""
    script = f"""
import resource, subprocess, sys, time
began = time.perf_counter()
subprocess.run([sys.executable, "-c", {code!r}, *sys.argv[1:]], check=True)
use = resource.getrusage(resource.RUSAGE_CHILDREN)
print(time.perf_counter() - began, use.ru_utime + use.ru_stime)
"""
    own = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment = {**own, "PYTHONPYCACHEPREFIX": compiled}
    command = [sys.executable, "-c", script, *arguments]
    out = subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout
    wall, cpu = (float(number) for number in out.split())
    return Time(wall, cpu)


def least(times: list[Time]) -> Time:
    return Time(min(time.wall for time in times), min(time.cpu for time in times))


def main() -> None:
    long = sparse(500, 150, 25)
    kept = np.sort(np.random.default_rng(0).permutation(len(long.user))[:12_345])
    with tempfile.TemporaryDirectory() as folder:
        path, compiled = str(Path(folder) / "answers.npz"), str(Path(folder) / "compiled")
        np.savez(path, user=long.user[kept], item=long.item[kept], correct=long.correct[kept])
        codes = (IMPORT, OURS, *YARDSTICKS)
        rounds = [[in_fresh_process(code, path, compiled=compiled) for code in codes] for _ in range(RUNS + 1)]
    imported, fitted, numpy, stats = (least(list(times)) for times in zip(*rounds[1:], strict=True))
    report("import, against import numpy", imported, numpy, "0.25 s")
    report("import and 12,345 answers, against import numpy", fitted, numpy, "0.35 s")
    report("import and 12,345 answers, against import scipy.stats", fitted, stats, "≤ 4")


if __name__ == "__main__":
    main()
