"""Where the programs and clips are."""

import os
import subprocess


class Context:
    """What rows are made with: `reel`, other release programs beside it, the clips, a scratch folder."""

    def __init__(self, reel, clips, scratch):
        self.reel = os.path.abspath(reel)
        self.programs = os.path.dirname(self.reel)
        self.clips = clips
        self.scratch = scratch

    def program(self, name):
        return os.path.join(self.programs, name)

    def clip(self, name):
        path = os.path.join(self.clips, name)
        if not os.path.exists(path):
            raise FileNotFoundError(f"the clip {name} is missing in {self.clips}")
        return path

    def output(self, name):
        return os.path.join(self.scratch, name)

    def remove(self, name):
        """A function that removes an output and its sidecar, for `Subject.before`."""
        def act():
            for path in (self.output(name), self.output(name) + ".sidecar.json"):
                if os.path.exists(path):
                    os.unlink(path)
        return act


def frame_count(path):
    """Frames of the first video stream, by decoding."""
    output = subprocess.run(["ffprobe", "-v", "error", "-select_streams", "v:0", "-count_frames", "-show_entries", "stream=nb_read_frames",
                             "-of", "csv=p=0", path], check=True, capture_output=True, text=True).stdout
    return int(output.strip().split(",")[0])


def ssim(first, second):
    """Mean luma and chroma SSIM of two videos of equal size, by FFmpeg's filter."""
    errors = subprocess.run(["ffmpeg", "-nostdin", "-i", first, "-i", second, "-lavfi", "[0:v][1:v]ssim", "-f", "null", "-"],
                            check=True, capture_output=True, text=True).stderr
    return float(errors.rsplit("All:", 1)[1].split()[0])


def find_clips_script():
    """`shared/bench/make_clips.sh` beside the checkout or above it; None when there is none."""
    folder = os.path.dirname(os.path.abspath(__file__))
    while folder != "/":
        candidate = os.path.join(folder, "shared", "bench", "make_clips.sh")
        if os.path.exists(candidate):
            return candidate
        folder = os.path.dirname(folder)
    return None
