#!/usr/bin/env python3
"""Copies of `reel watermark variants` after what platforms do: is the individual copy still named?

usage: watermark_copies.py --reel reel --attacks attack.sh --work DIR [--copies 24] [--searched 2] CLIP...

The clips, all of 1080x1920 and one rate (make_clips.sh), are joined to a video of 15 s, from which copies are made; of the first of them each is
attacked (PRESET of the environment, default medium) and searched with the manifest. `trim_70` keeps the middle 70 %. One line a pair.
"""
import argparse, json, os, pathlib, random, subprocess

ATTACKS = ["tiktok", "instagram", "whatsapp", "crop_center_75", "trim_70"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="+", type=pathlib.Path)
    parser.add_argument("--reel", required=True)
    parser.add_argument("--attacks", required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--copies", type=int, default=24)
    parser.add_argument("--searched", type=int, default=2)
    options = parser.parse_args()
    work = options.work
    work.mkdir(parents=True, exist_ok=True)
    source, key, folder = work / "source.mp4", work / "copies.key", work / "copies"
    run = lambda *command, **more: subprocess.run([str(part) for part in command], check=True, **more)
    if not source.exists():
        listing = work / "list.txt"
        listing.write_text("".join(f"file '{clip.resolve()}'\n" for clip in options.clips))
        run("ffmpeg", "-nostdin", "-v", "error", "-y", "-f", "concat", "-safe", "0", "-i", listing, "-t", "15", "-c", "copy", source)
    if not key.exists():
        run(options.reel, "watermark", "keygen", "-o", key)
    ids = [f"{random.Random('copies').getrandbits(48) + n:016x}" for n in range(options.copies)]
    (work / "ids").write_text("\n".join(ids) + "\n")
    run(options.reel, "watermark", "variants", source, "--ids", work / "ids", "--key", key, "--out-dir", folder, "--resume", "--quiet")
    environment = dict(os.environ, THREADS="1", KEEP_AUDIO="0", PRESET=os.environ.get("PRESET", "medium"))
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
            found = subprocess.run([options.reel, "watermark", "detect", out, "--key", key, "--copies", folder / "manifest.json", "--json", "--quiet"],
                                   stdout=subprocess.PIPE).stdout
            marks = json.loads(found)["files"][0]["marks"]
            named = [copy["id"] for mark in marks for copy in mark.get("copies") or []]
            total += 1
            good += named == [id]
            print(f"{'ok  ' if named == [id] else 'MISS'} {name:16} copy {id} named {named or 'none'} z {marks[0]['z'] if marks else 0:.1f}", flush=True)
            out.unlink()
    print(f"{good} of {total}")


main()
