"""The FFmpeg bridge against the `ffmpeg` tool: what our layer costs."""

import os

from harness.compare import Row, Subject
from harness.context import frame_count, ssim

THREADS = 2


def rows(context):
    result = []
    for clip in ("long60.mp4", "uhd.mp4"):
        path = context.clip(clip)
        result.append(Row(
            name=f"decode to nothing, {clip}",
            ours=Subject("Reelwright", [context.program("decode-to-nothing"), path, str(THREADS)]),
            peers=[Subject("ffmpeg -f null", ["ffmpeg", "-nostdin", "-v", "error", "-threads", str(THREADS), "-i", path, "-map", "0:v:0",
                                              "-f", "null", "-"])],
            limit=1.05, note=f"{THREADS} threads."))
    result.append(transcode(context, "c1.mp4"))
    result.append(isolation(context, "long60.mp4"))
    return result


def isolation(context, clip):
    """The same ten seconds in a sealed worker and in the program itself; the worker's CPU is that of a child that was waited for."""
    def subject(name, way):
        output = f"isolation-{way}.mp4"
        return Subject(name, [context.reel, "encode", context.clip(clip), "-o", context.output(output), "--trim", "0..10", "--speed", "veryfast",
                              "--threads", str(THREADS), "--isolation", way], before=context.remove(output))

    return Row(name=f"ten seconds with and without isolation, {clip}", ours=subject("--isolation process", "process"),
               peers=[subject("--isolation none", "none")], limit=1.02, note=f"x264 veryfast and AAC, {THREADS} threads.")


def transcode(context, clip):
    """Decode, scale and encode with the same scaler and x264 settings; both outputs are compared by SSIM."""
    path = context.clip(clip)
    ours, theirs = context.output("transcode-ours.mp4"), context.output("transcode-theirs.mp4")

    def facts(into):
        into["frames"] = f"{frame_count(ours)} and {frame_count(theirs)}" if os.path.exists(theirs) else str(frame_count(ours))
        if os.path.exists(theirs):
            into["SSIM of the two outputs"] = round(ssim(ours, theirs), 4)
            into["bytes"] = f"{os.path.getsize(ours)} and {os.path.getsize(theirs)}"

    return Row(
        name=f"decode, scale, encode, {clip}",
        ours=Subject("reel encode", [context.reel, "encode", path, "-o", ours, "--size", "720x1280", "--crf", "23", "--speed", "veryfast",
                                     "--keep", "no-audio", "--threads", str(THREADS), "--isolation", "none"],
                     before=context.remove("transcode-ours.mp4")),
        peers=[Subject("ffmpeg", ["ffmpeg", "-nostdin", "-v", "error", "-y", "-threads", str(THREADS), "-i", path, "-map", "0:v:0", "-vf",
                                  "scale=720:1280:flags=bicubic", "-c:v", "libx264", "-preset", "veryfast", "-crf", "23", "-profile:v", "high",
                                  "-threads", str(THREADS), "-movflags", "+faststart", theirs], after=facts)],
        limit=1.03, note=f"1080x1920 to 720x1280, x264 veryfast CRF 23, {THREADS} threads, in process.")
