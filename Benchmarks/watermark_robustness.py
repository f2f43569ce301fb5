#!/usr/bin/env python3
"""Robustness of the tracking watermark: clips x attacks, exact 64-bit recovery.

usage: watermark_robustness.py --attacks attack.sh --tiers tiers.tsv --work DIR --lab watermark-lab CLIP...
       [--names A,B,...] [--tier 1,2,3] [--limit N] [--tag TAG] [--report]

Each clip is scaled and cropped to 1080x1920 (first 6 s), marked with a payload of its own, encoded with x264 `medium` at
CRF 20, attacked, and searched blindly. Decision: against a registry (z >= 9.7) of the ids of the run and 4,000 others.
Results go to DIR/results-TAG.jsonl, one line an attack; what is there is not repeated, so that a run can be stopped at
any time. `--report` prints recovery by tier, every miss with its z, and quality and size growth by clip.
"""
import argparse, collections, json, os, pathlib, random, subprocess, sys, tempfile, time

SECRET = "000102030405060708090a0b0c0d0e0f"
PREPARE = "scale=1080:1920:force_original_aspect_ratio=increase:flags=lanczos,crop=1080:1920,setsar=1,format=yuv420p"
QUIET = ["ffmpeg", "-v", "error", "-nostdin", "-y", "-threads", "1"]


def payload(name, copy=0):
    return random.Random(f"{name} {copy}").getrandbits(64)


def probe(path):
    out = subprocess.run(["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "stream=width,height,avg_frame_rate",
                          "-of", "json", path], capture_output=True, check=True).stdout
    stream = json.loads(out)["streams"][0]
    n, d = map(int, stream["avg_frame_rate"].split("/"))
    return stream["width"], stream["height"], n / d if d and n else 30.0


def prepare(clip, work):
    out = work / f"{clip.stem}.source.mkv"
    if not out.exists():
        part = out.with_suffix(".part.mkv")
        subprocess.run(QUIET + ["-i", clip, "-t", "6", "-map", "0:v:0", "-vf", PREPARE, "-fps_mode", "passthrough", "-c:v", "libx264",
                                "-preset", "ultrafast", "-qp", "0", part], check=True)
        part.rename(out)
    return out


def encode(source, out, lab, number):
    """Marks with `number` (None: unmarked) and encodes; returns what the embedder reports."""
    if out.exists():
        return None
    width, height, rate = probe(source)
    part = out.with_suffix(".part.mp4")
    reader = subprocess.Popen(QUIET + ["-i", source, "-f", "rawvideo", "-pix_fmt", "yuv420p", "-"], stdout=subprocess.PIPE)
    stages, feed, notes = [reader], reader.stdout, None
    if number is not None:
        notes = tempfile.TemporaryFile()
        marker = subprocess.Popen([lab, "embed", str(width), str(height), SECRET, f"{number:016x}"], stdin=feed, stdout=subprocess.PIPE,
                                  stderr=notes)
        stages.append(marker)
        feed = marker.stdout
    subprocess.run(QUIET + ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", f"{width}x{height}", "-r", f"{rate:.6f}", "-i", "-", "-c:v",
                            "libx264", "-preset", "medium", "-crf", "20", "-pix_fmt", "yuv420p", part], stdin=feed, check=True)
    if any(stage.wait() for stage in stages):
        raise RuntimeError("marking failed")
    part.rename(out)
    if notes:
        notes.seek(0)
        return json.loads(notes.read())


def luma_psnr(source, marked):
    """Luma PSNR of a raw-marked clip is reported by the embedder; this is of the encoded one."""
    out = subprocess.run(QUIET[:1] + ["-nostdin", "-i", marked, "-i", source, "-lavfi", "[0][1]ssim", "-f", "null", "-"],
                         capture_output=True, text=True).stderr
    return float(out.split("SSIM Y:")[1].split(" ")[0])


def detect(path, lab, registry):
    width, height, rate = probe(path)
    reader = subprocess.Popen(QUIET + ["-i", path, "-map", "0:v:0", "-fps_mode", "passthrough", "-vf", "format=gray", "-f", "rawvideo",
                                       "-pix_fmt", "gray", "-"], stdout=subprocess.PIPE)
    out = subprocess.run([lab, "detect", str(width), str(height), f"{rate:.4f}", SECRET] + registry, stdin=reader.stdout,
                         capture_output=True, check=True).stdout
    reader.wait()
    return json.loads(out)


def load(path):
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def report(results, clips):
    by_tier = collections.defaultdict(list)
    for r in results:
        if "attack" in r:
            by_tier[r["tier"]].append(r)
    wrong = [r for r in results if r.get("wrong")]
    print("| tier | attacks x clips | recovered | rate |\n|---|---|---|---|")
    for tier in sorted(by_tier):
        rows = by_tier[tier]
        good = sum(r["recovered"] for r in rows)
        print(f"| {tier} | {len(rows)} | {good} | {100 * good / len(rows):.1f} % |")
    print(f"\nWrong ids: {len(wrong)}. Median CPU seconds of a search: "
          f"{sorted(r['search'] for r in results if 'attack' in r)[len(results) // 2] if results else 0:.2f}\n\nMisses (z of the best candidate):")
    for tier in sorted(by_tier):
        misses = collections.defaultdict(list)
        for r in by_tier[tier]:
            if not r["recovered"]:
                misses[r["attack"]].append(f"{r['clip'].split('_')[0]} {r['z']:.1f}")
        for attack, names in sorted(misses.items()):
            print(f"- tier {tier} {attack}: {', '.join(names)}")
    print("\n| clip | luma PSNR mean | worst | growth |\n|---|---|---|---|")
    for r in results:
        if "growth" in r:
            print(f"| {r['clip']} | {r['meanPSNR']:.1f} | {r['worstPSNR']:.1f} | {100 * r['growth']:.1f} % |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="*", type=pathlib.Path)
    parser.add_argument("--attacks", type=pathlib.Path, required=True)
    parser.add_argument("--tiers", type=pathlib.Path, required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--lab", required=True)
    parser.add_argument("--names", default="")
    parser.add_argument("--tier", default="1,2,3")
    parser.add_argument("--tag", default="run")
    parser.add_argument("--limit", type=int, default=10**9)
    parser.add_argument("--report", action="store_true")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    log = options.work / f"results-{options.tag}.jsonl"
    results = load(log)
    done = {(r["clip"], r.get("attack")) for r in results}
    if options.report:
        report(results, options.clips)
        return
    tiers = [line.split("\t") for line in options.tiers.read_text().splitlines()[1:] if line]
    names = [n for n in options.names.split(",") if n]
    tiers = [(n, int(t)) for n, t in tiers if (n in names if names else t in options.tier.split(","))]
    others = random.Random("registry")
    registry = [f"{others.getrandbits(64):016x}" for _ in range(4000)]
    registry += [f"{payload(c.stem, copy):016x}" for c in options.clips for copy in (0, 1)]
    sources = [prepare(c, options.work) for c in options.clips]
    for clip, source in zip(options.clips, sources):
        marked, plain = options.work / f"{clip.stem}.{options.tag}.mp4", options.work / f"{clip.stem}.plain.mp4"
        encode(source, plain, options.lab, None)
        notes = encode(source, marked, options.lab, payload(clip.stem))
        if notes and (clip.stem, None) not in done:
            growth = marked.stat().st_size / plain.stat().st_size - 1
            with log.open("a") as out:
                out.write(json.dumps({"clip": clip.stem, "growth": growth, **notes}) + "\n")
    count = 0
    for name, tier in tiers:
        for index, clip in enumerate(options.clips):
            if (clip.stem, name) in done or count >= options.limit:
                continue
            count += 1
            marked = options.work / f"{clip.stem}.{options.tag}.mp4"
            expected = {f"{payload(clip.stem):016x}"}
            foreign = sources[(index + 1) % len(sources)]
            if name == "collude":
                foreign = options.work / f"{clip.stem}.{options.tag}.second.mp4"
                encode(sources[index], foreign, options.lab, payload(clip.stem, 1))
                expected.add(f"{payload(clip.stem, 1):016x}")
            with tempfile.TemporaryDirectory(dir=options.work) as folder:
                attacked = pathlib.Path(folder) / "attacked.mp4"
                environment = dict(os.environ, FOREIGN=str(foreign), PRESET=os.environ.get("PRESET", "medium"), THREADS="1", KEEP_AUDIO="0")
                run = subprocess.run(["bash", options.attacks, name, marked, attacked], env=environment, capture_output=True, text=True)
                if run.returncode or not attacked.exists():
                    print(f"{name} {clip.stem}: attack failed: {run.stderr[-200:]}", file=sys.stderr)
                    continue
                found = detect(attacked, options.lab, registry)
            ids = {m["id"] for m in found["marks"]}
            result = {"clip": clip.stem, "attack": name, "tier": tier, "recovered": ids == expected, "wrong": bool(ids - expected),
                      "z": found["bestZ"], "stage": found["stage"], "attempts": found["attempts"],
                      "add": found["addSeconds"], "search": found["searchSeconds"]}
            with log.open("a") as out:
                out.write(json.dumps(result) + "\n")
            print(f"{'ok  ' if result['recovered'] else 'MISS'} {name:24} {clip.stem[:12]:12} z {result['z']:5.1f} {result['stage']:10} "
                  f"add {result['add']:.2f} search {result['search']:.2f} s", flush=True)


main()
