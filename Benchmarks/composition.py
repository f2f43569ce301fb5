#!/usr/bin/env python3
"""Composition: CPU seconds of renders against FFmpeg, MoviePy and melt, and of what is not rendered again.

    composition.py --reel .build/release/reel --clips FOLDER [--only full,edit,smart,variants,hooks,peers] [--rounds 2] [--moviepy PYTHON] [--json FILE]

MoviePy 2 comes from its registry into an environment of its own: python3 -m venv E && E/bin/pip install moviepy, then
--moviepy E/bin/python. melt is Debian's package. Sums are user and system time of all processes; rounds alternate between the sides
and the least sum counts. The clips are those of shared/bench/make_clips.sh.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile

WORDS = "This is the only one that I kept using after thirty days and here is why you should try it today".split()
THREADS = "2"


def cpu(command, **more):
    """User and system seconds of a command and its children, and the peak memory of its largest process in MiB."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        sys.exit(f"{command[:6]}: {done.stderr.decode()[-800:]}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def srt(path, change=None):
    """A caption of three words every 1.2 s; number `change` says something else."""
    def stamp(t):
        return f"{int(t // 3600):02}:{int(t // 60) % 60:02}:{int(t % 60):02},{round(t * 1000) % 1000:03}"
    lines, t, n = [], 0.2, 0
    while t < 27.6:
        n += 1
        text = "something else entirely" if n == change else " ".join(WORDS[(n * 3 + j) % len(WORDS)] for j in range(3))
        lines.append(f"{n}\n{stamp(t)} --> {stamp(t + 1.1)}\n{text}\n")
        t += 1.2
    with open(path, "w") as file:
        file.write("\n".join(lines))


class Bench:
    def __init__(self, options):
        self.options, self.folder, self.results = options, tempfile.mkdtemp(prefix="reel-composition-"), {}
        self.environment = dict(os.environ, XDG_CACHE_HOME=os.path.join(self.folder, "cache"))
        srt(self.path("captions.srt"))
        srt(self.path("captions-edited.srt"), 12)

    def path(self, name):
        return os.path.join(self.folder, name)

    def clip(self, name):
        return os.path.join(self.options.clips, name)

    def document(self, name, clips, transitions=None, dressed=False, captions="captions.srt", speed="veryfast", variables=None, **more):
        sequence = []
        for index, clip in enumerate(clips):
            if index:
                sequence.append({"transition": (transitions or {}).get(index, "crossfade"), "duration": "0.5s"})
            sequence.append({"media": clip if "{" in clip else self.clip(clip)})
        document = {"reel": 1, "canvas": {"width": 1080, "height": 1920, "frameRate": "30"}, "sequence": sequence,
                    "output": {"preset": "tiktok", "speed": speed, "crf": 20}}
        if dressed:
            document["overlays"] = [{"image": self.clip("logo.png"), "anchor": "top-right", "margin": 48, "width": "18%", "opacity": 0.9}]
            document["captions"] = {"file": captions, "style": "subtitle"}
            document["audio"] = {"music": {"file": self.clip("music.m4a"), "volume": -12, "fadeOut": "1s"}, "clips": -6}
        if variables:
            document["variables"] = variables
        document.update(more)
        with open(self.path(name), "w") as file:
            json.dump(document, file)
        return self.path(name)

    def reel(self, document, output, *more):
        return cpu([self.options.reel, "render", document, "-o", self.path(output), "--overwrite", "--threads", THREADS, *more],
                   env=self.environment)

    def clear(self):
        subprocess.run(["rm", "-rf", self.path("cache")], check=True)

    def note(self, name, **values):
        self.results[name] = {key: round(value, 3) if isinstance(value, float) else value for key, value in values.items()}
        print(name, json.dumps(self.results[name]), flush=True)

    # The same ad as FFmpeg graphs. Libass draws the captions from the same file.

    def graph_end(self, video, voices):
        escaped = self.path("captions.srt")
        style = "FontName=Noto Sans,Fontsize=14,Bold=1"
        return (f"[9:v]scale=194:-1,format=yuva420p,colorchannelmixer=aa=0.9[logo];[{video}][logo]overlay=W-w-48:48:format=yuv420,"
                f"subtitles={escaped}:force_style='{style}',format=yuv420p[v];"
                f"{voices}volume=-6dB[own];[8:a]volume=-12dB,atrim=duration=28,afade=t=out:st=27:d=1[music];"
                "[own][music]amix=inputs=2:duration=longest:normalize=0[a]")

    def inputs(self, clips):
        result = []
        for clip in clips:
            result += ["-threads", THREADS, "-i", self.clip(clip)]
        return result

    def audio_chain(self):
        chain, last = "", "[0:a]"
        for index in range(1, 5):
            chain += f"{last}[{index}:a]acrossfade=d=0.5:c1=qsin:c2=qsin[x{index}];"
            last = f"[x{index}]"
        return chain, last

    def encoder(self, speed):
        return ["-map", "[v]", "-map", "[a]", "-c:v", "libx264", "-preset", speed, "-crf", "20", "-maxrate", "12M", "-bufsize", "24M",
                "-profile:v", "high", "-g", "60", "-threads", THREADS, "-c:a", "aac", "-b:a", "128k", "-movflags", "+faststart"]

    def ffmpeg(self, clips, output, speed, only_joins):
        """xfade over whole clips, or over the half second of each join alone with the rest passed by."""
        graph = ""
        if only_joins:
            names = []
            for index in range(5):
                head, tail = (0.5 if index else 0), (0.5 if index < 4 else 0)
                parts = [f"b{index}"] + ([f"h{index}"] if head else []) + ([f"t{index}"] if tail else [])
                graph += f"[{index}:v]setpts=PTS-STARTPTS,split={len(parts)}" + "".join(f"[{p}0]" for p in parts) + ";"
                graph += f"[b{index}0]trim={head}:{6 - tail},setpts=PTS-STARTPTS[b{index}];"
                if head:
                    graph += f"[h{index}0]trim=0:0.5,setpts=PTS-STARTPTS[h{index}];"
                if tail:
                    graph += f"[t{index}0]trim=5.5:6,setpts=PTS-STARTPTS[t{index}];"
            for index in range(1, 5):
                graph += f"[t{index - 1}][h{index}]xfade=transition=fade:duration=0.5:offset=0,fps=30,format=yuv420p[j{index}];"
            for index in range(5):
                names += ([f"[j{index}]"] if index else []) + [f"[b{index}]"]
            graph += "".join(names) + f"concat=n={len(names)}:v=1:a=0,fps=30[joined];"
        else:
            last, offset = "[0:v]", 0.0
            for index in range(1, 5):
                offset += 5.5
                graph += f"{last}[{index}:v]xfade=transition=fade:duration=0.5:offset={offset}[v{index}];"
                last = f"[v{index}]"
            graph += f"{last}format=yuv420p[joined];"
        chain, voices = self.audio_chain()
        graph += chain + self.graph_end("joined", voices)
        # Inputs 5 to 7 only keep the numbers of music and logo apart from those of the clips.
        rest = []
        for _ in range(3):
            rest += ["-f", "lavfi", "-i", "anullsrc=d=0.1"]
        return cpu(["ffmpeg", "-nostdin", "-v", "error", "-y", *self.inputs(clips), *rest, "-i", self.clip("music.m4a"), "-i",
                    self.clip("logo.png"), "-filter_complex", graph, *self.encoder(speed), self.path(output)])

    def ssim(self, first, second):
        text = subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-i", self.path(first), "-i", self.path(second), "-lavfi",
                               "[0:v][1:v]ssim=stats_file=-", "-f", "null", "-"], stdout=subprocess.PIPE, check=True).stdout.decode()
        return [float(line.split("All:")[1].split()[0]) for line in text.splitlines() if "All:" in line]

    def warnings(self, name):
        return subprocess.run(["ffmpeg", "-nostdin", "-v", "warning", "-i", self.path(name), "-f", "null", "-"],
                              stderr=subprocess.PIPE).stderr.decode().strip()

    # Rows

    def full(self):
        clips = [f"c{n}.mp4" for n in range(1, 6)]
        for speed in self.options.speeds.split(","):
            document = self.document(f"full-{speed}.json", clips, dressed=True, speed=speed)
            ours, cold, naive, joins = [], [], [], []
            for _ in range(self.options.rounds):
                ours.append(self.reel(document, "full.mp4", "--no-cache", "--no-copy"))
                self.clear()
                cold.append(self.reel(document, "cold.mp4"))
                naive.append(self.ffmpeg(clips, "naive.mp4", speed, False))
                joins.append(self.ffmpeg(clips, "joins.mp4", speed, True))
            best = min(min(naive), min(joins))
            self.note(f"full render, {speed}", reel=min(ours), reelFillingCache=min(cold), ffmpegNaive=min(naive), ffmpegJoinsOnly=min(joins),
                      ratio=min(ours) / best, ratioFillingCache=min(cold) / best,
                      bytes={name: os.path.getsize(self.path(name)) for name in ("full.mp4", "cold.mp4", "naive.mp4", "joins.mp4")})

    def edit(self):
        clips = [f"c{n}.mp4" for n in range(1, 6)]
        for speed in self.options.speeds.split(","):
            base = self.document("base.json", clips, dressed=True, speed=speed)
            edits = {"transition": self.document("transition.json", clips, {3: "wipe"}, dressed=True, speed=speed),
                     "caption": self.document("caption.json", clips, dressed=True, captions="captions-edited.srt", speed=speed)}
            whole = self.reel(base, "base.mp4", "--no-cache", "--no-copy")
            for name, document in edits.items():
                self.clear()
                self.reel(base, "base.mp4")
                again = self.reel(document, f"{name}.mp4", "--report", self.path("report.json"))
                self.reel(document, f"{name}-full.mp4", "--no-cache", "--no-copy")
                with open(self.path("report.json")) as file:
                    report = json.load(file)
                values = self.ssim(f"{name}.mp4", f"{name}-full.mp4")
                self.note(f"one {name} changed, {speed}", full=whole, again=again, times=whole / again,
                          encodedFrames=report["frames"].get("encoded"), frames=len(values), worstSSIM=min(values),
                          decodeWarnings=self.warnings(f"{name}.mp4"))

    def smart(self):
        for kind in "kc":
            clips = [f"{kind}{n}.mp4" for n in range(1, 6)]
            document = self.document(f"smart-{kind}.json", clips)
            whole, copied = [], []
            for _ in range(self.options.rounds):
                whole.append(self.reel(document, "whole.mp4", "--no-cache", "--no-copy"))
                copied.append(self.reel(document, "smart.mp4", "--no-cache", "--report", self.path("report.json")))
            with open(self.path("report.json")) as file:
                report = json.load(file)
            values = self.ssim("smart.mp4", "whole.mp4")
            self.note(f"smart render, {kind}1…{kind}5", full=min(whole), smart=min(copied), times=min(whole) / min(copied),
                      copiedFrames=report["frames"].get("copied"), encodedFrames=report["frames"].get("encoded"), worstSSIM=min(values),
                      decodeWarnings=self.warnings("smart.mp4"), changedPackets=self.changed(report, clips))

    def changed(self, report, clips):
        """Copied packets whose bytes, apart from parameter sets before them, are not the source's."""
        def hashes(path):
            text = subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-i", path, "-map", "0:v", "-c", "copy", "-bsf:v",
                                   "filter_units=remove_types=7-8", "-f", "framehash", "-hash", "md5", "-"], stdout=subprocess.PIPE,
                                  check=True).stdout.decode()
            return [line.split(",")[-1].strip() for line in text.splitlines() if not line.startswith("#")]
        known = set().union(*(hashes(self.clip(clip)) for clip in clips))
        own = hashes(self.path("smart.mp4"))
        return sum(1 for segment in report["segments"] if segment["action"] == "copy"
                   for packet in own[segment["from"]:segment["to"]] if packet not in known)

    def variants(self):
        clips = [f"c{n}.mp4" for n in range(1, 6)]
        count = self.options.variants
        headline = {"headline": {"type": "text", "default": "New in"}}
        document = self.document("variants.json", clips, dressed=True, variables=headline)
        with open(document) as file:
            text = json.load(file)
        text["overlays"].append({"text": "{{headline}}", "anchor": "top", "style": "headline", "from": "1s", "to": "4s"})
        with open(document, "w") as file:
            json.dump(text, file)
        with open(self.path("rows.csv"), "w") as file:
            file.write("headline\n" + "".join(f'"Offer {n}, only today"\n' for n in range(count)))
        self.clear()
        ours = cpu([self.options.reel, "render", document, "--data", self.path("rows.csv"), "--out-dir", self.path("variants"), "--threads",
                    THREADS], env=self.environment)
        theirs = [self.ffmpeg(clips, "variant.mp4", "veryfast", joins) for joins in (True, False, True)]
        self.note(f"{count} variants of a headline", reel=ours, ffmpegOne=min(theirs), times=min(theirs) * count / ours)

    def hooks(self):
        """Rows with a hook of their own, each beside FFmpeg's render of the same clips; the first row fills the cache."""
        clips = [f"c{n}.mp4" for n in range(1, 6)]
        count = self.options.hooks or 4
        document = self.document("hooks.json", ["{{hook}}"] + clips[1:], dressed=True, variables={"hook": {"type": "media"}})
        self.clear()
        rows, theirs = [], []
        for n in range(count):
            hook = self.path(f"hook{n}.mp4")
            cpu(["ffmpeg", "-nostdin", "-v", "error", "-y", "-stream_loop", "1", "-ss", str(n % 40 * 0.1), "-i", self.clip(clips[n % 5]), "-t",
                 "6", "-c:v", "libx264", "-preset", "veryfast", "-crf", "20", "-threads", "2", "-c:a", "aac", hook])
            with open(self.path("hook.csv"), "w") as file:
                file.write(f"hook\n{hook}\n")
            rows.append(cpu([self.options.reel, "render", document, "--data", self.path("hook.csv"), "--out-dir", self.path("hooked"),
                             "--name", f"{n}.mp4", "--threads", THREADS], env=self.environment))
            # Three are enough of FFmpeg's; the first of ours stands for itself.
            if n and len(theirs) < 3:
                theirs.append(self.ffmpeg([hook] + clips[1:], "variant.mp4", "veryfast", True))
            print(f"  row {n}: {rows[-1]:.2f}", f"FFmpeg {theirs[-1]:.2f}" if n and theirs else "", flush=True)
        later, one = sum(rows[1:]) / len(rows[1:]), sum(theirs) / len(theirs)
        self.note("a 6 s hook of its own", first=rows[0], later=later, ffmpeg=one, times=later and one / later,
                  timesAt100=100 * one / (rows[0] + 99 * later))

    def peers(self):
        clips = [self.clip(f"c{n}.mp4") for n in range(1, 6)]
        plain = self.document("plain.json", [f"c{n}.mp4" for n in range(1, 6)])
        ours = self.reel(plain, "plain.mp4", "--no-cache", "--no-copy")
        if self.options.moviepy:
            program = f"""
import moviepy
from moviepy import VideoFileClip, CompositeVideoClip, vfx, afx
clips, start = [], 0
for index, path in enumerate({clips!r}):
    clip = VideoFileClip(path).with_start(start)
    if index: clip = clip.with_effects([vfx.CrossFadeIn(0.5), afx.AudioFadeIn(0.5)])
    if index < 4: clip = clip.with_effects([afx.AudioFadeOut(0.5)])
    clips.append(clip); start += 5.5
CompositeVideoClip(clips).with_duration(28).write_videofile({self.path('moviepy.mp4')!r}, fps=30, codec='libx264', preset='veryfast',
    threads=2, audio_codec='aac', logger=None, ffmpeg_params=['-crf', '20', '-maxrate', '12M', '-bufsize', '24M', '-g', '60'])
"""
            theirs = cpu([self.options.moviepy, "-c", program])
            self.note("joins alone, MoviePy 2", reel=ours, moviepy=theirs, ratio=ours / theirs)
        command = ["melt", "-profile", "hdv_1080_50p"]
        profile = self.path("vertical.profile")
        with open(profile, "w") as file:
            file.write("description=vertical\nframe_rate_num=30\nframe_rate_den=1\nwidth=1080\nheight=1920\nprogressive=1\n"
                       "sample_aspect_num=1\nsample_aspect_den=1\ndisplay_aspect_num=9\ndisplay_aspect_den=16\ncolorspace=709\n")
        command = ["melt", "-profile", profile]
        for index, clip in enumerate(clips):
            command += [clip] + (["-mix", "15", "-mixer", "luma", "-mixer", "mix:-1"] if index else [])
        command += ["-consumer", "avformat:" + self.path("melt.mp4"), "vcodec=libx264", "preset=veryfast", "crf=20", "g=60", "acodec=aac",
                    "threads=2", "real_time=-1"]
        try:
            theirs = cpu(command, env=dict(os.environ, SDL_VIDEODRIVER="dummy"))
            self.note("joins alone, melt", reel=ours, melt=theirs, ratio=ours / theirs)
        except FileNotFoundError:
            print("melt is not installed")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reel", required=True)
    parser.add_argument("--clips", required=True)
    parser.add_argument("--only", default="full,edit,smart,variants,peers")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--speeds", default="veryfast,medium")
    parser.add_argument("--variants", type=int, default=100)
    parser.add_argument("--hooks", type=int, default=0)
    parser.add_argument("--moviepy", default="")
    parser.add_argument("--json", default="")
    options = parser.parse_args()
    bench = Bench(options)
    for name in options.only.split(","):
        getattr(bench, name)()
    if options.json:
        with open(options.json, "w") as file:
            json.dump(bench.results, file, indent=1)
    subprocess.run(["rm", "-rf", bench.folder])


if __name__ == "__main__":
    main()
