#!/usr/bin/env python3
"""Robustness of the tracking watermark: clips x attacks, exact 64-bit recovery.

usage: watermark_robustness.py --attacks attack.sh --tiers tiers.tsv --work DIR --lab watermark-lab --reel reel CLIP...
       [--names A,B,...] [--tier 1,2,3] [--limit N] [--log FILE] [--share I/N] [--again] [--keep]
       [--quality | --report | --picture FILE.svg]

Each clip is scaled and cropped to 1080x1920 (first 6 s), marked with a payload of its own, encoded with x264 `medium` at
CRF 20, attacked (PRESET of the environment, default medium), and searched by `reel watermark detect`. Decision: against a
registry of the ids of the run and 4,000 others. What counts is z >= 9.7, the threshold for 2^24 ids; the product's for a
registry of this size is 8.75, and --report gives that rate too. There are as many rounds as clips: each has every attack once,
spread evenly over the clips, tiers 1 and 2 before tier 3, in a shuffled order that is the same in every run, so that a run
that was stopped is a fair sample. Results go to the log, one line
a pair; what is there is not repeated (--again: misses are), and several runs may share the pairs (--share 0/2 and 1/2). The
last line of a pair counts. Prepared sources and marked encodes stay in DIR, attacked files with --keep.

--quality marks each clip and reports luma PSNR and SSIM of the marked pictures and the growth in size at CRF 23, `medium`.
--report prints recovery by tier, every miss with its z, and quality and growth by clip; --picture draws attacks x clips.
"""
import argparse, collections, json, math, os, pathlib, random, resource, subprocess, sys, tempfile

STRICT = 9.7
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
        part = out.with_suffix(f".{os.getpid()}.part.mkv")
        subprocess.run(QUIET + ["-i", clip, "-t", "6", "-map", "0:v:0", "-vf", PREPARE, "-fps_mode", "passthrough", "-c:v", "libx264",
                                "-preset", "ultrafast", "-qp", "0", part], check=True)
        part.rename(out)
    return out


def encode(source, out, lab, number, crf="20"):
    """Marks with `number` (None: unmarked) and encodes."""
    if out.exists():
        return
    width, height, rate = probe(source)
    part = out.with_suffix(f".{os.getpid()}.part.mp4")
    reader = subprocess.Popen(QUIET + ["-i", source, "-f", "rawvideo", "-pix_fmt", "yuv420p", "-"], stdout=subprocess.PIPE)
    stages, feed = [reader], reader.stdout
    if number is not None:
        marker = subprocess.Popen([lab, "embed", str(width), str(height), SECRET, f"{number:016x}"], stdin=feed, stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL)
        stages.append(marker)
        feed = marker.stdout
    subprocess.run(QUIET + ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", f"{width}x{height}", "-r", f"{rate:.6f}", "-i", "-", "-c:v",
                            "libx264", "-preset", "medium", "-crf", crf, "-pix_fmt", "yuv420p", part], stdin=feed, check=True)
    if any(stage.wait() for stage in stages):
        raise RuntimeError("marking failed")
    part.rename(out)


def quality(clip, source, options):
    """Luma PSNR and SSIM of the marked pictures before any encoder, and the growth in size at CRF 23."""
    width, height, rate = probe(source)
    raw = ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", f"{width}x{height}", "-r", f"{rate:.6f}", "-i", "-"]
    reader = subprocess.Popen(QUIET + ["-i", source, "-f", "rawvideo", "-pix_fmt", "yuv420p", "-"], stdout=subprocess.PIPE)
    number = payload(clip.stem)
    marked, plain = options.work / f"{clip.stem}.q.mp4", options.work / f"{clip.stem}.q0.mp4"
    stats = options.work / f"{clip.stem}.stats"
    with tempfile.TemporaryFile() as notes:
        marker = subprocess.Popen([options.lab, "embed", str(width), str(height), SECRET, f"{number:016x}"], stdin=reader.stdout,
                                  stdout=subprocess.PIPE, stderr=notes)
        graph = f"[0:v]split=3[e][a][b];[1:v]fps={rate:.6f},setpts=N,split[s][t];[a]setpts=N[c];[b]setpts=N[d];" \
                f"[c][s]ssim[x];[d][t]psnr=stats_file={stats}[y]"
        run = subprocess.run(["ffmpeg", "-nostdin", "-y", "-threads", "1"] + raw + ["-i", source, "-filter_complex", graph, "-map", "[e]",
                             "-c:v", "libx264", "-preset", "medium", "-crf", "23", marked, "-map", "[x]", "-f", "null", "-", "-map", "[y]",
                             "-f", "null", "-"], stdin=marker.stdout, capture_output=True, text=True, check=True)
        if marker.wait() or reader.wait():
            raise RuntimeError("marking failed")
        notes.seek(0)
        planned = json.loads(notes.read())
    encode(source, plain, options.lab, None, "23")
    luma = [float(line.split("mse_y:")[1].split()[0]) for line in stats.read_text().splitlines()]
    decibels = lambda square: 10 * math.log10(255 * 255 / max(square, 1e-9))
    seconds = len(luma) / rate
    sizes = [f.stat().st_size for f in (plain, marked)]
    for f in (plain, marked, stats):
        f.unlink()
    return {"clip": clip.stem, "meanPSNR": decibels(sum(luma) / len(luma)), "worstPSNR": decibels(max(luma)),
            "SSIM": float(run.stderr.split("SSIM Y:")[1].split(" ")[0]), "growth": sizes[1] / sizes[0] - 1,
            "kilobits": (sizes[1] - sizes[0]) * 8 / seconds / 1000, "plannedPSNR": planned["meanPSNR"]}


def seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def detect(path, options, registry):
    key = options.work / "robustness.key"
    if not key.exists():
        subprocess.run([options.lab, "key", SECRET, key], check=True)
    out = subprocess.run([options.reel, "watermark", "detect", path, "--key", key, "--registry", registry, "--json", "--isolation", "none",
                          "--threads", "1", "--quiet"], capture_output=True, check=True).stdout
    return json.loads(out)["files"][0]


def load(path):
    """The last line of each pair, and of each clip's quality."""
    lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return list({(line["clip"], line.get("attack")): line for line in lines}.values())


def report(results, tiers):
    by_tier = collections.defaultdict(list)
    for r in results:
        if "attack" in r:
            by_tier[r["tier"]].append(r)
    rows = [r for r in results if "attack" in r]
    print("| tier | pairs run | attacks seen | clips | exact id, z >= 9.7 | rate | z >= 8.75 |\n|---|---|---|---|---|---|---|")
    for tier in sorted(by_tier):
        good = sum(r["recovered"] for r in by_tier[tier])
        attacks, clips = {r["attack"] for r in by_tier[tier]}, {r["clip"] for r in by_tier[tier]}
        total = sum(t == tier for _, t in tiers)
        print(f"| {tier} | {len(by_tier[tier])} | {len(attacks)} of {total} | {len(clips)} | {good} | "
              f"{100 * good / len(by_tier[tier]):.1f} % | {sum(r.get('recoveredByRegistry', r['recovered']) for r in by_tier[tier])} |")
    searches = sorted(r["searchSeconds"] for r in rows)
    if rows:
        print(f"\nWrong ids: {sum(bool(r['wrong']) for r in rows)}. CPU seconds of a search with decoding: median "
              f"{searches[len(rows) // 2]:.2f}, most {searches[-1]:.2f}.")
    print("\nMisses (z of the best candidate):\n")
    for tier in sorted(by_tier):
        misses = collections.defaultdict(list)
        for r in by_tier[tier]:
            if not r["recovered"]:
                misses[r["attack"]].append(f"{r['clip'].split('_')[0]}_{r['clip'].split('_')[1][:8]} {r['z']:.1f}")
        for attack, names in sorted(misses.items()):
            print(f"- tier {tier} `{attack}`: {', '.join(names)}")
    quality = [r for r in results if "growth" in r]
    if quality:
        print("\n| clip | luma PSNR mean | worst picture | SSIM | growth at CRF 23 | kbit/s more |\n|---|---|---|---|---|---|")
        for r in quality:
            print(f"| {r['clip']} | {r['meanPSNR']:.2f} | {r['worstPSNR']:.2f} | {r['SSIM']:.4f} | {100 * r['growth']:.1f} % "
                  f"| {r['kilobits']:.0f} |")
        growths = [r["growth"] for r in quality]
        print(f"\nMean growth {100 * sum(growths) / len(growths):.1f} %, worst {100 * max(growths):.1f} %; least PSNR mean "
              f"{min(r['meanPSNR'] for r in quality):.2f} dB, least picture {min(r['worstPSNR'] for r in quality):.2f} dB, "
              f"least SSIM {min(r['SSIM'] for r in quality):.4f}.")


def picture(results, tiers, path):
    """Attacks (rows, by tier) x clips (columns): recovered, missed, not run."""
    rows = {(r["attack"], r["clip"]): r for r in results if "attack" in r}
    clips = sorted({c for _, c in rows})
    cell, left, top, columns = 13, 190, 150, 3
    by_tier = [[n for n, t in tiers if t == tier] for tier in (1, 2, 3)]
    tall = max(len(names) for names in by_tier)
    block = left + cell * len(clips) + 30
    width, height = block * columns, top + cell * tall + 50
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif" font-size="10">',
           f'<rect width="{width}" height="{height}" fill="white"/>']
    for column, names in enumerate(by_tier):
        x0 = column * block
        seen = [rows[n, c] for n in names for c in clips if (n, c) in rows]
        good = sum(r["recovered"] for r in seen)
        out.append(f'<text x="{x0 + 10}" y="20" font-size="14" font-weight="bold">Tier {column + 1}: {good} of {len(seen)} exact ids</text>')
        for i, clip in enumerate(clips):
            x = x0 + left + cell * i + 9
            out.append(f'<text x="{x}" y="{top - 6}" transform="rotate(-60 {x} {top - 6})">{clip.split("_")[0]} {clip.split("_")[1][:9]}</text>')
        for j, name in enumerate(names):
            y = top + cell * j
            out.append(f'<text x="{x0 + left - 6}" y="{y + 10}" text-anchor="end">{name}</text>')
            for i, clip in enumerate(clips):
                r = rows.get((name, clip))
                fill = "#e8e8e8" if r is None else "#3a9a5b" if r["recovered"] else "#d9533f"
                out.append(f'<rect x="{x0 + left + cell * i}" y="{y}" width="{cell - 1}" height="{cell - 1}" fill="{fill}"/>')
    y = height - 20
    for x, fill, text in ((10, "#3a9a5b", "exact 64-bit id"), (130, "#d9533f", "missed at z 9.7"), (260, "#e8e8e8", "not run")):
        out.append(f'<rect x="{x}" y="{y}" width="11" height="11" fill="{fill}"/><text x="{x + 16}" y="{y + 10}">{text}</text>')
    path.write_text("\n".join(out + ["</svg>", ""]))


def attacked(name, clip, index, sources, options):
    """The attacked file and the ids it must give, or None."""
    marked = options.work / f"{clip.stem}.marked.mp4"
    expected = {f"{payload(clip.stem):016x}"}
    foreign = sources[(index + 1) % len(sources)]
    if name == "collude":
        foreign = options.work / f"{clip.stem}.second.mp4"
        encode(sources[index], foreign, options.lab, payload(clip.stem, 1))
        expected.add(f"{payload(clip.stem, 1):016x}")
    out = options.work / f"{clip.stem}.{name}.mp4"
    if not out.exists():
        part = options.work / f"{clip.stem}.{name}.{os.getpid()}.part.mp4"
        environment = dict(os.environ, FOREIGN=str(foreign), PRESET=os.environ.get("PRESET", "medium"), THREADS="1", KEEP_AUDIO="0")
        run = subprocess.run(["bash", options.attacks, name, marked, part], env=environment, capture_output=True, text=True)
        if run.returncode or not part.exists():
            print(f"{name} {clip.stem}: attack failed: {run.stderr[-200:]}", file=sys.stderr)
            return None
        part.rename(out)
    return out, expected


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="*", type=pathlib.Path)
    parser.add_argument("--attacks", type=pathlib.Path, required=True)
    parser.add_argument("--tiers", type=pathlib.Path, required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--lab")
    parser.add_argument("--reel")
    parser.add_argument("--names", default="")
    parser.add_argument("--tier", default="1,2,3")
    parser.add_argument("--log", type=pathlib.Path)
    parser.add_argument("--share", default="0/1")
    parser.add_argument("--limit", type=int, default=10**9)
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--quality", action="store_true")
    parser.add_argument("--report", action="store_true")
    parser.add_argument("--picture", type=pathlib.Path)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    log = options.log or options.work / "robustness.jsonl"
    results = load(log)
    tiers = [line.split("\t") for line in options.tiers.read_text().splitlines()[1:] if line]
    tiers = [(name, int(tier)) for name, tier in tiers]
    if options.report or options.picture:
        if options.report:
            report(results, tiers)
        if options.picture:
            picture(results, tiers, options.picture)
        return
    done = {(r["clip"], r.get("attack")) for r in results if not options.again or r.get("recovered", True)}
    share, shares = map(int, options.share.split("/"))
    if options.quality:
        for clip in options.clips[share::shares]:
            if (clip.stem, None) not in done:
                line = quality(clip, prepare(clip, options.work), options)
                print(json.dumps(line), flush=True)
                with log.open("a") as out:
                    out.write(json.dumps(line) + "\n")
        return
    names = [n for n in options.names.split(",") if n]
    chosen = [(n, t) for n, t in tiers if (n in names if names else str(t) in options.tier.split(","))]
    others = random.Random("registry")
    ids = [f"{others.getrandbits(64):016x}" for _ in range(4000)]
    ids += [f"{payload(c.stem, copy):016x}" for c in options.clips for copy in (0, 1)]
    registry = options.work / f"registry.{os.getpid()}"
    registry.write_text("".join(f"{i}\n" for i in ids))
    sources = [options.work / f"{c.stem}.source.mkv" for c in options.clips]
    pairs = [(index, clip, name, tier) for index, clip in enumerate(options.clips) for name, tier in chosen]
    place = {name: j for j, (name, _) in enumerate(tiers)}
    pairs.sort(key=lambda pair: ((pair[0] + place[pair[2]]) % len(options.clips), pair[3] == 3,
                                 random.Random(f"{pair[1].stem} {pair[2]}").random()))
    count = 0
    for index, clip, name, tier in pairs[share::shares]:
        if (clip.stem, name) in done or count >= options.limit:
            continue
        count += 1
        prepare(clip, options.work)
        prepare(options.clips[(index + 1) % len(options.clips)], options.work)
        encode(sources[index], options.work / f"{clip.stem}.marked.mp4", options.lab, payload(clip.stem))
        begun = seconds()
        made = attacked(name, clip, index, sources, options)
        if made is None:
            continue
        path, expected = made
        middle = seconds()
        found = detect(path, options, registry)
        if not options.keep:
            path.unlink()
        ids = {m["id"] for m in found["marks"]}
        # An id that is found in several ranges counts with its best one.
        least = min((max(m["z"] for m in found["marks"] if m["id"] == one) for one in ids), default=0)
        result = {"clip": clip.stem, "attack": name, "tier": tier, "recovered": ids == expected and least >= STRICT,
                  "recoveredByRegistry": ids == expected, "wrong": bool(ids - expected),
                  "z": round(found["bestZ"], 2), "attempts": found["attempts"], "attackSeconds": round(middle - begun, 2),
                  "searchSeconds": round(seconds() - middle, 2), "preset": os.environ.get("PRESET", "medium")}
        with log.open("a") as out:
            out.write(json.dumps(result) + "\n")
        print(f"{'ok  ' if result['recovered'] else 'MISS'} {name:24} {clip.stem[:12]:12} z {result['z']:5.1f} "
              f"attack {result['attackSeconds']:.1f} search {result['searchSeconds']:.1f} s{' WRONG' * result['wrong']}", flush=True)
    registry.unlink()


main()
