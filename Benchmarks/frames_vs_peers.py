#!/usr/bin/env python3
"""CPU seconds of `reel frames` against PyAV, decord, OpenCV, torchcodec and ffmpeg, in one run.

    frames_vs_peers.py --reel .build/release/reel --clips DIR [--repeat 3]

DIR holds long60.mp4 and long600.mp4 (make_clips.sh). Each task runs in a process of its own; what counts is user plus
system time, the best of the repeats: of the whole process for reel and ffmpeg, without the imports for Python peers. Peers
that cannot be imported are left out. Peers get the same task: exact frames as RGB arrays (reel writes JPEG files for
them, which costs it more), a sheet as scaled pictures.
"""
import argparse, json, os, random, resource, shutil, subprocess, sys, tempfile

def times_random(): 
    r = random.Random(42)
    return sorted(r.uniform(0, 59.9) for _ in range(10))

TASKS = {
    "ten random exact frames of a minute": ("long60.mp4", times_random(), None),
    "one frame a second of a minute": ("long60.mp4", [float(i) for i in range(60)], None),
    "5x5 sheet of ten minutes, exact": ("long600.mp4", [600 * (2 * i + 1) / 50 for i in range(25)], (320, 180)),
    "5x5 sheet of ten minutes, keyframes": ("long600.mp4", [600 * (2 * i + 1) / 50 for i in range(25)], (320, 180)),
}

PEERS = {
"pyav": """
import av, sys, json
path, times, size, key = json.loads(sys.argv[1]); START()
c = av.open(path); s = c.streams.video[0]; s.thread_type = "AUTO"
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
""",
"pyav sequential": """
import av, sys, json
path, times, size, key = json.loads(sys.argv[1]); START()
if key: sys.exit(3)
c = av.open(path); s = c.streams.video[0]; s.thread_type = "AUTO"
it = iter(times); t = next(it); last = None; n = 0
for f in c.decode(s):
    while t is not None and last is not None and f.pts * s.time_base > t:
        last.reformat(*(size or (last.width, last.height)), format="rgb24").to_ndarray(); n += 1; t = next(it, None)
    if t is None: break
    last = f
""",
"decord": """
import decord, sys, json
path, times, size, key = json.loads(sys.argv[1]); START()
kw = dict(width=size[0], height=size[1]) if size else {}
r = decord.VideoReader(path, **kw)
idx = [min(len(r) - 1, int(t * r.get_avg_fps())) for t in times]
if key:
    k = r.get_key_indices(); idx = [max(i for i in k if i <= j) for j in idx]
r.get_batch(idx).asnumpy()
""",
"opencv": """
import cv2, sys, json
path, times, size, key = json.loads(sys.argv[1]); START()
if key: sys.exit(3)
c = cv2.VideoCapture(path)
for t in times:
    c.set(cv2.CAP_PROP_POS_MSEC, t * 1000)
    ok, f = c.read(); assert ok
    if size: f = cv2.resize(f, tuple(size), interpolation=cv2.INTER_AREA)
    f = cv2.cvtColor(f, cv2.COLOR_BGR2RGB)
""",
"torchcodec": """
import sys, json
from torchcodec.decoders import VideoDecoder
path, times, size, key = json.loads(sys.argv[1]); START()
if key: sys.exit(3)
d = VideoDecoder(path, seek_mode="approximate")
d.get_frames_played_at(times)
""",
"ffmpeg": """
import sys, json, subprocess
path, times, size, key = json.loads(sys.argv[1]); START()
for t in times:
    cmd = ["ffmpeg", "-nostdin", "-v", "error"] + (["-skip_frame", "nokey"] if key else []) + ["-ss", str(t), "-i", path, "-frames:v", "1"]
    if size: cmd += ["-vf", "scale=%d:%d" % tuple(size)]
    subprocess.run(cmd + ["-pix_fmt", "rgb24", "-f", "rawvideo", "-"], stdout=subprocess.DEVNULL, check=True)
""",
}

PRELUDE = """
import atexit, resource
def USED():
    a = resource.getrusage(resource.RUSAGE_SELF); b = resource.getrusage(resource.RUSAGE_CHILDREN)
    return a.ru_utime + a.ru_stime + b.ru_utime + b.ru_stime
BEGIN = [0.0]
def START(): BEGIN[0] = USED()
"""

def peer_cpu(code, argument):
    done = subprocess.run([sys.executable, "-c", PRELUDE + code + "\nprint('CPU', USED() - BEGIN[0])\n", argument], capture_output=True, text=True)
    lines = [l for l in done.stdout.splitlines() if l.startswith("CPU ")]
    return float(lines[-1][4:]) if done.returncode == 0 and lines else None

def cpu(command, check=True):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    status = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if status: return None
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

def best(measure, repeat):
    values = [measure() for _ in range(repeat)]
    return None if None in values else min(values)

def reel(args, clip, times, size, key, out):
    command = [args.reel, "frames", clip, "--at", ",".join("%.6f" % t for t in times), "--overwrite", "--quiet", "--isolation", "none"]
    if key: command += ["--tolerance", "keyframe"]
    if size: return command + ["--sheet", "5x5", "--sheet-out", os.path.join(out, "s.jpg"), "--max-size", "%dx%d" % size]
    return command + ["-o", out]

def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--reel", required=True); p.add_argument("--clips", required=True); p.add_argument("--repeat", type=int, default=3)
    p.add_argument("--json")
    args = p.parse_args()
    results = {}
    for name, (file, times, size) in TASKS.items():
        clip = os.path.join(args.clips, file); key = "keyframes" in name
        out = tempfile.mkdtemp()
        try:
            ours = best(lambda: cpu(reel(args, clip, times, size, key, out)), args.repeat)
        finally:
            shutil.rmtree(out)
        row = {"reel": ours}
        for peer, code in PEERS.items():
            row[peer] = best(lambda: peer_cpu(code, json.dumps([clip, times, size, key])), args.repeat)
        peers = {k: v for k, v in row.items() if k != "reel" and v is not None}
        name_best = min(peers, key=peers.get)
        row["ratio"] = None if ours is None else ours / peers[name_best]; row["best peer"] = name_best
        results[name] = row
        print(name); print("  " + "  ".join("%s %s" % (k, "-" if v is None else "%.3f" % v if isinstance(v, float) else v) for k, v in row.items()), flush=True)
    if args.json: json.dump(results, open(args.json, "w"), indent=1)

if __name__ == "__main__": main()
