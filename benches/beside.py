#!/usr/bin/env python3
"""Measures frazil beside other memory managers that run the same workloads, in turns, and writes a table.

  benches/beside.py PEERS [--runs 7] [--works w1,w2a,...] [--peers c-mimalloc,...] [--log FILE] [--readme]
  benches/beside.py --from FILE [--readme]

PEERS is a folder with a program `run` that knows the peers (`PEERS`, `WORK`, `one`, `present`) and has built them. All
programs print the same two lines: a checksum, which must agree, and the figures of the phase under test. One run of
everybody, then the next round: so what else the machine does falls on all alike.

A ratio is the median of ours through the median of theirs; behind it stands the range of the ratios of the single
rounds. --log keeps every run (a JSON object a line), --from makes the table of one, --readme puts it into README.md.
"""
import argparse
import collections
import datetime
import importlib.machinery
import importlib.util
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
OURS = "frazil"
MARKS = ("<!-- beside -->", "<!-- /beside -->")


def knowledge(folder):
    """The module that knows the peers."""
    path = os.path.join(folder, "run")
    if not os.path.exists(path):
        sys.exit(f"beside.py: there is no {path}")
    loader = importlib.machinery.SourceFileLoader("peers", path)
    spec = importlib.util.spec_from_loader("peers", loader)
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def built(*arguments):
    """Builds something with cargo, and says where the programs are, by name."""
    command = ["cargo", *arguments, "--message-format", "json"]
    lines = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
    messages = [message for message in map(json.loads, lines) if message.get("executable")]
    return {message["target"]["name"]: message["executable"] for message in messages}


def measure(known, programs, options):
    """Runs everybody in turns; gives every run as a dictionary."""
    def command(arguments, _log):
        if arguments[0] == "w7":
            return [programs["pipeline"]] + arguments[1:]
        return [programs["workloads"]] + arguments

    everybody = [known.Peer(OURS, "", command)]
    everybody += [peer for peer in known.PEERS if known.present(peer) and (not options.peers or peer.name in options.peers)]
    works = [work for work in known.ALL if not options.works or work in options.works]
    todo = [(turn, work, peer) for turn in range(options.runs) for work in works for peer in everybody if work in peer.works]
    checksums, failed, runs, began = {}, set(), [], time.time()
    for done, (turn, work, peer) in enumerate(todo):
        if (work, peer.name) in failed:
            continue
        run = known.one(peer, work, known.WORK[work][0])
        if "error" not in run and checksums.setdefault(work, run["checksum"]) != run["checksum"]:
            sys.exit(f"beside.py: {peer.name} has checksum {run['checksum']} in {work}, others have {checksums[work]}")
        if "error" in run:
            failed.add((work, peer.name))
            print(f"{work} {peer.name}: {run['error']}", file=sys.stderr)
            continue
        runs.append(dict(run, work=work, peer=peer.name, turn=turn, argv=known.WORK[work][0]))
        if options.log:
            with open(options.log, "a", encoding="utf-8") as log:
                log.write(json.dumps(runs[-1]) + "\n")
        left = (time.time() - began) / (done + 1) * (len(todo) - done - 1)
        print(f"{work:4} {peer.name:12} {run['elapsed']:8.3f} s {run['rss_mb']:6.0f} MB   {left / 60:4.0f} min left", flush=True)
    return runs


def table(runs):
    """The table, as text."""
    of = collections.defaultdict(list)
    for run in runs:
        of[run["work"], run["peer"]].append(run)
    works = list(dict.fromkeys(run["work"] for run in runs))
    peers = [peer for peer in dict.fromkeys(run["peer"] for run in runs) if peer != OURS]
    lines = [f"| | {OURS}: seconds | peak MB | gap ms | {' | '.join(peers)} |", "| --- " * (len(peers) + 4) + "|"]
    for work in works:
        mine = of[work, OURS]
        times = [run["elapsed"] for run in mine]
        gap = min(run.get("maxgap", 0) for run in mine) * 1000
        cells = [f"`{mine[0]['argv']}`", f"{statistics.median(times):.3f} ({min(times):.3f} to {max(times):.3f})",
                 f"{statistics.median(run['rss_mb'] for run in mine):.0f}", f"{gap:.1f}" if gap else ""]
        lines.append("| " + " | ".join(cells + [ratio(mine, of.get((work, peer))) for peer in peers]) + " |")
    return "\n".join(lines)


def ratio(mine, theirs):
    """Ours through theirs: of the medians, and the range over the rounds."""
    if not theirs:
        return ""
    median = statistics.median(run["elapsed"] for run in mine) / statistics.median(run["elapsed"] for run in theirs)
    by_turn = {run["turn"]: run["elapsed"] for run in theirs}
    single = [run["elapsed"] / by_turn[run["turn"]] for run in mine if run["turn"] in by_turn]
    return f"{median:.2f} ({min(single):.2f} to {max(single):.2f})"


def circumstances(runs):
    """When and where, and how busy it was."""
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        model = re.search(r"model name\s*: (.*)", info.read())
    others = statistics.median(run.get("others", 0) for run in runs)
    count = 1 + max(run["turn"] for run in runs)
    return (f"{datetime.date.today()}, {os.cpu_count()} cores of an {model.group(1) if model else platform.machine()}; medians of "
            f"{count} rounds; other processes took {others:.2f} cores meanwhile. Ratios: ours through theirs, below 1 is faster; "
            "gap: the longest time between two marks of the mutator, the least of the rounds.")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = lambda text: text.split(",")
    parser.add_argument("folder", nargs="?", metavar="PEERS")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--works", type=names)
    parser.add_argument("--peers", type=names)
    parser.add_argument("--log")
    parser.add_argument("--from", dest="source")
    parser.add_argument("--readme", action="store_true")
    options = parser.parse_args()
    if options.source:
        with open(options.source, encoding="utf-8") as log:
            runs = [json.loads(line) for line in log]
    elif options.folder:
        runs = measure(knowledge(options.folder), built("bench", "--no-run", "--bench", "workloads", "--bench", "pipeline"), options)
    else:
        parser.error("give the folder with the peers, or --from")
    if not runs:
        sys.exit("beside.py: nothing ran")
    text = f"{circumstances(runs)}\n\n{table(runs)}"
    print(text)
    if options.readme:
        path = os.path.join(ROOT, "README.md")
        with open(path, encoding="utf-8") as readme:
            before, rest = readme.read().split(MARKS[0])
        after = rest.split(MARKS[1])[1]
        with open(path, "w", encoding="utf-8") as readme:
            readme.write(f"{before}{MARKS[0]}\n{text}\n{MARKS[1]}{after}")


if __name__ == "__main__":
    main()
