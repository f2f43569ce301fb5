#!/usr/bin/env python3
"""CPU cost of the tracking watermark beside an x264 encode and beside two open watermarkers.

usage: watermark_costs.py --lab watermark-lab --reel reel --work DIR [--attacks attack.sh] [--only embed,detect,blind,variants,copies,peers] CLIP

CLIP is a real video of at least 6 s. Everything is CPU seconds (user + system) of child processes, so that a loaded machine
disturbs little; measured in pairs, our run beside the other, the median of --pairs pairs.
  embed     pictures a CPU second at 1080x1920, and the CPU of `reel encode` with a mark beside without (x264 medium)
  detect    `reel watermark detect --direct` of the 1080x1920 copy: times real time on one core
  blind     `reel watermark detect` of a marked 15 s 720p copy, cropped so that nothing direct fits
  variants  100 copies of 15 s against three single encodes times 100
  copies    the CPU of one more copy: 301 copies less one, / 300; the two encodes vary by a second or two, so on a quiet machine only
  peers     blind_watermark and invisible-watermark, 32 bits, on the same clip before and after one CRF 23 encode, with --attacks also
            after six attacks of attack.sh. Needs
            python3 -m venv VENV; VENV/bin/pip install blind-watermark opencv-python-headless PyWavelets;
            VENV/bin/pip install --no-deps invisible-watermark (without torch, which only its RivaGAN needs); --venv VENV
"""
import argparse, json, pathlib, resource, statistics, subprocess, sys, tempfile

FILL = "scale=1080:1920:force_original_aspect_ratio=increase,crop=1080:1920,setsar=1,format=yuv420p"


def cpu(command, **options):
    """CPU seconds of a child and its own children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run = subprocess.run([str(c) for c in command], check=True, capture_output=True, **options)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, run.stdout


def make(clip, out, seconds, graph, *more):
    if not out.exists():
        subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", "-stream_loop", "-1", "-i", clip, "-t", str(seconds), "-map", "0:v:0",
                        "-vf", graph, "-r", "30", "-c:v", "libx264", "-preset", "veryfast", "-crf", "18", *more, out], check=True)
    return out


def peer(venv, clip, work, attacks):
    """Recovery of 32 bits and CPU milliseconds a 1080x1920 picture of both peers, in their own Python. What comes back in another size is
    scaled to 1080x1920 before it is read, which neither peer does by itself."""
    script = r'''
import sys, types, json, time, subprocess, random, os
class Anything(types.ModuleType):
    __path__ = []
    def __getattr__(self, name): return type(name, (), {})
for name in ("torch", "torch.nn", "torch.nn.functional", "torchvision", "onnxruntime"): sys.modules[name] = Anything(name)
import numpy, cv2
from blind_watermark import WaterMark
import blind_watermark; blind_watermark.bw_notes.close()
from imwatermark import WatermarkEncoder, WatermarkDecoder
clip, folder, script = sys.argv[1:]
read = subprocess.run(["ffmpeg", "-v", "error", "-i", clip, "-frames:v", "4", "-f", "rawvideo", "-pix_fmt", "bgr24", "-"], capture_output=True).stdout
pictures = numpy.frombuffer(read, numpy.uint8).reshape(-1, 1920, 1080, 3)
draw = random.Random(1)
bits = [draw.getrandbits(1) for _ in range(32)]
def blind_put(p):
    w = WaterMark(password_img=1, password_wm=1); w.read_img(img=p.astype(numpy.float32)); w.read_wm(bits, mode="bit")
    return numpy.clip(numpy.rint(w.embed()), 0, 255).astype(numpy.uint8)
def blind_get(p):
    got = WaterMark(password_img=1, password_wm=1).extract(embed_img=p.astype(numpy.float32), wm_shape=32, mode="bit")
    return [int(b > 0.5) for b in got]
def method(name):
    def put(p):
        e = WatermarkEncoder(); e.set_watermark("bits", bits); return e.encode(p, name)
    def get(p): return [int(b) for b in WatermarkDecoder("bits", 32).decode(p, name)]
    return put, get
for name, (put, get) in {"blind_watermark": (blind_put, blind_get), "invisible-watermark dwtDct": method("dwtDct"),
                         "invisible-watermark dwtDctSvd": method("dwtDctSvd")}.items():
    t = time.process_time(); marked = [put(p) for p in pictures]; embed = (time.process_time() - t) / len(pictures)
    square = numpy.mean([(cv2.cvtColor(a, cv2.COLOR_BGR2GRAY).astype(float) - cv2.cvtColor(b, cv2.COLOR_BGR2GRAY)) ** 2 for a, b in zip(marked, pictures)])
    t = time.process_time(); clean = [get(p) for p in marked]; extract = (time.process_time() - t) / len(pictures)
    raw = b"".join(numpy.ascontiguousarray(p).tobytes() for p in marked)
    def encode(name, *how):
        subprocess.run(["ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "bgr24", "-s", "1080x1920", "-r", "30", "-i", "-", "-c:v",
                        "libx264", *how, "-pix_fmt", "yuv420p", folder + "/" + name], input=raw, check=True)
        return folder + "/" + name
    def right(path):
        back = subprocess.run(["ffmpeg", "-v", "error", "-i", path, "-vf", "scale=1080:1920", "-f", "rawvideo", "-pix_fmt", "bgr24", "-"],
                              capture_output=True, check=True).stdout
        return best([get(p) for p in numpy.frombuffer(back, numpy.uint8).reshape(-1, 1920, 1080, 3)])
    best = lambda many: max(sum(a == b for a, b in zip(bits, one)) for one in many)
    result = {"name": name, "psnr": float(10 * numpy.log10(65025 / max(square, 1e-9))), "embedMilliseconds": embed * 1e3,
              "extractMilliseconds": extract * 1e3, "bitsClean": best(clean), "bitsAfterCRF23": right(encode("peer.mp4", "-crf", "23"))}
    if script:
        source = encode("peer.lossless.mp4", "-qp", "0", "-preset", "ultrafast")
        for attack in ("h264_crf28", "scale_050_back", "crop_center_90", "tiktok", "instagram", "whatsapp"):
            subprocess.run(["bash", script, attack, source, folder + "/peer.attacked.mp4"], capture_output=True, check=True,
                           env=dict(os.environ, THREADS="1", KEEP_AUDIO="0"))
            result[attack] = right(folder + "/peer.attacked.mp4")
    print(json.dumps(result))
'''
    out = subprocess.run([venv / "bin/python", "-c", script, clip, work, attacks], capture_output=True, text=True)
    if out.returncode:
        sys.exit(out.stderr[-600:])
    for line in out.stdout.splitlines():
        if line.startswith("{"):
            print(line)


def variants(reel, clip, key, work, count, more):
    """CPU seconds of `count` copies, and the bytes of one."""
    ids = work / f"ids{count}"
    ids.write_text("".join(f"{k + 1}\n" for k in range(count)))
    with tempfile.TemporaryDirectory(dir=work) as folder:
        seconds, _ = cpu([reel, "watermark", "variants", clip, "--ids", ids, "--key", key, "--out-dir", folder] + more)
        return seconds, max(path.stat().st_size for path in pathlib.Path(folder).iterdir())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip", type=pathlib.Path)
    parser.add_argument("--lab", required=True)
    parser.add_argument("--reel", required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--venv", type=pathlib.Path)
    parser.add_argument("--attacks", default="")
    parser.add_argument("--only", default="embed,detect,blind,variants,copies,peers")
    parser.add_argument("--pairs", type=int, default=3)
    options = parser.parse_args()
    only, work, reel = options.only.split(","), options.work, options.reel
    work.mkdir(parents=True, exist_ok=True)
    key = work / "bench.key"
    if not key.exists():
        subprocess.run([reel, "watermark", "keygen", "-o", key, "--quiet"], check=True)
    clip = make(options.clip, work / "cost6.mp4", 6, FILL)
    if "embed" in only:
        speed = json.loads(cpu([options.lab, "speed", "1080", "1920"])[1])
        ratios, costs = [], []
        for _ in range(options.pairs):
            plain, _ = cpu([reel, "encode", clip, "-o", work / "plain.mp4", "--codec", "h264", "--crf", "23", "--overwrite", "--quiet"])
            marked, _ = cpu([reel, "encode", clip, "-o", work / "marked.mp4", "--codec", "h264", "--crf", "23", "--overwrite", "--quiet",
                             "--watermark-id", "1000", "--key", key])
            ratios.append(marked / plain - 1)
            costs.append(plain)
        share = 180 * speed["embedMilliseconds"] / 1e3 / statistics.median(costs)
        print(json.dumps({"embedPicturesASecond": 1e3 / speed["embedMilliseconds"], "encodeSeconds": statistics.median(costs),
                          "embedShareOfEncode": share, "wholeEncodeRatios": ratios}))
    if "detect" in only or "blind" in only:
        marked = work / "copy.mp4"
        if not marked.exists():
            subprocess.run([reel, "encode", make(options.clip, work / "cost15.mp4", 15, FILL), "-o", marked, "--codec", "h264", "--crf", "23",
                            "--quiet", "--watermark-id", "1000", "--key", key], check=True)
    if "detect" in only:
        runs = [cpu([reel, "watermark", "detect", marked, "--key", key, "--direct", "--json"]) for _ in range(options.pairs)]
        found = json.loads(runs[0][1])["files"][0]
        print(json.dumps({"direct": statistics.median(r[0] for r in runs), "timesRealTime": 15 / statistics.median(r[0] for r in runs),
                          "ids": [m["id"] for m in found["marks"]]}))
    if "blind" in only:
        crop = make(marked, work / "crop720.mp4", 15, "crop=iw*0.8:ih*0.8:iw*0.17:ih*0.03,scale=720:1280,setsar=1")
        other = make(options.clip, work / "plain720.mp4", 15, FILL + ",scale=720:1280")
        for name, path in (("blindMarked", crop), ("blindUnmarked", other)):
            seconds, out = cpu([reel, "watermark", "detect", path, "--key", key, "--json"])
            found = json.loads(out)["files"][0]
            print(json.dumps({name: seconds, "attempts": found["attempts"], "ids": [m["id"] for m in found["marks"]]}))
    bound = ["--isolation", "none", "--threads", "1", "--crf", "23", "--quiet"]
    if "variants" in only:
        clip15 = make(options.clip, work / "cost15.mp4", 15, FILL)
        hundred, _ = variants(reel, clip15, key, work, 100, bound)
        singles = [cpu([reel, "encode", clip15, "-o", work / "single.mp4", "--codec", "h264", "--overwrite", "--watermark-id", "1000",
                        "--key", key] + bound)[0] for _ in range(3)]
        print(json.dumps({"singleEncodes": singles, "hundredCopies": hundred, "cheaper": 100 * statistics.mean(singles) / hundred}), flush=True)
    if "copies" in only:
        clip15 = make(options.clip, work / "cost15.mp4", 15, FILL)
        pairs = [[variants(reel, clip15, key, work, count, bound) for count in (1, 301)] for _ in range(2)]
        print(json.dumps({"oneMoreCopy": [(many[0] - one[0]) / 300 for one, many in pairs], "bytes": pairs[0][0][1]}), flush=True)
    if "peers" in only and options.venv:
        peer(options.venv, clip, work, options.attacks)


main()
