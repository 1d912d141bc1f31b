"""Run benchmarks one after another, each in a process of its own: `python -m benchmarks [name ..]`."""

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent
NOT_RUN = {"__init__", "__main__", "yardstick", "simulated", "changing_school"}


def names() -> list[str]:
    return sorted(path.stem for path in FOLDER.glob("*.py") if path.stem not in NOT_RUN)


def main(wanted: list[str]) -> int:
    unknown = [name for name in wanted if name not in names()]
    if unknown:
        print(f"no benchmark {unknown[0]!r}; there are {', '.join(names())}", file=sys.stderr)
        return 2
    failed = 0
    for name in wanted or names():
        print(f"\n== {name}", flush=True)
        failed |= subprocess.run(
            [sys.executable, "-m", f"benchmarks.{name}"], cwd=FOLDER.parent, check=False
        ).returncode
    return failed


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
