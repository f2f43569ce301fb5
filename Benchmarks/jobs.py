#!/usr/bin/env python3
"""Measures the job store and the runner; writes the section "Jobs" of Benchmarks/RESULTS.md.

    jobs.py --build .build/release [--clips FOLDER] [--only throughput,latency,claim,recovery,overhead] [--rounds N]

throughput: jobs a second of our store and of a loop in C with the same statements and transactions, in turns.
latency: from the call that enqueues, in one process, to the handler's start, in another that was idle.
claim: the time of one claim, and resident memory, with 1,000 to 1,000,000 jobs queued.
recovery: workers killed one after another, each while it runs a job; from the kill to the job's start in another one, on both stores,
and how long the survivors and the server's processes were ready meanwhile and waited for a processor.
overhead: CPU seconds of the worker's own process while it runs an encode in another one, against those of the encode by itself.
Needs a C compiler and libsqlite3-dev.
"""

import argparse
import glob
import json
import os
import resource
import select
import signal
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
BEGIN, END = "<!-- jobs: begin -->", "<!-- jobs: end -->"


def measured(command, **options):
    """Runs a command: its output, wall seconds, and CPU seconds with those of its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, **options)
    wall = time.monotonic() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return done.stdout, wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def quantile(values, q):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * q))]


def throughput(costs, scratch, rounds):
    loop = os.path.join(scratch, "loop")
    subprocess.run(["cc", "-O2", "-o", loop, os.path.join(HERE, "jobs-costs", "loop.c"), "-lsqlite3"], check=True)
    statements = os.path.join(scratch, "statements")
    os.makedirs(statements, exist_ok=True)
    subprocess.run([costs, "statements", statements], check=True)
    table = {}
    for mode, jobs in (("crash", 20000), ("power", 2000)):
        rows = {"ours": [], "c": []}
        for number in range(rounds):
            order = ["ours", "c"] if number % 2 == 0 else ["c", "ours"]
            for who in order:
                folder = tempfile.mkdtemp(dir=scratch)
                path = folder + "/jobs.sqlite"
                subprocess.run([costs, "prepare", path], check=True)
                command = [costs, "loop", path, str(jobs), mode] if who == "ours" else [loop, path, str(jobs), mode, statements]
                text, _, cpu = measured(command)
                times = json.loads(text)
                rows[who].append((times["enqueue"], times["run"], cpu))
        pairs = list(zip(rows["ours"], rows["c"]))
        table[mode] = {
            "jobs": jobs,
            "rounds": rounds,
            "oursPerSecond": statistics.median(jobs / (o[0] + o[1]) for o, _ in pairs),
            "cPerSecond": statistics.median(jobs / (c[0] + c[1]) for _, c in pairs),
            "enqueue": statistics.median(c[0] / o[0] for o, c in pairs),
            "run": statistics.median(c[1] / o[1] for o, c in pairs),
            "whole": statistics.median((c[0] + c[1]) / (o[0] + o[1]) for o, c in pairs),
            "cpu": statistics.median(c[2] / o[2] for o, c in pairs),
        }
    return table


def latency(costs, scratch, jobs=400):
    path = tempfile.mkdtemp(dir=scratch) + "/jobs.sqlite"
    subprocess.run([costs, "prepare", path], check=True)
    started, begun = os.path.join(scratch, "started"), os.path.join(scratch, "begun")
    runner = subprocess.Popen([costs, "runner", path, str(jobs), started])
    time.sleep(0.5)
    subprocess.run([costs, "enqueue", path, str(jobs), begun], check=True)
    runner.wait(timeout=60)
    starts, memory = {}, 0
    for line in open(started):
        name, value = line.split()
        if name == "resident":
            memory = int(value)
        else:
            starts[name] = int(value)
    times = [(starts[name] - int(value)) / 1e6 for name, value in (line.split() for line in open(begun))]
    return {"jobs": jobs, "p50": quantile(times, 0.5), "p99": quantile(times, 0.99), "longest": max(times), "residentKiB": memory,
            "load": os.getloadavg()[0]}


def claim(costs, scratch, rounds):
    path = tempfile.mkdtemp(dir=scratch) + "/jobs.sqlite"
    table, queued = [], 0
    for wanted in (1000, 10_000, 100_000, 1_000_000):
        subprocess.run([costs, "fill", path, str(wanted - queued)], check=True)
        answers = [json.loads(measured([costs, "claim", path, "100"])[0]) for _ in range(rounds)]
        table.append({"queued": wanted, "p50": min(a["p50"] for a in answers), "p99": min(a["p99"] for a in answers),
                      "residentKiB": max(a["residentKiB"] for a in answers), "plan": answers[0]["plan"]})
        queued = wanted - 100 * rounds
    return table


class PostgreSQL:
    """A server of its own on a unix socket; `initdb` refuses root, which becomes the user postgres for it."""

    BIN = "/usr/lib/postgresql/15/bin/"

    def __init__(self, scratch):
        self.folder = tempfile.mkdtemp(dir=scratch)
        self.run = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if self.run:
            os.chmod(scratch, 0o755)
            subprocess.run(["chown", "postgres", self.folder], check=True)
        quiet = {"check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": "/"}
        subprocess.run([*self.run, self.BIN + "initdb", "-D", self.folder + "/data", "-A", "trust", "-U", "postgres", "--no-sync"], **quiet)
        self.control = [*self.run, self.BIN + "pg_ctl", "-D", self.folder + "/data", "-l", self.folder + "/log", "-w"]
        subprocess.run([*self.control, "-o", f"-k {self.folder} -c listen_addresses=", "start"], **quiet)

    def url(self):
        return f"postgresql://postgres@/postgres?host={self.folder}"

    def processes(self):
        postmaster = open(self.folder + "/data/postmaster.pid").readline().strip()
        return [int(word) for word in [postmaster, *open(f"/proc/{postmaster}/task/{postmaster}/children").read().split()]]

    def stop(self):
        subprocess.run([*self.control, "-m", "immediate", "stop"], check=True, stdout=subprocess.DEVNULL, cwd="/")


def recovery(costs, scratch, deaths, idle):
    """Kills whoever runs the job; nothing else happens meanwhile. Milliseconds since the kill, of each step."""
    table = {}

    def waited(pids):
        """Nanoseconds that the threads of processes were ready and did not run, by thread (`/proc/PID/task/TID/schedstat`)."""
        found = {}
        for pid in pids:
            for path in glob.glob(f"/proc/{pid}/task/*/schedstat"):
                try:
                    found[path] = int(open(path).read().split()[1])
                except OSError:
                    pass
        return found

    for kind in ("sqlite", "postgresql"):
        server = PostgreSQL(scratch) if kind == "postgresql" else None
        folder = tempfile.mkdtemp(dir=scratch)
        store = "recovery=" + server.url() if server else folder + "/jobs.sqlite"
        journal = folder + "/journal"
        workers = {}

        def start():
            process = subprocess.Popen([costs, "holder", store, folder, journal])
            workers[process.pid] = process

        def lines(after):
            with open(journal) as file:
                file.seek(after)
                return [line.split() for line in file.read().splitlines()]

        def wait(after, what):
            end = time.monotonic() + 30
            while time.monotonic() < end:
                if os.path.exists(journal):
                    for line in lines(after):
                        if line[0] == "failed":
                            sys.exit("jobs.py: " + " ".join(line))
                        if what(line):
                            return line
                time.sleep(0.005)
            sys.exit("jobs.py: nobody took the job")

        try:
            subprocess.run([costs, "hold", store], check=True, stdout=subprocess.DEVNULL)
            for _ in range(idle + 1):
                start()
            holder = int(wait(0, lambda line: line[0] == "began")[1])
            steps = {"hung up": [], "recovered": [], "claimed": [], "began": []}
            waits = []
            for number in range(deaths):
                # Not in step with heartbeats.
                time.sleep(0.25 + (number * 37 % 100) / 400)
                place = os.path.getsize(journal)
                name = next(line[2] for line in lines(0) if line[0] == "started" and int(line[1]) == holder)
                sign = os.open(f"{folder}/workers/{name}", os.O_RDONLY | os.O_NONBLOCK)
                hangs_up = select.poll()
                hangs_up.register(sign, 0)
                watched = [pid for pid in workers if pid != holder] + (server.processes() if server else [])
                before = waited(watched)
                killed = time.monotonic_ns()
                os.kill(holder, signal.SIGKILL)
                hangs_up.poll(1000)
                steps["hung up"].append((time.monotonic_ns() - killed) / 1e6)
                os.close(sign)
                workers.pop(holder).wait()
                holder = int(wait(place, lambda line: line[0] == "began")[1])
                waits.append(sum(after - before[path] for path, after in waited(watched).items() if path in before) / 1e6)
                for line in lines(place):
                    if line[0] in steps:
                        steps[line[0]].append((int(line[-1]) - killed) / 1e6)
                start()
            # Several may have waited at once: what is left over is a lower bound.
            rest = [max(0, whole - wait) for whole, wait in zip(steps["began"], waits)]
            table[kind] = {"deaths": deaths, "idle": idle, "load": os.getloadavg()[0],
                           "waits": {"p50": quantile(waits, 0.5), "p99": quantile(waits, 0.99)},
                           "rest": {"p50": quantile(rest, 0.5), "p99": quantile(rest, 0.99)},
                           "steps": {name: {"p50": quantile(times, 0.5), "p99": quantile(times, 0.99), "longest": max(times), "count": len(times)}
                                     for name, times in steps.items()}}
        finally:
            for process in workers.values():
                process.kill()
                process.wait()
            if server:
                server.stop()
    return table


def own_seconds(pid):
    """CPU seconds of a process with its threads that have ended, without its children."""
    fields = open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def overhead(build, clips, scratch, rounds):
    """An encode runs in a process of its own: what the worker's process takes meanwhile is what the job costs."""
    reel, clip = build + "/reel", os.path.join(clips, "c1.mp4")
    folder = tempfile.mkdtemp(dir=scratch)
    environment = dict(os.environ, HOME=folder, XDG_STATE_HOME=folder + "/state", XDG_CACHE_HOME=folder + "/cache")
    store = ["--store", folder + "/jobs.sqlite"]
    by_itself = measured([reel, "encode", clip, "-o", folder + "/plain.mp4", "--speed", "medium", "--quiet"], env=environment)[2]
    worker = subprocess.Popen([reel, "worker", *store], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    costs, submits, walls = [], [], []
    try:
        time.sleep(2)
        start_up = own_seconds(worker.pid)
        for number in range(rounds):
            output = f"{folder}/{number}.mp4"
            spec = {"kind": "encode", "payload": {"speed": "medium"}, "class": "encode", "inputs": {"input": clip}, "outputs": {"output": output}}
            before, begun = own_seconds(worker.pid), time.monotonic()
            submits.append(measured([reel, "jobs", "submit", "-", *store], input=json.dumps(spec), env=environment)[2])
            while not os.path.exists(output):
                time.sleep(0.2)
                if worker.poll() is not None or time.monotonic() - begun > 600:
                    sys.exit("jobs.py: the job did not finish")
            time.sleep(1)
            costs.append(own_seconds(worker.pid) - before)
            walls.append(time.monotonic() - begun)
    finally:
        worker.terminate()
        worker.wait()
    return {"clip": "c1.mp4", "rounds": rounds, "plain": by_itself, "runner": max(costs), "median": statistics.median(costs),
            "submit": statistics.median(submits), "startUp": start_up, "wall": statistics.median(walls), "ratio": max(costs) / by_itself}


def markdown(found):
    lines = [BEGIN, "## Jobs", "", "`Benchmarks/jobs.py`; SQLite store. Machine: %s threads." % os.cpu_count(), ""]
    if "throughput" in found:
        lines += ["Jobs a second through the store (enqueue 100 a transaction, claim 8, complete 1 a transaction), against a loop in C over "
                  "libsqlite3 with the same statements and transactions; the medians of rounds in turns. Limit: 0.8.", "",
                  "| durability | ours, jobs/s | C, jobs/s | ratio | enqueue | claim and complete | CPU |", "|---|---|---|---|---|---|---|"]
        for mode, row in found["throughput"].items():
            lines.append(f"| {mode}-safe | {row['oursPerSecond']:.0f} | {row['cPerSecond']:.0f} | {row['whole']:.2f} | {row['enqueue']:.2f} | "
                         f"{row['run']:.2f} | {row['cpu']:.2f} |")
        lines.append("")
    if "latency" in found:
        row = found["latency"]
        lines += [f"Enqueue in one process to start of the handler in another that was idle, {row['jobs']} jobs: p50 {row['p50']:.2f} ms, "
                  f"p99 {row['p99']:.2f} ms (limit 5), longest {row['longest']:.2f} ms; load average {row['load']:.1f}. The runner's resident memory: "
                  f"{row['residentKiB'] / 1024:.1f} MiB.", ""]
    if "claim" in found:
        lines += ["One claim, and the resident memory of the process that claims (limit 40 MB), by the length of the queue:", "",
                  "| queued | p50 µs | p99 µs | resident MiB |", "|---|---|---|---|"]
        for row in found["claim"]:
            lines.append(f"| {row['queued']:,} | {row['p50']:.0f} | {row['p99']:.0f} | {row['residentKiB'] / 1024:.1f} |")
        lines += ["", "Query plan, the same at every length:", "", "```"] + found["claim"][-1]["plan"] + ["```", ""]
    if "recovery" in found:
        row = next(iter(found["recovery"].values()))
        lines += [f"A worker that runs a job is killed, {row['deaths']} times one after another, beside {row['idle']} idle one; milliseconds from the kill to the "
                  "hang-up of its sign (as another process sees it), to its job being back in the queue, claimed, and begun by the other (limit 50):", "",
                  "| store | step | p50 | p99 | longest |", "|---|---|---|---|---|"]
        for kind, row in found["recovery"].items():
            for name, step in row["steps"].items():
                lines.append(f"| {kind} | {name} | {step['p50']:.1f} | {step['p99']:.1f} | {step['longest']:.1f} |")
        lines.append("")
        for kind, row in found["recovery"].items():
            if "waits" in row:
                lines += [f"{kind}, load average {row['load']:.1f}: meanwhile the survivors' threads" + (" and the server's processes" if kind == "postgresql" else "") +
                          f" were ready and waited for a processor for {row['waits']['p50']:.1f} ms (p99 {row['waits']['p99']:.1f}); without that the start would be "
                          f"{row['rest']['p50']:.1f} ms (p99 {row['rest']['p99']:.1f}) after the kill, or more where several waited at once.", ""]
    if "overhead" in found:
        row = found["overhead"]
        lines += [f"What a job costs beside its work: `reel worker` (a process of its own; the encode runs in another) takes {row['median']:.2f} CPU seconds from the "
                  f"submission of an encode of {row['clip']} to a second after its end (median of {row['rounds']}, at most {row['runner']:.2f}; the clock counts hundredths), with claim, "
                  f"heartbeats over {row['wall']:.0f} s of wall time, progress, store, publication, sidecar and log; the encode by itself takes {row['plain']:.1f}. "
                  f"That is {100 * row['ratio']:.2f} % at most (limit 0.5), most of it by the wall time that the encode takes. The command that submits it takes {row['submit']:.2f}, the worker's start {row['startUp']:.2f}.", ""]
    return "\n".join(lines + [END])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True)
    parser.add_argument("--clips", default=os.environ.get("REELWRIGHT_CLIPS", ""))
    parser.add_argument("--only", default="throughput,latency,claim,recovery,overhead")
    parser.add_argument("--deaths", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    costs = arguments.build + "/jobs-costs"
    path = os.path.join(HERE, "results-jobs.json")
    found = json.load(open(path)) if os.path.exists(path) else {}
    with tempfile.TemporaryDirectory(prefix="reel-jobs-", dir=os.environ.get("TMPDIR", "/var/tmp")) as scratch:
        for part in arguments.only.split(","):
            if part == "throughput":
                found[part] = throughput(costs, scratch, arguments.rounds)
            elif part == "latency":
                found[part] = latency(costs, scratch)
            elif part == "claim":
                found[part] = claim(costs, scratch, min(arguments.rounds, 3))
            elif part == "recovery":
                found[part] = recovery(costs, scratch, arguments.deaths, 1)
            elif part == "overhead":
                found[part] = overhead(arguments.build, arguments.clips, scratch, arguments.rounds)
            print(part, json.dumps(found[part]))
    with open(path, "w") as file:
        json.dump(found, file, indent=1)
        file.write("\n")
    results = os.path.join(HERE, "RESULTS.md")
    text = open(results).read()
    section = markdown(found)
    if BEGIN in text:
        text = text[: text.index(BEGIN)] + section + text[text.index(END) + len(END):]
    else:
        text = text.rstrip() + "\n\n" + section + "\n"
    with open(results, "w") as file:
        file.write(text)


if __name__ == "__main__":
    main()
