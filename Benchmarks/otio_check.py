#!/usr/bin/env python3
"""Timelines written by OpenTimelineIO are read by reel, and reel's are read by OpenTimelineIO: both must give the same cut.

    otio_check.py --reel .build/release/reel --clips FOLDER

OpenTimelineIO comes from its registry: python3 -m venv E && E/bin/pip install opentimelineio, then E/bin/python otio_check.py ….
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile

import opentimelineio as otio


def plan(reel, path):
    return json.loads(subprocess.run([reel, "render", path, "--plan", "--json", "--no-cache", "--no-copy"], stdout=subprocess.PIPE, check=True).stdout)


def time(frames, rate=30):
    return otio.opentime.RationalTime(frames, rate)


def made(clips):
    """Three clips, a dissolve and a cut, written by OpenTimelineIO."""
    timeline = otio.schema.Timeline("made")
    track = otio.schema.Track("pictures", kind=otio.schema.TrackKind.Video)
    for index, (start, duration) in enumerate([(15, 90), (30, 60), (0, 45)]):
        reference = otio.schema.ExternalReference(
            target_url=os.path.join(clips, f"c{index + 1}.mp4"), available_range=otio.opentime.TimeRange(time(0), time(180)))
        if index == 1:
            track.append(otio.schema.Transition(transition_type="SMPTE_Dissolve", in_offset=time(6), out_offset=time(9)))
        track.append(otio.schema.Clip(f"clip {index}", reference, otio.opentime.TimeRange(time(start), time(duration))))
    timeline.tracks.append(track)
    return timeline


def cuts(timeline):
    """Start and length in frames of each clip of pictures, the source time at which it begins, and each transition's frames."""
    track = next(track for track in timeline.tracks if track.kind == otio.schema.TrackKind.Video)
    result = []
    for item in track:
        if isinstance(item, otio.schema.Transition):
            result.append(("transition", round(item.in_offset.to_seconds() * 30), round(item.out_offset.to_seconds() * 30)))
        else:
            place = track.range_of_child(item)
            result.append((os.path.basename(item.media_reference.target_url), round(place.start_time.to_seconds() * 30),
                           round(place.duration.to_seconds() * 30), round(item.source_range.start_time.to_seconds() * 30)))
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reel", required=True)
    parser.add_argument("--clips", required=True)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        theirs, ours = os.path.join(folder, "theirs.otio"), os.path.join(folder, "ours.otio")
        timeline = made(options.clips)
        otio.adapters.write_to_file(timeline, theirs)
        planned = plan(options.reel, theirs)
        assert planned["frames"] == 195, planned["frames"]
        subprocess.run([options.reel, "render", theirs, "--export-otio", ours], check=True)
        back = otio.adapters.read_from_file(ours)
        print("written by OpenTimelineIO:", cuts(timeline))
        print("through reel:             ", cuts(back))
        # The cut inside a join of an odd number of frames may fall a frame beside theirs: the pictures shown do not change.
        same = [a if a[0] != "transition" else ("transition", a[1] + a[2]) for a in cuts(timeline)]
        other = [a if a[0] != "transition" else ("transition", a[1] + a[2]) for a in cuts(back)]
        for a, b in zip(same, other):
            assert a[0] == b[0] and len(same) == len(other) and all(abs(x - y) <= 2 for x, y in zip(a[1:], b[1:])), (a, b)
        assert plan(options.reel, ours)["frames"] == planned["frames"]
        print("the same cut")


if __name__ == "__main__":
    sys.exit(main())
