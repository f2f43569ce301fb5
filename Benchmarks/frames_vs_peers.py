#!/usr/bin/env python3
"""Frame extraction against PyAV, decord, OpenCV, torchcodec and ffmpeg: CPU seconds of the same work in the same run.

    swift build -c release --product frames-in-process
    python3 -m venv VENV && VENV/bin/pip install av decord opencv-python-headless numpy     # torchcodec too, where torch installs
    VENV/bin/python Benchmarks/frames_vs_peers.py --program .build/release/frames-in-process --clips DIR [--only TEXT] [--rounds 3]

DIR holds long60.mp4 and long600.mp4 (make_clips.sh). How it is counted: every side does the work in one process, library
against library, once unmeasured and then REPEAT times with the file opened anew each time; what counts is user plus system time of
one repetition, so that neither our process start nor Python's imports play a part. ffmpeg, which has no library form, is counted as
whole processes. In a round each subject runs once, in changing order; the ratio is the median of the rounds' own ratios, ours over the peer
that ours compares worst with. Everyone delivers 8-bit RGB of the frame shown at each time, sheets scaled to 320x180. "Decoding alone" is our own
extraction without conversion: what libavcodec takes for the pictures that the wanted ones refer to.

Results go to the section between the markers of RESULTS.md and to frames_results.json.
"""
import argparse, json, os, random, resource, statistics, subprocess, sys, tempfile

HERE = os.path.dirname(os.path.abspath(__file__))


def draw(seed, count=10, end=59.9):
    generator = random.Random(seed)
    return sorted(generator.uniform(0, end) for _ in range(count))


SHEET = [600 * (2 * i + 1) / 50 for i in range(25)]

# name: file, work, times, size, repeats, gate
TASKS = {
    # A draw of average cost: 656 pictures with a seek per target, 485 when every GOP is decoded once; means of 400 draws: 648 and 482.
    "ten random exact frames of a minute": ("long60.mp4", "exact", draw(11), None, 2, 0.38),
    "one frame a second of a minute": ("long60.mp4", "exact", [float(i) for i in range(60)], None, 1, 0.63),
    "5x5 sheet of ten minutes, exact": ("long600.mp4", "exact", SHEET, (320, 180), 1, 0.45),
    "5x5 sheet of ten minutes, keyframes": ("long600.mp4", "keyframe", SHEET, (320, 180), 4, 0.16),
}

# The same where every group of pictures has its full length, as the gates were set for: long60.mp4 has 32 keyframes, most at scene changes.
TASKS |= {
    "ten random exact frames, keyframe every 250 pictures": ("gop250.mp4", *TASKS["ten random exact frames of a minute"][1:]),
    "5x5 sheet of ten minutes, exact, keyframe every 250 pictures": ("gop250x10.mp4", *TASKS["5x5 sheet of ten minutes, exact"][1:]),
}

PEERS = {
"PyAV, seek per time": """
import av
def work():
    c = av.open(path); s = c.streams.video[0]; s.thread_type = THREADS
    if key: s.codec_context.skip_frame = "NONKEY"
    n = 0
    for t in times:
        c.seek(int(t / s.time_base), stream=s, backward=True)
        last = None
        for f in c.decode(s):
            if f.pts * s.time_base > t and last is not None: break
            last = f
            if key: break
        last.reformat(*(size or (last.width, last.height)), format="rgb24").to_ndarray(); n += 1
    assert n == len(times)
    c.close()
""",
"PyAV, one pass": """
import av
def work():
    if key: sys.exit(3)
    c = av.open(path); s = c.streams.video[0]; s.thread_type = THREADS
    it = iter(times); t = next(it); last = None; n = 0
    for f in c.decode(s):
        while t is not None and last is not None and f.pts * s.time_base > t:
            last.reformat(*(size or (last.width, last.height)), format="rgb24").to_ndarray(); n += 1; t = next(it, None)
        if t is None: break
        last = f
    c.close()
""",
"decord": """
import decord
def work():
    kw = dict(width=size[0], height=size[1]) if size else {}
    r = decord.VideoReader(path, num_threads=1 if THREADS == "NONE" else 0, **kw)
    idx = [min(len(r) - 1, int(t * r.get_avg_fps())) for t in times]
    if key:
        k = r.get_key_indices(); idx = [max(i for i in k if i <= j) for j in idx]
    r.get_batch(idx).asnumpy()
""",
"OpenCV": """
import cv2
def work():
    if key: sys.exit(3)
    c = cv2.VideoCapture(path)
    for t in times:
        c.set(cv2.CAP_PROP_POS_MSEC, t * 1000)
        ok, f = c.read(); assert ok
        if size: f = cv2.resize(f, tuple(size), interpolation=cv2.INTER_AREA)
        f = cv2.cvtColor(f, cv2.COLOR_BGR2RGB)
    c.release()
""",
"torchcodec": """
from torchcodec.decoders import VideoDecoder
def work():
    if key: sys.exit(3)
    VideoDecoder(path, seek_mode="approximate", num_ffmpeg_threads=1 if THREADS == "NONE" else 0).get_frames_played_at(times)
""",
"ffmpeg": """
import subprocess
def work():
    for t in times:
        cmd = ["ffmpeg", "-nostdin", "-v", "error"] + (["-threads", "1"] if THREADS == "NONE" else []) + (["-skip_frame", "nokey"] if key else [])
        cmd += ["-ss", str(t), "-i", path, "-frames:v", "1"] + (["-vf", "scale=%d:%d" % tuple(size)] if size else [])
        subprocess.run(cmd + ["-pix_fmt", "rgb24", "-f", "rawvideo", "-"], stdout=subprocess.DEVNULL, check=True)
""",
}
THREADS = {"PyAV, seek per time": ["AUTO", "NONE"], "PyAV, one pass": ["AUTO", "NONE"], "decord": ["AUTO", "NONE"], "torchcodec": ["AUTO", "NONE"],
           "ffmpeg": ["NONE"], "OpenCV": ["AUTO"]}

FRAME = """
import json, os, resource, sys, time
path, times, size, key, repeat, THREADS = json.loads(sys.argv[1])
%s
def used():
    a = resource.getrusage(resource.RUSAGE_SELF); b = resource.getrusage(resource.RUSAGE_CHILDREN)
    return a.ru_utime + a.ru_stime + b.ru_utime + b.ru_stime
work()
start = used()
for _ in range(repeat): work()
print("CPU", (used() - start) / repeat)
"""


def peer(code, argument):
    done = subprocess.run([sys.executable, "-c", FRAME % code, argument], capture_output=True, text=True)
    lines = [line for line in done.stdout.splitlines() if line.startswith("CPU ")]
    return float(lines[-1][4:]) if done.returncode == 0 and lines else None


def ours(program, work, output, workers, repeat, size, path, times, field="cpuSeconds"):
    command = [program, work, output, str(workers), str(repeat), "%dx%d" % (size or (0, 0)), path] + ["%.6f" % t for t in times]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def children():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def tool(*arguments):
    before = children()
    subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y"] + list(arguments), check=True, stdout=subprocess.DEVNULL)
    return children() - before


def make_long_groups(clips):
    """gop250.mp4: long60.mp4 encoded again with a keyframe every 250 pictures and nowhere else; gop250x10.mp4: ten times that."""
    once, often = os.path.join(clips, "gop250.mp4"), os.path.join(clips, "gop250x10.mp4")
    if not os.path.exists(once):
        tool("-i", os.path.join(clips, "long60.mp4"), "-an", "-c:v", "libx264", "-preset", "medium", "-crf", "23", "-g", "250", "-sc_threshold", "0",
             "-threads", "2", once + ".part.mp4")
        os.replace(once + ".part.mp4", once)
    if not os.path.exists(often): tool("-stream_loop", "9", "-i", once, "-c", "copy", often)


def median_ratio(ours, theirs):
    return statistics.median(a / b for a, b in zip(ours, theirs))


def sparse(args, name, log):
    file, work, times, size, repeat, gate = TASKS[name]
    path = os.path.join(args.clips, file)
    runs, gone = {}, set()
    wanted = [part for part in args.peers.split(";") if part]
    subjects = [("reelwright", None, None), ("decoding alone", None, None)] + [
        ("%s%s" % (n, {"AUTO": "", "NONE": ", one thread"}[t] if len(THREADS[n]) > 1 else ""), c, t) for n, c in PEERS.items() for t in THREADS[n]]
    subjects = [s for s in subjects if s[1] is None or not wanted or any(part in s[0] for part in wanted)]
    facts = {}
    for number in range(args.rounds):
        for subject, code, threads in subjects if number % 2 == 0 else subjects[::-1]:
            if subject in gone: continue
            if code is None:
                result = ours(args.program, work, "rgb" if subject == "reelwright" else "none", 1, repeat, size, path, times)
                value = result["cpuSeconds"]
                if subject == "reelwright": facts = {k: result[k] for k in ("packetsRead", "packetsDecoded", "seeks", "gops")}
            else:
                value = peer(code, json.dumps([path, times, size, work == "keyframe", repeat, threads]))
            if value is None: gone.add(subject)
            else: runs.setdefault(subject, []).append(value)
    ratios = {k: median_ratio(runs["reelwright"], v) for k, v in runs.items() if k not in ("reelwright", "decoding alone")}
    best = max(ratios, key=ratios.get)
    row = {"cpuSeconds": {k: statistics.median(v) for k, v in runs.items()}, "best": best, "ratio": ratios[best], "gate": gate,
           "decodingRatio": median_ratio(runs["decoding alone"], runs[best]), "facts": facts, "notRun": sorted(gone)}
    log(name, row)
    return row


def jpeg(args, log):
    """Convert and encode alone: what JPEG output costs beyond decoding, at equal SSIM."""
    clip = os.path.join(args.clips, "long60.mp4")
    with tempfile.TemporaryDirectory() as folder:
        short = os.path.join(folder, "short.mp4")
        subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-i", clip, "-t", "8", "-c", "copy", short], check=True)
        pairs = []
        for _ in range(args.rounds):
            plain = ours(args.program, "all", "none", 1, 1, None, short, [])
            full = ours(args.program, "all", "jpeg", 1, 1, None, short, [])
            null = tool("-threads", "1", "-i", short, "-f", "null", "-")
            mjpeg = tool("-threads", "1", "-i", short, "-pix_fmt", "yuvj420p", "-c:v", "mjpeg", "-threads", "1", "-q:v", args.mjpeg_quality, "-f", "null", "-")
            pairs.append((1000 * (full["cpuSeconds"] - plain["cpuSeconds"]) / full["frames"], 1000 * (mjpeg - null) / full["frames"]))
    row = {"milliseconds": {"reelwright": statistics.median(p[0] for p in pairs), "ffmpeg": statistics.median(p[1] for p in pairs)},
           "ratio": statistics.median(a / b for a, b in pairs), "gate": 0.45, "quality": args.mjpeg_quality}
    log("1080p JPEG, convert and encode", row)
    return row


def sequential(args, log):
    clip = os.path.join(args.clips, "long60.mp4")
    pairs = []
    for _ in range(args.rounds):
        rgb = ours(args.program, "all", "rgb", 1, 1, None, clip, [])["cpuSeconds"]
        pairs.append((rgb, tool("-threads", "1", "-i", clip, "-f", "null", "-"), tool("-threads", "1", "-i", clip, "-pix_fmt", "rgb24", "-f", "null", "-")))
    row = {"cpuSeconds": {"reelwright": statistics.median(p[0] for p in pairs), "ffmpeg -f null": statistics.median(p[1] for p in pairs),
                          "ffmpeg -f null with rgb24": statistics.median(p[2] for p in pairs)},
           "ratio": statistics.median(a / b for a, b, _ in pairs), "ratioWithRGB": statistics.median(a / c for a, _, c in pairs), "gate": 1.05}
    log("sequential RGB", row)
    return row


def workers(args, log):
    file, work, times, size, repeat, _ = TASKS["ten random exact frames of a minute"]
    path = os.path.join(args.clips, file)
    pairs = []
    for _ in range(max(5, args.rounds)):
        pairs.append(tuple(ours(args.program, work, "rgb", n, 1, size, path, times)["wallSeconds"] for n in (1, 2)))
    row = {"wallSeconds": {"one worker": min(p[0] for p in pairs), "two workers": min(p[1] for p in pairs)},
           "ratio": min(p[1] for p in pairs) / min(p[0] for p in pairs), "gate": 0.65}
    log("two workers against one", row)
    return row


def section(results):
    lines = ["| what | ours | best peer | ratio | gate | decoding alone/peer |", "|---|---|---|---|---|---|"]
    for name, row in results.items():
        values = row.get("cpuSeconds") or row.get("milliseconds") or row.get("wallSeconds")
        unit = "s CPU" if "cpuSeconds" in row else "ms CPU a frame" if "milliseconds" in row else "s wall"
        own = values.get("reelwright", values.get("two workers"))
        best = row.get("best") or [k for k in values if k not in ("reelwright", "two workers")][0]
        lines.append("| %s | %.3f %s | %s %.3f | %.2f | %.2f | %s |" % (name, own, unit, best, values[best], row["ratio"], row["gate"],
                     "%.2f" % row["decodingRatio"] if "decodingRatio" in row else ""))
    lines.append("")
    for name, row in results.items():
        if "cpuSeconds" in row and "facts" in row:
            lines.append("- %s: %s. %s.%s" % (name, ", ".join("%s %.3f" % (k, v) for k, v in sorted(row["cpuSeconds"].items(), key=lambda i: i[1])),
                         ", ".join("%s %s" % i for i in row["facts"].items()), " Not run: %s." % ", ".join(row["notRun"]) if row["notRun"] else ""))
    return "\n".join(lines) + "\n"


def write(results):
    begin, end = "<!-- frames: begin -->", "<!-- frames: end -->"
    path = os.path.join(HERE, "RESULTS.md")
    text = open(path).read()
    if begin not in text: text = text.rstrip("\n") + "\n\n## Frame extraction against peers\n\n%s\n%s\n" % (begin, end)
    head, rest = text.split(begin, 1)
    with open(path, "w") as file: file.write(head + begin + "\n" + section(results) + end + rest.split(end, 1)[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--clips", required=True)
    parser.add_argument("--only", default="")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peers", default="", help="parts of peers' names, separated by semicolons; default all")
    parser.add_argument("--mjpeg-quality", default="3", help="-q:v of ffmpeg's mjpeg; 3 has the SSIM of our 85")
    args = parser.parse_args()
    store = os.path.join(HERE, "frames_results.json")
    results = json.load(open(store)) if os.path.exists(store) else {}

    def log(name, row):
        print(name, json.dumps(row), flush=True)

    subjects = {name: (lambda name=name: sparse(args, name, log)) for name in TASKS}
    subjects["1080p JPEG, convert and encode"] = lambda: jpeg(args, log)
    subjects["sequential RGB"] = lambda: sequential(args, log)
    subjects["two workers against one"] = lambda: workers(args, log)
    for name, measure in subjects.items():
        if args.only not in name: continue
        if "250" in name: make_long_groups(args.clips)
        results[name] = measure()
        results = {name: results[name] for name in subjects if name in results}
        with open(store + ".new", "w") as file: json.dump(results, file, indent=1, sort_keys=False)
        os.replace(store + ".new", store)
        write(results)


if __name__ == "__main__":
    main()
