#!/usr/bin/env python3
"""Runs the benchmark rows and writes Benchmarks/results.json and Benchmarks/RESULTS.md.

    run.py --reel .build/release/reel [--clips FOLDER] [--rows bridge,…] [--only TEXT] [--rounds N] [--check]

Clips are made once by shared/bench/make_clips.sh where that is found. Results accumulate: a run replaces the rows that it
measured. --check exits with 1 when a measured row exceeds its limit.
"""

import argparse
import importlib
import os
import pkgutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from harness import compare, results  # noqa: E402
from harness.context import Context, find_clips_script  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reel", required=True)
    parser.add_argument("--clips", default=os.environ.get("REELWRIGHT_CLIPS", os.path.join(HERE, "..", ".build", "clips")))
    parser.add_argument("--rows", default="", help="modules of Benchmarks/rows, by comma; default all")
    parser.add_argument("--only", default="", help="only rows whose name contains this")
    parser.add_argument("--rounds", type=int, default=0)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()

    script = find_clips_script()
    if not os.path.exists(os.path.join(arguments.clips, "long600.mp4")):
        if not script:
            sys.exit("run.py: there are no clips: name their folder with --clips or REELWRIGHT_CLIPS")
        print("making the clips, about three minutes")
        subprocess.run(["bash", script, arguments.clips], check=True, stdout=subprocess.DEVNULL)

    names = [name for name in arguments.rows.split(",") if name] or [m.name for m in pkgutil.iter_modules([os.path.join(HERE, "rows")])]
    path = os.path.join(HERE, "results.json")
    record = results.load(path)
    record["machine"] = results.machine()
    exceeded = []
    with tempfile.TemporaryDirectory(prefix="reel-bench-") as scratch:
        context = Context(arguments.reel, os.path.abspath(arguments.clips), scratch)
        for name in names:
            for row in importlib.import_module(f"rows.{name}").rows(context):
                if arguments.only not in row.name:
                    continue
                if arguments.rounds:
                    row.rounds = arguments.rounds
                measured = compare.run(row)
                record["rows"][row.name] = measured
                if measured["holds"] is False:
                    exceeded.append(row.name)
                results.save(path, record)
                results.write_markdown(os.path.join(HERE, "RESULTS.md"), record)
    for name in exceeded:
        print(f"over its limit: {name}")
    return 1 if exceeded and arguments.check else 0


if __name__ == "__main__":
    sys.exit(main())
