#!/usr/bin/env python3
"""False positives of the tracking watermark: full blind searches with random keys over clips that do not carry their marks.

usage: watermark_false_positives.py --lab watermark-lab --work DIR [--log FILE] [--searches 1500] [--keys 50] [--share I/N]
       [--report | --picture FILE.svg] CLIP...

Each clip is cut to its first 2 s and scaled to a short side of 240 pixels, then searched with --keys random keys at a time, each
search whole, deciding openly (z >= 12.2). Unmarked, attacked and foreign-key-marked files are all right as clips: no key is ever
the one that marked. Results go to the log, one line a search, and are continued by the next run. --report prints searches,
reading attempts, acceptances and the share of searches whose best z reached each level, beside the bound
min(1, attempts a search x 2^64 x exp(-z^2 / 2)); --picture draws both.
"""
import argparse, json, math, pathlib, random, subprocess


def probe(path):
    out = subprocess.run(["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "stream=width,height,avg_frame_rate",
                          "-of", "json", path], capture_output=True, check=True).stdout
    stream = json.loads(out)["streams"][0]
    n, d = map(int, stream["avg_frame_rate"].split("/"))
    return stream["width"], stream["height"], n / d if d and n else 30.0


def load(path):
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def bound(z, attempts):
    return min(1.0, math.exp(min(0.0, math.log(attempts) + 64 * math.log(2) - z * z / 2)))


def report(rows):
    attempts = sum(r["attempts"] for r in rows)
    print(f"{len(rows)} searches with as many random keys over {len({r['clip'] for r in rows})} clips, {attempts} reading attempts, "
          f"{sum(r['accepted'] for r in rows)} accepted, greatest z {max(r['z'] for r in rows):.2f} (threshold 12.2).\n")
    print("| z at least | share of searches | bound |\n|---|---|---|")
    for z in range(4, 15):
        print(f"| {z} | {sum(r['z'] >= z for r in rows) / len(rows):.4f} | {bound(z, attempts / len(rows)):.1e} |")


def picture(rows, path):
    """Share of searches whose best z is at least z, and the bound, on a logarithmic scale."""
    width, height, left, top, right, bottom, least = 640, 360, 60, 30, 20, 45, -12
    x = lambda z: left + (width - left - right) * (z - 4) / 10
    y = lambda p: top + (height - top - bottom) * min(math.log10(max(p, 10.0 ** least)) / least, 1)
    attempts = sum(r["attempts"] for r in rows) / len(rows)
    steps = [4 + 0.05 * k for k in range(201)]
    share = [(z, sum(r["z"] >= z for r in rows) / len(rows)) for z in steps]
    line = lambda points: " ".join(f"{x(z):.1f},{y(p):.1f}" for z, p in points)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif" font-size="11">',
           f'<rect width="{width}" height="{height}" fill="white"/>']
    for k in range(0, least - 1, -2):
        out.append(f'<line x1="{left}" x2="{width - right}" y1="{y(10.0 ** k):.1f}" y2="{y(10.0 ** k):.1f}" stroke="#ddd"/>'
                   f'<text x="{left - 6}" y="{y(10.0 ** k) + 4:.1f}" text-anchor="end">1e{k}</text>')
    for z in range(4, 15):
        out.append(f'<text x="{x(z):.1f}" y="{height - 28}" text-anchor="middle">{z}</text>')
    out += [f'<polyline points="{line((z, bound(z, attempts)) for z in steps)}" fill="none" stroke="#d9533f" stroke-width="2"/>',
            f'<polyline points="{line([p for p in share if p[1] > 0])}" fill="none" stroke="#2a6fb0" stroke-width="2"/>',
            f'<line x1="{x(12.2):.1f}" x2="{x(12.2):.1f}" y1="{top}" y2="{height - bottom}" stroke="#444" stroke-dasharray="4 3"/>',
            f'<text x="{x(12.2) - 4:.1f}" y="{height - bottom - 6}" text-anchor="end">threshold 12.2</text>',
            f'<text x="{left}" y="18">Best z of {len(rows)} blind searches without a mark (blue) and the bound for one search (red)</text>',
            f'<text x="{(left + width) / 2}" y="{height - 10}" text-anchor="middle">z</text>', "</svg>", ""]
    path.write_text("\n".join(out))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="*", type=pathlib.Path)
    parser.add_argument("--lab")
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path("."))
    parser.add_argument("--log", type=pathlib.Path)
    parser.add_argument("--searches", type=int, default=1500)
    parser.add_argument("--keys", type=int, default=50)
    parser.add_argument("--share", default="0/1")
    parser.add_argument("--report", action="store_true")
    parser.add_argument("--picture", type=pathlib.Path)
    options = parser.parse_args()
    log = options.log or options.work / "false-positives.jsonl"
    rows = load(log)
    if options.report or options.picture:
        if options.report:
            report(rows)
        if options.picture:
            picture(rows, options.picture)
        return
    done = {r["batch"] for r in rows}
    share, shares = map(int, options.share.split("/"))
    for batch in range(share, (options.searches + options.keys - 1) // options.keys, shares):
        if batch in done:
            continue
        clip = options.clips[batch % len(options.clips)]
        secrets = [random.Random(f"false positives {batch} {k}").randbytes(16).hex() for k in range(options.keys)]
        width, height, rate = probe(clip)
        factor = 240 / min(width, height)
        width, height = round(width * factor), round(height * factor)
        reader = subprocess.Popen(["ffmpeg", "-v", "error", "-nostdin", "-threads", "1", "-i", clip, "-t", "2", "-map", "0:v:0",
                                   "-fps_mode", "passthrough", "-vf", f"scale={width}:{height},format=gray", "-f", "rawvideo",
                                   "-pix_fmt", "gray", "-"], stdout=subprocess.PIPE)
        out = subprocess.run([options.lab, "blind", str(width), str(height), f"{rate:.4f}"] + secrets, stdin=reader.stdout,
                             capture_output=True, check=True, text=True).stdout
        reader.wait()
        with log.open("a") as file:
            for k, line in enumerate(out.splitlines()):
                file.write(json.dumps({"clip": clip.name, "batch": batch, "key": k, **json.loads(line)}) + "\n")


main()
