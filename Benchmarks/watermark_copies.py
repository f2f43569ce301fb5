#!/usr/bin/env python3
"""Copies of `reel watermark variants` after what platforms do: is the individual copy still named?

usage: watermark_copies.py --reel reel --attacks attack.sh --work DIR [--copies 24] [--searched 2] [--bits 15,30,45] CLIP...

The clips, all of 1080x1920 and one rate (make_clips.sh), are joined to a video of 15 s, from which copies are made; of the first of them each is
attacked (PRESET of the environment, default medium) and searched with the manifest. `trim_70` keeps the middle 70 %. One line a pair.

--bits SECONDS,...: how many bits of a copy's id fit into that many seconds. The clips are repeated to that length, one copy is made, attacked and
searched with manifests that hold it beside N rows drawn at random, N = 2^4 ... 2^16. The advantage over the best of N random rows falls like
a - b sqrt(2 ln N), the greatest of N Gaussian values, with a and b by least squares; a copy is accepted with an advantage of 7 + ln N at least, so
that the bits that fit are the greatest log2 N for which the line stays above that.
"""
import argparse, json, math, os, pathlib, random, subprocess

ATTACKS = ["tiktok", "instagram", "whatsapp", "crop_center_75", "trim_70"]


BITS_ATTACKS = ["none", "tiktok", "whatsapp"]


def run(*command, **more):
    return subprocess.run([str(part) for part in command], check=True, **more)


def join(clips, seconds, out):
    """The clips one after the other, again and again, without encoding."""
    listing = out.with_suffix(".txt")
    listing.write_text("".join(f"file '{clip.resolve()}'\n" for clip in clips * 8))
    run("ffmpeg", "-nostdin", "-v", "error", "-y", "-f", "concat", "-safe", "0", "-i", listing, "-t", seconds, "-c", "copy", out)


def search(options, path, key, manifest):
    found = subprocess.run([options.reel, "watermark", "detect", path, "--key", key, "--copies", manifest, "--json", "--quiet"],
                           stdout=subprocess.PIPE).stdout
    return json.loads(found)["files"][0]["marks"]


def fitting(points, places):
    """The greatest number of bits for which the advantage, drawn through (N, advantage), stays above what is asked for."""
    xs, ys = [math.sqrt(2 * math.log(n)) for n, _ in points], [odds for _, odds in points]
    middle, level = sum(xs) / len(xs), sum(ys) / len(ys)
    slope = sum((x - middle) * (y - level) for x, y in zip(xs, ys)) / sum((x - middle) ** 2 for x in xs)
    bits = 0
    while bits < places and level + slope * (math.sqrt(2 * (bits + 1) * math.log(2)) - middle) >= 7 + (bits + 1) * math.log(2):
        bits += 1
    return bits


def measure_bits(options, seconds, key, environment):
    source, folder = options.work / f"source-{seconds}.mp4", options.work / f"copies-{seconds}"
    if not source.exists():
        join(options.clips, seconds, source)
    id = f"{random.Random(seconds).getrandbits(48):016x}"
    ids = options.work / f"ids-{seconds}"
    ids.write_text(id + "\n")
    run(options.reel, "watermark", "variants", source, "--ids", ids, "--key", key, "--out-dir", folder, "--resume", "--quiet")
    plain = json.loads((folder / "manifest.json").read_text())
    for name in BITS_ATTACKS:
        out = options.work / f"bits-{seconds}.{name}.mp4"
        run("bash", options.attacks, name, folder / f"{source.stem}-{id}.mp4", out, env=environment, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        points, places = [], len(plain["copies"][0]["bits"])
        for power in range(4, 17, 2):
            draw = random.Random(f"{seconds} {power}")
            others = [{"id": f"{draw.getrandbits(64):016x}", "bits": f"{draw.getrandbits(places):0{places}b}"} for _ in range(2 ** power)]
            crowd = options.work / "crowd.json"
            crowd.write_text(json.dumps({**plain, "copies": plain["copies"] + others}))
            named = [copy for mark in search(options, out, key, crowd) for copy in mark.get("copies") or []]
            if [copy["id"] for copy in named] == [id]:
                points.append((2 ** power, named[0]["logOdds"]))
            elif named:
                print(f"WRONG {name} {seconds} s 2^{power}: {named}", flush=True)
        told = int(math.log2(points[-1][0])) if points else 0
        print(f"{seconds} s {name:10} {places} places; told apart among 2^{told} rows, advantage {points[-1][1] if points else 0:.0f}; "
              f"bits that fit {fitting(points, places) if len(points) > 2 else told}", flush=True)
        out.unlink()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="+", type=pathlib.Path)
    parser.add_argument("--reel", required=True)
    parser.add_argument("--attacks", required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--copies", type=int, default=24)
    parser.add_argument("--searched", type=int, default=2)
    parser.add_argument("--bits", default="")
    options = parser.parse_args()
    work = options.work
    work.mkdir(parents=True, exist_ok=True)
    source, key, folder = work / "source.mp4", work / "copies.key", work / "copies"
    if not key.exists():
        run(options.reel, "watermark", "keygen", "-o", key)
    environment = dict(os.environ, THREADS="1", KEEP_AUDIO="0", PRESET=os.environ.get("PRESET", "medium"))
    if options.bits:
        for seconds in options.bits.split(","):
            measure_bits(options, int(seconds), key, environment)
        return
    if not source.exists():
        join(options.clips, 15, source)
    ids = [f"{random.Random('copies').getrandbits(48) + n:016x}" for n in range(options.copies)]
    (work / "ids").write_text("\n".join(ids) + "\n")
    run(options.reel, "watermark", "variants", source, "--ids", work / "ids", "--key", key, "--out-dir", folder, "--resume", "--quiet")
    good = total = 0
    for id in ids[:options.searched]:
        copy = folder / f"source-{id}.mp4"
        for name in ATTACKS:
            out = work / f"{id}.{name}.mp4"
            if name == "trim_70":
                run("ffmpeg", "-nostdin", "-v", "error", "-y", "-ss", "2.25", "-i", copy, "-t", "10.5", "-an", "-c:v", "libx264", "-preset",
                    environment["PRESET"], "-crf", "23", "-threads", "1", out)
            else:
                run("bash", options.attacks, name, copy, out, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            marks = search(options, out, key, folder / "manifest.json")
            named = [copy["id"] for mark in marks for copy in mark.get("copies") or []]
            total += 1
            good += named == [id]
            print(f"{'ok  ' if named == [id] else 'MISS'} {name:16} copy {id} named {named or 'none'} z {marks[0]['z'] if marks else 0:.1f}", flush=True)
            out.unlink()
    print(f"{good} of {total}")


main()
