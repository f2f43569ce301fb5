#!/usr/bin/env python3
"""Every file of the media pack through `reel encode`, judged by FFmpeg's own tools; writes Benchmarks/CORPUS.md.

    corpus_sweep.py --reel .build/release/reel --media ../shared/media [--only TEXT,…] [--jobs N] [--output Benchmarks/CORPUS.md]

Each file is encoded to FFV1 in MOV (sound alone to AAC in M4A). Files that decode cleanly must agree with the oracle:

- frames: as many as a full decode by `ffmpeg` gives, and each at its time (within 1.5 ms, where the source has a clock).
- duration: of the pictures, within the longest frame.
- size, turn: upright, square samples, by the display matrix or EXIF tag that `ffprobe` shows; of the eight ways to turn a
  picture none other may fit better.
- colour: mean error of R, G and B over up to eight frames, each output read by its own tags, against libswscale's conversion
  of the source with matrix and range stated. HDR is compared with `--keep hdr`, as tone mapping is no conversion.
- sound: begin, end and length of the default track against the decoded source (edit list, priming and start applied by FFmpeg's
  decoder), each within one AAC frame.

The others must give an output whose report names the damage, or fail with status 65, 69 or 77 and leave nothing.
Needs ffmpeg, ffprobe, ImageMagick and python3-numpy. Exit status 1 when more than three files disagree.
"""

import argparse
import concurrent.futures
import csv
import json
import os
import subprocess
import sys
import tempfile

import numpy

AAC_FRAME = 1024
MATRICES = {"bt709": "bt709", "smpte170m": "smpte170m", "bt470bg": "bt470", "bt2020nc": "bt2020", "smpte240m": "smpte240m", "fcc": "fcc"}
# libavfilter's names of the eight ways to turn a picture, and what they do to an array of rows.
TURNS = {
    "": lambda a: a, "hflip": lambda a: a[:, ::-1], "vflip": lambda a: a[::-1], "hflip,vflip": lambda a: a[::-1, ::-1],
    "transpose=0": lambda a: a.T, "transpose=1": lambda a: a.T[:, ::-1], "transpose=2": lambda a: a.T[::-1],
    "transpose=3": lambda a: a.T[::-1, ::-1],
}
# What the encoder leaves as it is because the source itself contradicts its tags or its clock; each is explained in the table.
EXPLAINED = {
    "corrupt/openh264_Error_I_P.264":
        "FFmpeg logs nothing, but its decoder conceals lost slices and flags those frames: reported as damage",
}


def run(command, check=True):
    result = subprocess.run(command, capture_output=True)
    if check and result.returncode != 0:
        raise RuntimeError(f"{command[0]}: {result.stderr.decode(errors='replace').strip()[-300:]}")
    return result


def probe(path, *options):
    return json.loads(run(["ffprobe", "-v", "error", "-of", "json", *options, path]).stdout or b"{}")


def number(value):
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


class Video:
    """What ffprobe says of the pictures of a file after decoding all of them."""

    def __init__(self, path, index):
        facts = probe(path, "-select_streams", str(index), "-show_frames", "-show_entries",
                      "frame=best_effort_timestamp_time,pkt_duration_time,width,height,pix_fmt,color_space,color_range,interlaced_frame,"
                      "sample_aspect_ratio,color_transfer:frame_tags=Orientation")
        self.frames = [frame for frame in facts.get("frames", []) if "width" in frame]
        self.times = [number(frame.get("best_effort_timestamp_time")) for frame in self.frames]


def streams(path):
    facts = probe(path, "-show_streams", "-show_format")
    return facts.get("streams", []), facts.get("format", {})


def first_video(listed):
    for stream in listed:
        if stream["codec_type"] == "video" and not stream.get("disposition", {}).get("attached_pic"):
            return stream
    return None


def default_audio(listed):
    usable = [s for s in listed if s["codec_type"] == "audio" and s.get("codec_name") and s.get("channels", 0) > 0]
    return next((s for s in usable if s.get("disposition", {}).get("default")), usable[0] if usable else None)


def turn_of(stream, frame):
    """The libavfilter chain that brings the stored pixels upright, by the metadata alone."""
    for side in stream.get("side_data_list", []):
        if "displaymatrix" in side:
            rows = [[int(n) for n in line.split(":")[1].split()] for line in side["displaymatrix"].strip().splitlines()]
            a, b, c, d = rows[0][0], rows[0][1], rows[1][0], rows[1][1]
            signs = tuple((v > 0) - (v < 0) for v in (a, b, c, d))
            return {(1, 0, 0, 1): "", (-1, 0, 0, -1): "hflip,vflip", (-1, 0, 0, 1): "hflip", (1, 0, 0, -1): "vflip",
                    (0, 1, -1, 0): "transpose=1", (0, -1, 1, 0): "transpose=2", (0, 1, 1, 0): "transpose=0",
                    (0, -1, -1, 0): "transpose=3"}.get(signs, "")
    tag = frame.get("tags", {}).get("Orientation", "").strip()
    return {"2": "hflip", "3": "hflip,vflip", "4": "vflip", "5": "transpose=0", "6": "transpose=1", "7": "transpose=3",
            "8": "transpose=2"}.get(tag, "")


def even(value):
    """The nearest even number, halves upwards, at least 2."""
    return max(2, int(value / 2 + 0.5) * 2)


def expected_size(stream, frame, turn, bound):
    ratio = (stream.get("sample_aspect_ratio") or frame.get("sample_aspect_ratio") or "1:1").split(":")
    aspect = float(ratio[0]) / float(ratio[1]) if len(ratio) == 2 and float(ratio[0]) > 0 and float(ratio[1]) > 0 else 1.0
    width, height = frame["width"] * aspect, float(frame["height"])
    if "transpose" in turn:
        width, height = height, width
    if bound:
        factor = min(bound / width, bound / height)
        width, height = width * factor, height * factor
    return even(width), even(height)


def tags(frame):
    """Matrix and range of a frame with what players assume for the unspecified ones; None for RGB."""
    form = frame.get("pix_fmt", "")
    if form.startswith(("rgb", "bgr", "gbr", "argb", "abgr", "pal8", "0rgb", "monob", "monow")):
        return None
    space = frame.get("color_space", "unknown")
    matrix = MATRICES.get(space, "bt709" if frame["height"] >= 720 else "smpte170m")
    span = frame.get("color_range", "unknown")
    full = span == "pc" or (span not in ("tv",) and form.startswith("yuvj"))
    return matrix, "pc" if full else "tv"


def pictures(path, index, chain, size, chosen, layout="rgb24"):
    """The chosen frames, an array (frames, height, width, channels)."""
    select = "select='" + "+".join(f"eq(n,{n})" for n in chosen) + "'"
    command = ["ffmpeg", "-nostdin", "-v", "error", "-noautorotate", "-i", path, "-map", f"0:{index}", "-fps_mode", "passthrough", "-vf",
               ",".join(part for part in [chain[0], select, chain[1], f"format={layout}"] if part), "-frames:v", str(len(chosen)),
               "-f", "rawvideo", "-"]
    channels = 3 if layout == "rgb24" else 1
    data = numpy.frombuffer(run(command).stdout, numpy.uint8)
    count = data.size // (size[0] * size[1] * channels)
    return data[: count * size[0] * size[1] * channels].reshape(count, size[1], size[0], channels).astype(numpy.int16)


FLAGS = "flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp"


def colour(source, stream, video, output, out_video, turn, size):
    """Mean error in levels, the worst channel; and whether another turn fits better."""
    frame, mine = video.frames[0], out_video.frames[0]
    count = min(len(video.frames), len(out_video.frames), 120)
    chosen = sorted({int(i * (count - 1) / 7) for i in range(8)}) if count > 1 else [0]
    given, made = tags(frame), tags(mine)
    matrix = given[0] if given else ("bt709" if size[1] >= 720 else "smpte170m")
    into = f"in_color_matrix={given[0]}:in_range={given[1]}:" if given else ""
    deinterlace = "bwdif=mode=send_frame:deint=interlaced" if any(f.get("interlaced_frame") for f in video.frames[:50]) else ""
    back = f"in_color_matrix={matrix}:in_range=tv:{FLAGS}"
    steps = [turn, f"scale={size[0]}:{size[1]}:{into}out_color_matrix={matrix}:out_range=tv:{FLAGS}", "format=yuv420p", f"scale={back}"]
    theirs = pictures(source, stream["index"], (deinterlace, ",".join(s for s in steps if s)), size, chosen)
    ours = pictures(output, 0, ("", f"scale=in_color_matrix={made[0]}:in_range={made[1]}:{FLAGS}" if made else ""), size, chosen)
    if theirs.shape != ours.shape:
        return None, False, f"{ours.shape[0]} of {theirs.shape[0]} pictures to compare"
    error = float(numpy.abs(theirs - ours).mean(axis=(0, 1, 2)).max())
    small = (64, 64)
    plain = pictures(source, stream["index"], ("", "scale=64:64:flags=area"), small, chosen[:1], "gray")[0, :, :, 0]
    upright = pictures(output, 0, ("", "scale=64:64:flags=area"), small, chosen[:1], "gray")[0, :, :, 0]
    errors = {name: numpy.abs(turning(plain) - upright).mean() for name, turning in TURNS.items()}
    best = min(errors, key=errors.get)
    if errors[best] < errors[turn] - 0.5:
        return error, False, f"the turn {best or 'none'} fits better than {turn or 'none'}"
    return error, True, ""


def sound_span(path, index, start):
    """Begin and end of the decoded sound in seconds after `start`, and its rate."""
    frames = [f for f in probe(path, "-select_streams", str(index), "-show_frames", "-show_entries",
                               "frame=best_effort_timestamp_time,nb_samples:stream=sample_rate").get("frames", []) if f.get("nb_samples")]
    if not frames:
        return None
    rate = int(probe(path, "-select_streams", str(index), "-show_entries", "stream=sample_rate")["streams"][0]["sample_rate"])
    begin = number(frames[0].get("best_effort_timestamp_time"))
    last = number(frames[-1].get("best_effort_timestamp_time"))
    if begin is None or last is None:
        return 0.0, sum(f["nb_samples"] for f in frames) / rate, rate
    return begin - start, last + frames[-1]["nb_samples"] / rate - start, rate


def judge(reel, media, name, scratch, clean):
    """One line of the table, as a dictionary; `problems` is empty when everything agrees."""
    source = os.path.join(media, name)
    row = {"file": name, "problems": []}
    for leftover in os.listdir(scratch):
        os.unlink(os.path.join(scratch, leftover))
    report = os.path.join(scratch, "report.json")
    listed, container = ([], {})
    try:
        listed, container = streams(source)
    except RuntimeError:
        pass
    stream, audio = first_video(listed), default_audio(listed)
    heavy = stream and stream.get("width", 0) * stream.get("height", 0) * max(1, number(stream.get("nb_frames")) or 1) > 1e8
    output = os.path.join(scratch, "out.mov" if stream else "out.m4a")
    command = [reel, "encode", source, "-o", output, "--report", report, "--quiet"]
    if stream:
        command += ["--codec", "ffv1", "--keep", "hdr"]
    if heavy:
        command += ["--size", "640x640"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=900)
    row["status"] = result.returncode
    if result.returncode != 0:
        left = [n for n in os.listdir(scratch)]
        row["says"] = result.stderr.strip().splitlines()[-1] if result.stderr.strip() else ""
        row["says"] = row["says"].replace(media.rstrip("/") + "/", "").replace(scratch + "/", "")
        if clean:
            row["problems"].append(f"failed: {row['says']}")
        if result.returncode not in (65, 69, 77):
            row["problems"].append(f"status {result.returncode}")
        if left:
            row["problems"].append(f"left behind: {', '.join(left)}")
        if len(result.stderr.strip().splitlines()) != 1:
            row["problems"].append("not one error line")
        return row
    facts = json.load(open(report))
    told = facts["inputs"][0]
    row["damage"] = [d["kind"] for d in told["damage"]] + told["incomplete"] + told["messages"]
    out_streams, _ = streams(output)
    out_stream, out_audio = first_video(out_streams), default_audio(out_streams)
    if name.endswith(".webp"):
        # FFmpeg 5.1 cannot read animations; ImageMagick can.
        counted = int(run(["identify", "-format", "%n\n", source]).stdout.split()[0])
        row["frames"] = (len(Video(output, out_stream["index"]).frames), counted)
        if row["frames"][0] != counted:
            row["problems"].append(f"{row['frames'][0]} pictures instead of {counted}")
        return row
    if not clean:
        errors = [line for line in run(["ffmpeg", "-nostdin", "-v", "error", "-i", source, "-map", "0:v?", "-map", "0:a?", "-fps_mode", "passthrough",
                                        "-f", "null", "-"], check=False).stderr.decode(errors="replace").splitlines()
                  if line.startswith("[") and not line.startswith("[null @")]
        if errors and not row["damage"]:
            row["problems"].append("FFmpeg complains, the report does not")
        made = len(Video(output, out_stream["index"]).frames) if out_stream else 0
        row["frames"] = (made, None)
        return row
    if row["damage"]:
        row["problems"].append(f"reported as damaged: {row['damage'][0]}")
    start = number(container.get("start_time")) or 0.0
    if stream and stream.get("codec_name"):
        compare_pictures(row, source, stream, output, out_stream, start, 640 if heavy else None)
    if audio:
        compare_sound(row, source, audio, output, out_audio, start)
    return row


def compare_pictures(row, source, stream, output, out_stream, start, bound):
    video, mine = Video(source, stream["index"]), Video(output, out_stream["index"])
    row["frames"] = (len(mine.frames), len(video.frames))
    if len(mine.frames) != len(video.frames):
        row["problems"].append(f"{len(mine.frames)} frames instead of {len(video.frames)}")
    pairs = [(a - start, b) for a, b in zip(video.times, mine.times) if a is not None and b is not None]
    known = all(t is not None for t in video.times) and len(set(video.times)) == len(video.times)
    if known and pairs:
        # A time before 0 cannot be stored; such pictures stand at the start.
        row["time"] = max(abs(max(a, 0) - b) for a, b in pairs)
        longest = max([y - x for x, y in zip(video.times, video.times[1:])] + [number(video.frames[-1].get("pkt_duration_time")) or 0.04])
        spans = [times[-1] - times[0] + (number(frames[-1].get("pkt_duration_time")) or longest)
                 for times, frames in ((video.times, video.frames), (mine.times, mine.frames))]
        row["duration"] = (spans[1], spans[0])
        if row["time"] > 0.0015:
            row["problems"].append(f"a picture is {row['time'] * 1000:.1f} ms off")
        if abs(spans[0] - spans[1]) > longest + 0.001:
            row["problems"].append(f"{spans[1]:.3f} s instead of {spans[0]:.3f} s")
    turn = turn_of(stream, video.frames[0])
    size = expected_size(stream, video.frames[0], turn, bound)
    row["size"] = (out_stream["width"], out_stream["height"])
    row["turn"] = turn
    if row["size"] != size:
        row["problems"].append(f"size {row['size'][0]}x{row['size'][1]} instead of {size[0]}x{size[1]}")
    if out_stream.get("sample_aspect_ratio", "1:1") not in ("1:1", "0:1") or turn_of(out_stream, mine.frames[0]):
        row["problems"].append("the output is not upright with square samples")
    error, fits, why = colour(source, stream, video, output, mine, turn, row["size"])
    row["colour"] = error
    if error is None or error > 2 or not fits:
        row["problems"].append(why or f"colour is {error:.2f} levels off")


def compare_sound(row, source, audio, output, out_audio, start):
    wanted = sound_span(source, audio["index"], start)
    if wanted is None:
        return
    if out_audio is None:
        row["problems"].append("no sound in the output")
        return
    got = sound_span(output, out_audio["index"], 0.0)
    frame = max(AAC_FRAME / got[2], AAC_FRAME / 48000)
    row["sound"] = (got[1] - got[0], wanted[1] - max(0.0, wanted[0]))
    for what, a, b in (("begins", got[0], max(0.0, wanted[0])), ("ends", got[1], wanted[1])):
        if abs(a - b) > frame + 0.001:
            row["problems"].append(f"sound {what} at {a:.3f} s instead of {b:.3f} s")
    # MP4's edit lists have units of 1 ms.
    if abs(row["sound"][0] - row["sound"][1]) > frame + 0.001:
        row["problems"].append(f"{row['sound'][0]:.3f} s of sound instead of {row['sound'][1]:.3f} s")


def cell(row, key, text):
    value = row.get(key)
    return text(value) if value is not None else ""


def table(rows):
    lines = ["| file | frames | worst time | duration | size, turn | colour | sound | result |", "|---|---|---|---|---|---|---|---|"]
    for row in rows:
        explained = EXPLAINED.get(row["file"])
        if row["problems"]:
            verdict = "**" + "; ".join(row["problems"]) + "**" + (f" {explained}" if explained else "")
        elif row["status"]:
            verdict = f"status {row['status']}: {row['says'].removeprefix('reel: ')}"
        elif row.get("damage"):
            verdict = f"output, damage reported: {row['damage'][0]}"
        else:
            verdict = "agrees" if row.get("colour") is not None or row.get("sound") else "output"
        lines.append("| " + " | ".join(text.replace("|", "/") for text in [
            row["file"],
            cell(row, "frames", lambda v: f"{v[0]}" if v[1] is None else f"{v[0]}/{v[1]}"),
            cell(row, "time", lambda v: f"{v * 1000:.2f} ms"),
            cell(row, "duration", lambda v: f"{v[0]:.3f}/{v[1]:.3f} s"),
            cell(row, "size", lambda v: f"{v[0]}x{v[1]}") + (f", {row['turn']}" if row.get("turn") else ""),
            cell(row, "colour", lambda v: f"{v:.2f}"),
            cell(row, "sound", lambda v: f"{v[0]:.3f}/{v[1]:.3f} s"),
            verdict]) + " |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--reel", required=True)
    parser.add_argument("--media", required=True)
    parser.add_argument("--only", default="")
    parser.add_argument("--output")
    parser.add_argument("--jobs", type=int, default=1, help="files at a time")
    arguments = parser.parse_args()
    entries = [(line["file"], line["decode_ffmpeg_5.1.9"] == "clean")
               for line in csv.DictReader(open(os.path.join(arguments.media, "MANIFEST.tsv")), delimiter="\t")]
    known = {name for name, _ in entries}
    demo = os.path.join(arguments.media, "demo")
    entries += [(f"demo/{name}", True) for name in sorted(os.listdir(demo)) if f"demo/{name}" not in known]
    entries = [e for e in entries if not arguments.only or any(text in e[0] for text in arguments.only.split(","))]

    def one(entry):
        name, clean = entry
        with tempfile.TemporaryDirectory(prefix="reel-corpus-") as scratch:
            try:
                row = judge(os.path.abspath(arguments.reel), arguments.media, name, scratch, clean)
            except subprocess.TimeoutExpired:
                row = {"file": name, "status": None, "problems": ["hangs"]}
            except Exception as error:  # noqa: BLE001 - one file must not end the sweep
                row = {"file": name, "status": None, "problems": [f"the sweep failed: {error}"]}
        print(f"{name}: {'; '.join(row['problems']) or 'ok'} {row.get('colour', '')}", flush=True)
        return row

    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        # Small files first: what is wrong shows early.
        bysize = sorted(entries, key=lambda entry: os.path.getsize(os.path.join(arguments.media, entry[0])))
        found = {row["file"]: row for row in pool.map(one, bysize)}
    rows = [found[name] for name, _ in entries]
    disagree = [row for row in rows if row["problems"]]
    unexplained = [row for row in disagree if row["file"] not in EXPLAINED]
    print(f"{len(rows)} files, {len(disagree)} disagree, {len(unexplained)} of them unexplained")
    if arguments.output:
        with open(arguments.output, "w") as file:
            file.write("# The corpus through `reel encode`\n\nMade by `python3 Benchmarks/corpus_sweep.py --reel .build/release/reel --media FOLDER "
                       "--output Benchmarks/CORPUS.md`; ours first, the oracle's after the slash. What each column means stands in the script.\n\n"
                       f"{len(rows)} files, {len(rows) - len(disagree)} as they must be, {len(disagree)} explained disagreement{'' if len(disagree) == 1 else 's'}.\n\n"
                       "The oracle of the sound is what FFmpeg's own decoder gives of source and output with edit lists, priming and start offsets applied: where the first "
                       "decoded sample is\nshown, where the last one ends, and how long that is; each agrees within one AAC frame (1024 samples, 21.3 ms) in every file "
                       f"that agrees.\n\n{table(rows)}\n")
    return 1 if unexplained or len(disagree) > 3 else 0


if __name__ == "__main__":
    sys.exit(main())
