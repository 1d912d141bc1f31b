"""Peak memory of the sparse case above the interpreter's, in bytes of its columns: engine yardstick 4.

python -m benchmarks.memory [persons]: 200,000 persons × 2,000 items × 50 answers, from columns to the fit.  The columns
(int32, int32, uint8: nine bytes an answer) are read from a file, as a bulk read would leave them, and count as ours.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.simulated import sparse

BYTES_AN_ANSWER = 9
CODE = """
import sys
import numpy as np
from thetaline import irt
def peak():
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
before = peak()
columns = [np.load(f"{sys.argv[1]}/{name}.npy") for name in ("user", "item", "correct")]
fit = irt.calibrate(irt.Responses.from_long(*columns))
print((peak() - before) * 1024, fit.status)
"""


def main(n_persons: int = 200_000) -> None:
    with tempfile.TemporaryDirectory() as folder:
        long = sparse(n_persons, 2_000, 50)
        for name, column in zip(("user", "item", "correct"), long, strict=True):
            np.save(Path(folder) / f"{name}.npy", column)
        command = [sys.executable, "-c", CODE, folder]
        used, status = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split(maxsplit=1)
    columns = BYTES_AN_ANSWER * len(long.user)
    megabytes = f"peak {float(used) / 1e6:.0f} MB above the interpreter, columns {columns / 1e6:.0f} MB"
    print(f"{len(long.user):,} answers: {megabytes}  ratio {float(used) / columns:.2f}  reach ≤ 4  ({status.strip()})")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
