#!/usr/bin/env python3
"""Counts the instructions of a few programs, and tells which have become more since the counts were recorded.

  benches/instructions.py              counts, compares, and exits with 1 if a program needs over 2 % more
  benches/instructions.py --record     counts, and writes benches/instructions.json

Counts hardly depend on what else the machine does, as times do: a change of two in a hundred is seen in one run. They are
those of callgrind (valgrind must be installed), with the programs' sizes cut down so that all take less than a minute. They
do depend on the compiler: after another one, record anew before the change that is to be judged.

w1, w2 and w4 are workloads of `benches/workloads`. The Starlark programs b1, b4 and d1 are no part of the project: where
`../shared/inputs` is missing, they are skipped, which is said.
"""
import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

from beside import built

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
RECORD = os.path.join(ROOT, "benches", "instructions.json")
INPUTS = os.path.join(os.path.dirname(ROOT), "shared", "inputs")
# What may be more, in percent, before something must have changed.
TOLERANCE = 2.0
WORKLOADS = {"w1": ["w1", "15"], "w2": ["w2", "10000", "10000000"], "w4": ["w4", "30000", "20000"]}
PROGRAMS = {"b1": "bench/b1_dictlist.star", "b4": "bench/b4_garbage_400.star", "d1": "drivers/d1_pep440.star"}


def commands(programs):
    """What is to be counted, by name; and why something is not."""
    wanted = {name: [programs["workloads"], "--bench", *words] for name, words in WORKLOADS.items()}
    skipped = {}
    for name, path in PROGRAMS.items():
        path = os.path.join(INPUTS, path)
        if os.path.exists(path):
            wanted[name] = [programs["frazil"], "run", path]
        else:
            skipped[name] = f"skipped: there is no {path}"
    return wanted, skipped


def count(command):
    """The instructions of one run."""
    with tempfile.TemporaryDirectory() as folder:
        profiled = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out", *command]
        run = subprocess.run(profiled, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    found = re.search(r"Collected : (\d+)", run.stderr)
    if run.returncode or not found:
        sys.exit(f"instructions.py: {' '.join(command)} failed:\n{run.stderr}")
    return int(found.group(1))


def compiler():
    return subprocess.run(["rustc", "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--record", action="store_true", help="write benches/instructions.json")
    options = parser.parse_args()
    if not shutil.which("valgrind"):
        sys.exit("instructions.py: valgrind is not installed")
    present = compiler()
    recorded = {"compiler": present, "counts": {}}
    if os.path.exists(RECORD):
        with open(RECORD) as file:
            recorded = json.load(file)
    if recorded["compiler"] != present and not options.record:
        print(f"The counts were recorded with {recorded['compiler']}, and this is {present}: differences may be its own.")
    wanted, skipped = commands(built("bench", "--no-run", "--bench", "workloads") | built("build", "--release", "--package", "frazil-cli"))
    worse, counts = [], dict(recorded["counts"])
    for name, command in wanted.items():
        before, now = recorded["counts"].get(name), count(command)
        change = 100 * (now / before - 1) if before else None
        verdict = "not recorded yet" if before is None else f"{change:+.2f} %"
        if change is not None and change > TOLERANCE:
            worse.append(name)
            verdict += f", more than {TOLERANCE:.0f} %"
        print(f"{name}  {now / 1e6:10.1f} million  {verdict}", flush=True)
        counts[name] = now
    for name, why in skipped.items():
        print(f"{name}  {why}")
    if options.record:
        with open(RECORD, "w") as file:
            json.dump({"compiler": present, "counts": counts}, file, indent=2)
            file.write("\n")
        return
    sys.exit(1 if worse else 0)


if __name__ == "__main__":
    main()
