#!/usr/bin/env python3
"""Measures Starlark programs beside another interpreter, in turns, and prints a table.

  benches/programs.py --rival COMMAND [--runs 7] PROGRAM[=COPY] ...

COMMAND runs a file that is given behind it (`starlark`, say, or `starlark --prelude stubs.star`). Where the other interpreter
finds what a program loads by other names, COPY is the same program as it needs it. What both print must agree.

One run of everybody, then the next round: so what else the machine does falls on all alike. Times are processor time, medians
with the least in brackets, memory is the peak of the process; a ratio is our median through theirs.
"""
import argparse
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import time

from beside import built

TIME = "/usr/bin/time"


def run(command):
    """Processor time, peak memory in MiB, and what it printed (some do so to the standard error)."""
    with tempfile.NamedTemporaryFile("r") as peak:
        # What is started from here directly would have this interpreter's memory in its peak.
        timed = [TIME, "--quiet", "-f", "%M", "-o", peak.name, *command]
        process = subprocess.Popen(timed, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        printed = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        if status != 0:
            sys.exit(f"programs.py: {shlex.join(command)} failed: {printed.decode(errors='replace')[-500:]}")
        return usage.ru_utime + usage.ru_stime, int(peak.read()) / 1024, printed


def shown(runs):
    times, peaks = [time for time, _, _ in runs], [peak for _, peak, _ in runs]
    return f"{statistics.median(times):.2f} ({min(times):.2f}) s, {statistics.median(peaks):.0f} MiB"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("programs", nargs="+", metavar="PROGRAM[=COPY]")
    parser.add_argument("--rival", required=True, metavar="COMMAND")
    parser.add_argument("--runs", type=int, default=7)
    options = parser.parse_args()
    if not os.path.exists(TIME):
        sys.exit(f"programs.py: there is no {TIME}, which tells the peak of memory: install it (the package `time`)")
    command = [built("build", "--release", "-p", "frazil-cli")["frazil"], "run", "--extended"]
    rival = shlex.split(options.rival)
    programs = [(path, copy or path) for path, _, copy in (name.partition("=") for name in options.programs)]
    results = {path: ([], []) for path, _ in programs}
    began, todo = time.time(), options.runs * len(programs)
    for turn in range(options.runs):
        for at, (path, copy) in enumerate(programs):
            for words, runs in zip([command + [path], rival + [copy]], results[path]):
                runs.append(run(words))
            if len({printed for runs in results[path] for _, _, printed in runs}) > 1:
                sys.exit(f"programs.py: {path} prints one thing here and another there")
            done = turn * len(programs) + at + 1
            left = (time.time() - began) / done * (todo - done)
            print(f"{os.path.basename(path):24} {left / 60:4.0f} min left", file=sys.stderr, flush=True)
    print(f"\n| program | frazil | {os.path.basename(rival[0])} | ratio |\n| --- | --- | --- | --- |")
    ratios = []
    for path, both in results.items():
        ours, theirs = (statistics.median(time for time, _, _ in runs) for runs in both)
        ratios.append(ours / theirs)
        print(f"| {os.path.basename(path)} | {shown(both[0])} | {shown(both[1])} | {ratios[-1]:.2f} |")
    print(f"\nGeometric mean of the ratios: {statistics.geometric_mean(ratios):.2f}")


if __name__ == "__main__":
    main()
