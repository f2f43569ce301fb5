#!/usr/bin/env python3
"""Forces every row of the fault table on `reel`, and says which did not behave.

usage: fault_table.py --reel .build/release/reel [--rows NAME,…] [--points N] [--table FILE]

A row is a function that yields a text for each thing that is wrong. --points: at how many system calls faults are put (default 12;
the full table takes 300). Needs strace, faketime, ffmpeg; the last row also the shared bombs. Exit 1 when a row did not behave.
"""
import argparse, inspect, os, pathlib, re, signal, socket, struct, subprocess, sys, time

import kit, network

ENCODE = ["--speed", "ultrafast", "--threads", "2"]


class Bench:
    """One clip, the program, and how many points to try."""

    def __init__(self, reel, points, folder):
        self.reel, self.points = reel, points
        self.folder = pathlib.Path(folder)
        self.clip = self.folder / "clip.mp4"
        subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=30:duration=4", "-f", "lavfi", "-i",
                        "sine=duration=4", "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac", "-shortest",
                        self.clip], check=True)

    def encode(self, folder, source=None, *more):
        return [self.reel, "encode", source or self.clip, "-o", pathlib.Path(folder) / "out.mp4", *ENCODE, *more]

    def spread(self, total):
        """Points 1…total, at most `points` of them, evenly."""
        count = min(self.points, total)
        return sorted({1 + round(index * (total - 1) / max(1, count - 1)) for index in range(count)})

    def count(self, folder, expression):
        """How often the traced calls happen in a plain run."""
        log = pathlib.Path(folder) / "trace"
        subprocess.run(["strace", "-f", "-qq", "-e", f"trace={expression}", "-o", log, *map(str, self.encode(folder))], capture_output=True,
                       env=kit.environment(folder), check=True)
        calls = [line for line in log.read_text().splitlines() if "(" in line and "resumed" not in line]
        for name in ("out.mp4", "out.mp4.sidecar.json", "trace"):
            (pathlib.Path(folder) / name).unlink(missing_ok=True)
        return calls


def refused(outcome, folder, statuses, known=()):
    """A failure as it must be: the right status, one line, nothing left."""
    if outcome.status not in statuses:
        yield f"status {outcome.status} instead of {sorted(statuses)}: {outcome.line}"
    elif not re.search(r"^reel: .+", outcome.errors, re.M):
        yield f"no error line, but: {outcome.errors.strip()[-200:]}"
    elif "forbidden" in outcome.errors:
        yield f"the fault did not arrive: {outcome.line}"
    if kit.left_behind(folder, known):
        yield f"left behind: {kit.left_behind(folder, known)}"


def read_error(bench):
    """A read error in mid-input is 'input is incomplete' (65) or the error itself (74); never a short output."""
    with kit.scratch() as folder:
        total = sum(1 for call in bench.count(folder, "pread64") if not call.rstrip().endswith("= 0"))
    # Linking reads files by pread64 too: only those on the clip count.
    for point in bench.spread(max(2, total)):
        with kit.scratch() as folder:
            outcome = kit.run(["strace", "-f", "-qq", "-o", "/dev/null", "-P", bench.clip, "-e", "trace=pread64", "-e",
                               # A sealed process may make no call number -1, by which strace stands in for the call: gettid takes its place.
                               f"inject=pread64:error=EIO:syscall=gettid:when={point}+", *bench.encode(folder)], folder)
            if outcome.status == 0:
                # So late that nothing more had to be read.
                frames = frame_count(pathlib.Path(folder) / "out.mp4")
                if frames != 120:
                    yield f"read {point}: status 0 with {frames} of 120 frames"
                continue
            yield from (f"read {point}: {text}" for text in refused(outcome, folder, {65, 74}))


def truncated(bench):
    """A truncated input is 65; with --allow-incomplete its rest is kept and the report says so."""
    data = bench.clip.read_bytes()
    moov_first = bench.folder / "faststart.mp4"
    subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", "-i", bench.clip, "-c", "copy", "-movflags", "+faststart", moov_first], check=True)
    for source, name in ((data, "index last"), (moov_first.read_bytes(), "index first")):
        for point in bench.spread(bench.points):
            size = len(source) * point // (bench.points + 1)
            with kit.scratch() as folder:
                cut = pathlib.Path(folder) / "cut.mp4"
                cut.write_bytes(source[:size])
                outcome = kit.run(bench.encode(folder, cut), folder)
                yield from (f"{name}, {size} bytes: {text}" for text in refused(outcome, folder, {65}, {"cut.mp4"}))
                outcome = kit.run(bench.encode(folder, cut, "--allow-incomplete", "--json"), folder)
                if outcome.status == 0 and "incomplete" not in outcome.output:
                    yield f"{name}, {size} bytes: --allow-incomplete does not say so"


def write_error(bench):
    """No space and I/O errors at every n-th write of the output: 74, nothing at the final path."""
    with kit.scratch() as folder:
        total = len(bench.count(folder, "pwrite64"))
    for error in ("ENOSPC", "EIO"):
        for point in bench.spread(max(1, total)):
            with kit.scratch() as folder:
                outcome = kit.run(["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=pwrite64", "-e",
                                   f"inject=pwrite64:error={error}:syscall=gettid:when={point}+", *bench.encode(folder)], folder)
                yield from (f"{error} at write {point} of {total}: {text}" for text in refused(outcome, folder, {74}))
                cause = {"ENOSPC": "space", "EIO": "error"}[error]
                if "out.mp4" not in outcome.line or cause not in outcome.line:
                    yield f"{error} at write {point}: path or cause is not named: {outcome.line}"


def interrupted(bench, name, points):
    """Both processes get a signal at their n-th system call: nothing at the final path or all of it; nothing else left."""
    with kit.scratch() as folder:
        total = len(bench.count(folder, "all"))
    for point in bench.spread(total)[::max(1, bench.points // points)]:
        with kit.scratch() as folder:
            # when= counts by process: the orchestrator and the worker are both cut down at their n-th call.
            outcome = kit.run(["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=all", "-e", f"inject=all:signal={name}:when={point}",
                               *bench.encode(folder)], folder)
            time.sleep(0.05)
            where = f"{name} at call {point} of {total}"
            out = pathlib.Path(folder) / "out.mp4"
            if outcome.status == "hang":
                yield f"{where}: no end"
            if out.exists() and frame_count(out) != 120:
                yield f"{where}: a short output at the final path"
            if outcome.status == 0 and not out.exists():
                yield f"{where}: status 0 without an output"
            # A sidecar is published first; the next start sweeps one without its output.
            strangers = kit.left_behind(folder, {"out.mp4", "out.mp4.sidecar.json"})
            if strangers:
                yield f"{where}: left behind {strangers}"


def killed(bench):
    """SIGKILL of the orchestrator, and of its worker, at any system call: nothing at the final path or all of it; nothing else left."""
    yield from interrupted(bench, "KILL", bench.points)


def terminated(bench):
    """SIGTERM at any system call: the same."""
    yield from interrupted(bench, "TERM", max(6, bench.points // 5))


def children(pid, *name):
    return [int(child) for child in subprocess.run(["pgrep", "-P", str(pid), *name], capture_output=True, text=True).stdout.split()]


def worker_of(pid):
    """The worker at work: the child of the warm one where there is one, else the warm one itself."""
    for first in children(pid, "reel-worker"):
        return next(iter(children(first)), first)
    return None


def has_open(pid, path):
    """Whether a process holds a file open."""
    try:
        return any(os.path.realpath(f"/proc/{pid}/fd/{name}") == str(path) for name in os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return False


def worker_dies(bench):
    """The worker killed in mid-run: a named error, nothing left, no hang."""
    # Killed from outside is worth another try (75); a crash is the file's fault, or that of the memory limit.
    for signal_, statuses in ((signal.SIGKILL, {75}), (signal.SIGSEGV, {65, 77}), (signal.SIGABRT, {65, 77})):
        with kit.scratch() as folder:
            started = subprocess.Popen([str(part) for part in bench.encode(folder, None, "--size", "1920x1080")], stderr=subprocess.PIPE,
                                       stdout=subprocess.PIPE, env=kit.environment(folder), text=True)
            worker = None
            for _ in range(400):
                worker = worker_of(started.pid)
                if worker is not None:
                    break
                time.sleep(0.01)
            if worker is None:
                yield "no worker was seen"
                started.kill()
                started.communicate()
                continue
            time.sleep(0.2)
            # By now the warm one, which may have been seen alone, has forked the one at work.
            worker = worker_of(started.pid) or worker
            try:
                os.kill(worker, signal_)
            except ProcessLookupError:
                yield f"{signal_.name}: the run was over before it"
            output, errors = started.communicate(timeout=60)
            yield from (f"{signal_.name}: {text}" for text in
                        refused(kit.Outcome(started.returncode, output, errors, 0), folder, statuses))


def clock_jumps(bench):
    """A wall clock that jumps by a year in mid-run does not get into durations."""
    with kit.scratch() as folder:
        # The clock runs 2,000,000 times too fast; durations are measured by the monotonic one, which is left alone.
        outcome = kit.run(["env", "NO_FAKE_STAT=1", "faketime", "--exclude-monotonic", "-f", "+0 x2000000", *bench.encode(folder, None, "--json")], folder)
        document = outcome.document
        if outcome.status != 0 or not document:
            yield f"status {outcome.status}: {outcome.line}"
            return
        wall = document["files"][0]["report"]["timings"]["wallSeconds"]
        if not 0 < wall <= outcome.seconds + 1:
            yield f"a run of {outcome.seconds:.1f} s reports {wall} s"


def output_is_link(bench):
    """A symbolic link at the final path is refused, with --overwrite too; its target stays."""
    for more in ([], ["--overwrite"]):
        with kit.scratch() as folder:
            target = pathlib.Path(folder) / "target"
            target.write_text("mine")
            (pathlib.Path(folder) / "out.mp4").symlink_to(target)
            outcome = kit.run(bench.encode(folder, None, *more), folder)
            yield from refused(outcome, folder, {73}, {"target", "out.mp4"})
            if target.read_text() != "mine":
                yield "the target was written"


def two_runs(bench):
    """Of two runs on one output one succeeds; the other is refused; the output is whole."""
    with kit.scratch() as folder:
        runs = [subprocess.Popen([str(part) for part in bench.encode(folder)], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
                                 env=kit.environment(folder)) for _ in range(2)]
        for run in runs:
            run.communicate()
        ends = sorted(run.returncode for run in runs)
        if ends != [0, 73]:
            yield f"statuses {ends} instead of [0, 73]"
        elif frame_count(pathlib.Path(folder) / "out.mp4") != 120:
            yield "the output is not whole"
        if kit.left_behind(folder, {"out.mp4", "out.mp4.sidecar.json"}):
            yield f"left behind: {kit.left_behind(folder)}"


def odd_inputs(bench):
    """A FIFO, devices, a socket and a folder without media are refused at once."""
    with kit.scratch() as folder:
        fifo = pathlib.Path(folder) / "fifo.mp4"
        os.mkfifo(fifo)
        (pathlib.Path(folder) / "empty").mkdir()
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(f"{folder}/socket.mp4")
            for source in (fifo, "/dev/zero", "/dev/null", "/proc/self/mem", f"{folder}/empty", f"{folder}/socket.mp4"):
                outcome = kit.run(bench.encode(folder, source), folder, limit=20)
                yield from (f"{source}: {text}" for text in refused(outcome, folder, {65, 66, 77}))


def changing_input(bench):
    """An input that is cut or written in mid-run: 65, or the whole output of what it was."""
    actions = {"cut": lambda path: os.truncate(path, path.stat().st_size // 2), "emptied": lambda path: os.truncate(path, 0),
               "written": lambda path: path.open("r+b").write(b"\0" * 200_000), "appended": lambda path: path.open("ab").write(b"\0" * 1000)}
    for name, action in actions.items():
        with kit.scratch() as folder:
            source = pathlib.Path(folder) / "in.mp4"
            subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-stream_loop", "9", "-i", bench.clip, "-c", "copy", source], check=True)
            started = subprocess.Popen([str(part) for part in bench.encode(folder, source, "--size", "1920x1080")], stderr=subprocess.PIPE,
                                       stdout=subprocess.PIPE, env=kit.environment(folder), text=True)
            # From the moment of its opening the file must stay as it is.
            while started.poll() is None and not has_open(started.pid, source):
                time.sleep(0.01)
            time.sleep(0.5)
            running = started.poll() is None
            action(source)
            output, errors = started.communicate(timeout=300)
            if not running:
                yield f"{name}: the run was over before it"
                continue
            yield from (f"{name}: {text}" for text in
                        refused(kit.Outcome(started.returncode, output, errors, 0), folder, {65, 74}, {"in.mp4"}))


def allocation_failure(bench):
    """No memory: a limit of the worker's memory, from far too little to almost enough; a named error or a whole output."""
    for mebibytes in (64, 96, 128, 160, 192, 256, 320, 512):
        with kit.scratch() as folder:
            outcome = kit.run(bench.encode(folder, None, "--limit", f"memory={mebibytes}MiB"), folder)
            if outcome.status == 0:
                if frame_count(pathlib.Path(folder) / "out.mp4") != 120:
                    yield f"{mebibytes} MiB: a short output with status 0"
            else:
                yield from (f"{mebibytes} MiB: {text}" for text in refused(outcome, folder, {64, 65, 70, 77}))


def bombs(bench):
    """Small files that claim to be huge are refused within 2 CPU seconds and 512 MiB, naming the limit and its option."""
    found = kit.shared()
    if not found:
        return
    with kit.scratch() as made:
        subprocess.run([sys.executable, found / "faults" / "mkbombs.py", made], check=True)
        more_bombs(pathlib.Path(made))
        for bomb in sorted(pathlib.Path(made).iterdir()):
            for command in (["probe", bomb], ["encode", bomb, "-o", "out.mp4"], ["frames", bomb, "--count", "4", "-o", "frames"]):
                with kit.scratch() as folder:
                    outcome = kit.run(["time", "-f", "%U %S %M", bench.reel, *command], folder, cwd=folder)
                    if outcome.status == "hang":
                        yield f"{command[0]} {bomb.name}: no end after {kit.LIMIT_SECONDS} s"
                        continue
                    user, system, peak = outcome.errors.strip().splitlines()[-1].split()
                    where = f"{command[0]} {bomb.name}"
                    if float(user) + float(system) > 2 or int(peak) > 512 << 10:
                        yield f"{where}: {float(user) + float(system):.1f} CPU s, {int(peak) >> 10} MiB"
                    if outcome.status not in kit.STATUSES:
                        yield f"{where}: status {outcome.status}"
                    # Two of the shared ones are broken before they are too large.
                    if bomb.name not in ("t900.mp4", "t100k.mp4", "endless.mp4", "endless.264") and outcome.status != 77:
                        yield f"{where}: status {outcome.status} instead of 77: {outcome.line}"
                    if outcome.status == 77 and "--limit" not in outcome.errors:
                        yield f"{where}: the refusal names no option: {outcome.line}"


def more_bombs(folder):
    """Bombs besides the shared ones: endless files, thousands of streams, pictures of a giant size that do decode."""
    # Sparse files of 8 TiB: real heads, then nothing.
    wave = b"RIFF" + struct.pack("<I", 0xFFFFFFFF) + b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 2, 48000, 192000, 4, 16) + b"data" + struct.pack("<I", 0xFFFFFFFF)
    packet = b"\x47\x1f\xff\x10" + b"\xff" * 184
    frame = b"\xff\xfb\x90\x64" + b"\0" * 413
    for name, head in (("endless.wav", wave), ("endless.ts", packet * 50), ("endless.mp3", frame * 20), ("endless.mp4", b""), ("endless.264", b"\0\0\0\1")):
        path = folder / name
        path.write_bytes(head)
        os.truncate(path, 8 << 40)
    # Two hundred tracks.
    for name in ("tracks.mkv", "tracks.mov"):
        subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i", "sine=sample_rate=8000:duration=0.1", *["-map", "0:a"] * 200, "-c:a",
                        "pcm_s16le", folder / name], check=True)
    # 60,000 x 60,000 in headers of a few bytes; then sizes that do decode.
    (folder / "giant.bmp").write_bytes(b"BM" + struct.pack("<IHHIIiiHHIIIIII", 4158, 0, 0, 62, 40, 60000, 60000, 1, 1, 0, 0, 0, 0, 2, 0) + b"\0" * 8 + b"\0" * 4096)
    (folder / "giant.pgm").write_bytes(b"P5\n60000 60000\n255\n" + b"\0" * 4096)
    subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i", "color=black:size=16000x15000:rate=1:duration=2", "-c:v", "mjpeg",
                    folder / "giant.avi"], check=True)
    subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i", "color=black:size=16000x16000:rate=1:duration=2", "-c:v", "ffv1", "-pix_fmt",
                    "gray", folder / "giant.mkv"], check=True)


def pointing_elsewhere(bench):
    """Playlists, scripts and subtitles that name files and addresses: nothing is opened, nothing is sent."""
    texts = {"list.m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nCANARY\n#EXT-X-ENDLIST\n",
             "list.concat": "ffconcat version 1.0\nfile 'CANARY'\n", "s.sdp": "v=0\no=- 0 0 IN IP4 169.254.169.254\ns=x\nc=IN IP4 169.254.169.254\nm=video 5004 RTP/AVP 96\n",
             "m.mpd": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT10S"><Period><BaseURL>CANARY</BaseURL><AdaptationSet><Representation id="1" bandwidth="1"><SegmentList><SegmentURL media="CANARY"/></SegmentList></Representation></AdaptationSet></Period></MPD>',
             "p.svg": '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="64" height="64"><image xlink:href="CANARY" width="64" height="64"/></svg>',
             "t.srt": '1\n00:00:00,000 --> 00:00:02,000\n<img src="CANARY"/><font face="CANARY">x</font>\n', "d.pls": "[playlist]\nFile1=CANARY\n",
             "image-%03d.jpg": "CANARY\n"}
    with kit.scratch() as folder, network.Private() as listener:
        yield from listener.control()
        secret = pathlib.Path(folder) / "secret-canary.mp4"
        secret.write_bytes(bench.clip.read_bytes())
        for name, text in texts.items():
            for target in (str(secret), "http://169.254.169.254/latest/secret-canary", "file://" + str(secret)):
                for extension in ("", ".mp4", ".jpg", ".srt"):
                    path = pathlib.Path(folder) / f"case-{name}{extension}"
                    path.write_text(text.replace("CANARY", target))
                    for command in (["probe", path], ["encode", path, "-o", pathlib.Path(folder) / "out.mp4"]):
                        log = pathlib.Path(folder) / "trace"
                        kit.run(["strace", "-f", "-qq", "-s", "300", "-e", "trace=%file,%network", "-o", log, bench.reel, *command], folder)
                        calls = log.read_text()
                        if "secret-canary" in calls or re.search(r"(connect|sendto|sendmsg)\(.*sin6?_addr", calls):
                            yield f"{command[0]} {path.name}: {[line for line in calls.splitlines() if 'secret-canary' in line or 'sin_addr' in line][:1]}"
                        for what in listener.seen():
                            yield f"{command[0]} {path.name}: {what}"
                        (pathlib.Path(folder) / "out.mp4").unlink(missing_ok=True)
                        (pathlib.Path(folder) / "out.mp4.sidecar.json").unlink(missing_ok=True)
                    path.unlink()
        # As an input of a command, an address is a path that is not there.
        for address in ("http://169.254.169.254/latest/clip.mp4", "http://127.0.0.1/clip.mp4", "http://[::1]/clip.mp4"):
            outcome = kit.run([bench.reel, "probe", address], folder)
            if outcome.status in (0, "hang") or outcome.status not in kit.STATUSES:
                yield f"{address}: status {outcome.status}"
            for what in listener.seen():
                yield f"{address}: {what}"
        yield from listener.control()


def frame_count(path):
    done = subprocess.run(["ffprobe", "-v", "error", "-count_frames", "-select_streams", "v:0", "-show_entries", "stream=nb_read_frames", "-of",
                           "csv=p=0", path], capture_output=True, text=True)
    return int(done.stdout.strip() or 0) if done.stdout.strip().isdigit() else 0


ROWS = [read_error, truncated, write_error, killed, terminated, worker_dies, clock_jumps, output_is_link, two_runs, odd_inputs, changing_input,
        allocation_failure, bombs, pointing_elsewhere]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reel", required=True)
    parser.add_argument("--rows", default="")
    parser.add_argument("--points", type=int, default=12)
    parser.add_argument("--table", type=pathlib.Path)
    options = parser.parse_args()
    wanted = [name for name in options.rows.split(",") if name]
    lines, failed = ["| fault | what must hold | holds |", "|---|---|---|"], False
    with kit.scratch() as folder:
        bench = Bench(os.path.abspath(options.reel), options.points, folder)
        for row in ROWS:
            if wanted and row.__name__ not in wanted:
                continue
            start = time.monotonic()
            broken = list(row(bench))
            failed = failed or bool(broken)
            print(f"{row.__name__}: {'ok' if not broken else 'BROKEN'} ({time.monotonic() - start:.0f} s)", flush=True)
            for text in broken[:20]:
                print(f"  {text}", flush=True)
            lines.append(f"| {row.__name__.replace('_', ' ')} | {inspect.getdoc(row)} | {'yes' if not broken else 'no'} |")
    if options.table:
        options.table.write_text("\n".join(lines) + "\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
