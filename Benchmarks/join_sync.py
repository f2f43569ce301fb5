#!/usr/bin/env python3
"""Composition: the offset of sound and picture at each join of a ten-minute document.

    join_sync.py --reel .build/release/reel [--clips 100] [--cache]

Makes sources of several frame rates and sample rates, in which at 1 s and at 5 s of 6.5 s the picture
turns white and a tone begins in the same moment; joins them by half-second transitions; finds both in the decoded output (FFmpeg) and
compares them with each other and with the document's own times. An audio frame is 1024 samples at 48 kHz: 21.3 ms.
"""

import argparse
import array
import json
import os
import subprocess
import sys
import tempfile

FRAME = 1024 / 48000
# Rates at which a mark falls on a picture of the output, too, and others, whose pictures come to the nearest one.
SOURCES = [("30", "48000", []), ("25", "44100", []), ("30000/1001", "48000", []), ("60", "32000", []),
           ("50", "44100", []), ("24", "48000", [])]
MARKS = (1.0, 5.0)


def run(command, **more):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)
    if done.returncode != 0:
        sys.exit(f"{command[:4]}: {done.stderr.decode()[-500:]}")
    return done.stdout


def source(path, rate, samples, more):
    on = "+".join(f"between(t,{m},{m + 0.2})" for m in MARKS)
    run(["ffmpeg", "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", f"color=c=black:s=192x108:r={rate}:d=7", "-f", "lavfi", "-i",
         f"aevalsrc='0.5*sin(2*PI*1000*t)*({on})':s={samples}:d=7", "-vf", f"drawbox=t=fill:c=white:enable='{on}'", *more, "-c:v",
         "libx264", "-preset", "ultrafast", "-crf", "20", "-g", "50", "-pix_fmt", "yuv420p", "-c:a", "aac", "-b:a", "128k", path])


def rises(values, threshold, quiet):
    """Indices at which values rise above a threshold after `quiet` that did not."""
    result, since = [], quiet
    for index, value in enumerate(values):
        if value > threshold:
            if since >= quiet:
                result.append(index)
            since = 0
        else:
            since += 1
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reel", required=True)
    parser.add_argument("--clips", type=int, default=100)
    parser.add_argument("--cache", action="store_true", help="with the segment cache, in pieces")
    options = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="reel-join-sync-")
    for index, (rate, samples, more) in enumerate(SOURCES):
        source(os.path.join(folder, f"s{index}.mp4"), rate, samples, more)
    sequence = []
    for index in range(options.clips):
        if index:
            sequence.append({"transition": ["crossfade", "wipe", "slide", "radial"][index % 4], "duration": "0.5s"})
        sequence.append({"media": f"s{index % len(SOURCES)}.mp4", "trim": ["0s", "6.5s"]})
    document = {"reel": 1, "canvas": {"width": 192, "height": 108, "frameRate": "30"}, "sequence": sequence,
                "output": {"speed": "ultrafast", "crf": 20}}
    with open(os.path.join(folder, "long.json"), "w") as file:
        json.dump(document, file)
    output = os.path.join(folder, "long.mp4")
    run([options.reel, "render", os.path.join(folder, "long.json"), "-o", output, *([] if options.cache else ["--no-cache"])],
        env=dict(os.environ, XDG_CACHE_HOME=os.path.join(folder, "cache")))
    # Times as a player has them: the edit list is applied, what begins late is filled up.
    light = run(["ffmpeg", "-nostdin", "-v", "error", "-i", output, "-map", "0:v", "-vf", "scale=1:1:flags=area,format=gray", "-f",
                 "rawvideo", "-"])
    sound = array.array("h", run(["ffmpeg", "-nostdin", "-v", "error", "-i", output, "-map", "0:a", "-af",
                                  "aresample=async=1:first_pts=0,pan=mono|c0=c0", "-f", "s16le", "-"]))
    flashes = [index / 30 for index in rises(light, 128, 20)]
    tones = [index / 48000 for index in rises((abs(value) for value in sound), 1200, 20000)]
    wanted = [index * 6.0 + mark for index in range(options.clips) for mark in MARKS]
    print(f"{len(light)} pictures, {len(sound) / 48000:.3f} s of sound, {len(wanted)} marks, {len(flashes)} flashes, {len(tones)} tones")
    if not len(flashes) == len(tones) == len(wanted):
        sys.exit("not every mark was found")
    late = max(abs(tone - want) for tone, want in zip(tones, wanted))
    picture = max(abs(flash - want) for flash, want in zip(flashes, wanted))
    apart = [tone - flash for tone, flash in zip(tones, flashes)]
    print(f"sound from its time at most {late * 1000:.1f} ms, pictures {picture * 1000:.1f} ms (half a picture is 16.7), "
          f"sound from picture {min(apart) * 1000:.1f} to {max(apart) * 1000:.1f} ms")
    for index, (rate, samples, _) in enumerate(SOURCES):
        own = [value for number, value in enumerate(apart) if number // 2 % len(SOURCES) == index]
        if own:
            print(f"  sources of {rate} pictures a second and {samples} Hz: {min(own) * 1000:.1f} to {max(own) * 1000:.1f} ms")
    last = apart[-10:]
    print(f"the last ten: {min(last) * 1000:.1f} to {max(last) * 1000:.1f} ms")
    subprocess.run(["rm", "-rf", folder])
    sys.exit(0 if late <= FRAME and max(map(abs, apart)) <= FRAME else "an offset is above one audio frame")


if __name__ == "__main__":
    main()
