#!/usr/bin/env python3
"""False positives of the tracking watermark: full blind searches with random keys over clips that do not carry their marks.

usage: watermark_false_positives.py --lab watermark-lab --work DIR [--searches 1500] [--seconds 4] [--report] CLIP...

Each search takes the next clip and a new random key, and decides openly (z >= 12.2). Unmarked, attacked and foreign-key-marked
files are all right as clips. Results go to DIR/false-positives.jsonl, one line a search, and are continued by the next run.
`--report` prints searches, reading attempts, acceptances, and the share of searches whose best z reached each level, beside the
bound exp(-z^2 / 2) x 2^64 x attempts where that is below 1.
"""
import argparse, json, math, pathlib, random, subprocess


def probe(path):
    out = subprocess.run(["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "stream=width,height,avg_frame_rate",
                          "-of", "json", path], capture_output=True, check=True).stdout
    stream = json.loads(out)["streams"][0]
    n, d = map(int, stream["avg_frame_rate"].split("/"))
    return stream["width"], stream["height"], n / d if d and n else 30.0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="*", type=pathlib.Path)
    parser.add_argument("--lab", required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--searches", type=int, default=1500)
    parser.add_argument("--seconds", default="4")
    parser.add_argument("--report", action="store_true")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    log = options.work / "false-positives.jsonl"
    rows = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    if options.report:
        attempts = sum(r["attempts"] for r in rows)
        print(f"{len(rows)} searches, as many keys, {attempts} attempts, {sum(r['accepted'] for r in rows)} accepted")
        for z in [x / 2 for x in range(4, 25)]:
            share = sum(r["z"] >= z for r in rows) / max(len(rows), 1)
            bound = min(1.0, math.exp(-z * z / 2) * 2.0 ** 64 * attempts / max(len(rows), 1))
            print(f"z >= {z:4.1f}: {share:.4f}   bound {bound:.1e}")
        return
    for index in range(len(rows), options.searches):
        clip = options.clips[index % len(options.clips)]
        secret = random.Random(f"false positives {index}").randbytes(16).hex()
        width, height, rate = probe(clip)
        reader = subprocess.Popen(["ffmpeg", "-v", "error", "-nostdin", "-i", clip, "-t", options.seconds, "-map", "0:v:0", "-fps_mode",
                                   "passthrough", "-vf", "format=gray", "-f", "rawvideo", "-pix_fmt", "gray", "-"], stdout=subprocess.PIPE)
        out = subprocess.run([options.lab, "detect", str(width), str(height), f"{rate:.4f}", secret], stdin=reader.stdout,
                             capture_output=True, check=True).stdout
        reader.wait()
        found = json.loads(out)
        with log.open("a") as file:
            file.write(json.dumps({"clip": clip.name, "secret": secret, "z": found["bestZ"], "attempts": found["attempts"],
                                   "accepted": len(found["marks"])}) + "\n")


main()
