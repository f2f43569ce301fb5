#!/usr/bin/env python3
"""Damaged files through the commands that read strangers' media: nothing may crash, hang, be left behind, or pass for whole.

usage: mutated_files.py --reel .build/release/reel [--count 3000] [--seed 1] [--work DIR] [--jobs 2] [--peer] [--clean] [--table FILE]

Makes --count files by the shared mutate.sh from the small media files, and passes each through probe, frames, encode and detect.
Checked of each run: an exit status of the contract, no signal, an end within the limit; after a failure nothing at the final
path; nothing besides outputs in the folders; after a success of `encode`, what an independent full decode noticed (frames with
error flags, packets refused by a decoder) stands in the report as damage. With --peer the `ffmpeg` tool converts the same files.
Results are kept in DIR/results-SEED.jsonl, so that a run can be stopped and goes on; exit 1 when a rule was broken. A file costs 1.2 CPU
seconds, nearly all of it for starting programs. With --clean, the undamaged files of the shared media go through the same commands, and
none may be called damaged.
"""
import argparse, collections, concurrent.futures, json, os, pathlib, shutil, subprocess, sys, tempfile

import kit

MEDIA = {".mp4", ".mov", ".mkv", ".webm", ".avi", ".ts", ".wav", ".mp3", ".m4a", ".ogg", ".flac", ".opus", ".gif", ".png", ".jpg",
         ".jpeg", ".webp", ".264", ".h264", ".heic", ".avif", ".3gp", ".m4v", ".bmp", ".tiff", ".aac"}


def seeds(media, work):
    """Small files only: they are decoded thousands of times."""
    names = sorted(str(p) for p in media.rglob("*") if p.suffix.lower() in MEDIA and p.stat().st_size < 300_000)
    path = work / "seeds"
    path.write_text("\n".join(names) + "\n")
    return path


def make(shared_folder, work, count, seed):
    out = work / f"files-{seed}"
    if not (out / ".complete").exists() or int((out / ".complete").read_text()) < count:
        subprocess.run(["bash", shared_folder / "faults" / "mutate.sh", seeds(shared_folder / "media", work), out, str(count)], check=True,
                       env={**os.environ, "SEED": str(seed)}, stderr=subprocess.DEVNULL)
        (out / ".complete").write_text(str(count))
    return sorted(p for p in out.iterdir() if p.name[0] != ".")[:count]


def clean(media):
    """The files of which the manifest says that a full decode has nothing to complain of."""
    lines = [line.split("\t") for line in (media / "MANIFEST.tsv").read_text().splitlines()[1:]]
    names = [fields[0] for fields in lines if len(fields) > 11 and (fields[11] == "clean" or fields[11].startswith("rc0;0"))]
    # The decoder conceals lost slices of this one and says so in its frames' flags, not in its log.
    return [media / name for name in names if name != "corrupt/openh264_Error_I_P.264"]


def oracle(program, path):
    outcome = kit.run([program, path], path.parent)
    return outcome.document or {"opened": False, "died": str(outcome.status)}


def noticed(judged):
    """What the full decode calls damage, by track."""
    return {kind: judged[kind]["refused"] + judged[kind]["corrupt"] + judged[kind]["flawed"] for kind in ("video", "audio")
            if judged.get("opened") and judged[kind]["present"]}


def check(options, program, path, key):
    """One file through all commands: a record of what happened and which rules it broke."""
    broken, record = [], {"file": path.name}
    with kit.scratch() as folder:
        out = pathlib.Path(folder) / "out"
        out.mkdir()
        commands = {
            "probe": [options.reel, "probe", path, "--json"],
            "frames": [options.reel, "frames", path, "--count", "3", "--max-size", "160x", "-o", out / "frames", "--json"],
            "encode": [options.reel, "encode", path, "-o", out / "out.mkv", "--speed", "ultrafast", "--size", "160x", "--json",
                       "--allow-incomplete", "--limit", "duration=600"],
            "strict": [options.reel, "encode", path, "-o", out / "strict.mkv", "--speed", "ultrafast", "--size", "160x", "--json",
                       "--limit", "duration=600"],
            # Reading is the same with --direct; the search for bent pictures takes most of the time, and is done on every tenth file.
            "detect": [options.reel, "watermark", "detect", path, "--key", key, "--json", *([] if path.name[4] == "0" else ["--direct"])],
        }
        for name, command in sorted(commands.items(), key=lambda item: item[0] == "encode"):
            if name == "encode" and record["strict"]["status"] == 0:
                # --allow-incomplete changes nothing where nothing is missing.
                record["encode"] = dict(record["strict"])
                continue
            outcome = kit.run(command, folder)
            status, document = outcome.status, outcome.document
            record[name] = {"status": status, "seconds": round(outcome.seconds, 2)}
            if status not in kit.STATUSES:
                broken.append(f"{name}: status {status}: {outcome.line}")
            if document is None:
                broken.append(f"{name}: no JSON: {outcome.line}")
                continue
            if name in ("encode", "strict"):
                target = out / ("out.mkv" if name == "encode" else "strict.mkv")
                if (status == 0) != target.exists():
                    broken.append(f"{name}: status {status}, and the output is {'there' if target.exists() else 'missing'}")
                record[name]["damage"] = damage(document)
        strangers = [name for name in kit.left_behind(folder) if not name.startswith(("out/frames/", "out/out.mkv", "out/strict.mkv"))]
        if strangers:
            broken.append(f"left behind: {strangers}")
        judged = oracle(program, path)
        record["oracle"] = judged
        # FFmpeg 5.1 reads neither animated WebP nor HEIF: its complaint says nothing of these files.
        head = path.read_bytes()[:12]
        foreign = head[:4] == b"RIFF" and head[8:] == b"WEBP" or head[4:] in (b"ftypheic", b"ftypmif1", b"ftypavif")
        for name in () if foreign else ("encode", "strict"):
            if record[name]["status"] == 0 and sum(noticed(judged).values()) > 0 and not record[name].get("damage"):
                broken.append(f"{name}: a full decode notices {noticed(judged)}, the report nothing")
        if options.clean and (record["strict"]["status"] != 0 or record["strict"].get("damage")):
            broken.append(f"a clean file: status {record['strict']['status']}, damage {record['strict'].get('damage')}")
        if options.peer:
            peer = pathlib.Path(folder) / "peer.mkv"
            outcome = kit.run(["ffmpeg", "-nostdin", "-v", "error", "-i", path, "-vf", "scale=160:-2", "-c:v", "libx264",
                               "-preset", "ultrafast", "-c:a", "aac", peer], folder)
            record["peer"] = {"status": outcome.status, "printed": bool(outcome.errors.strip()), "file": peer.exists()}
    record["broken"] = broken
    return record


def damage(document):
    """What a report says was wrong with its inputs."""
    found = []
    for entry in document.get("files", [document]):
        for given in (entry.get("report") or {}).get("inputs", []):
            found += given.get("damage", []) + given.get("incomplete", [])
    return [str(item)[:120] for item in found][:5]


def table(records):
    """Counts a person can compare, ours beside the tool's."""
    count = len(records)
    lines = [f"{count} files.", "", "| command | done | damaged or incomplete (65) | other refusal | crash, hang or no contract |",
             "|---|---|---|---|---|"]
    for name in ("probe", "frames", "encode", "strict", "detect"):
        statuses = collections.Counter(r[name]["status"] for r in records)
        other = sum(n for s, n in statuses.items() if s in kit.STATUSES and s not in (0, 65))
        title = {"encode": "encode --allow-incomplete", "strict": "encode"}.get(name, name)
        lines.append(f"| reel {title} | {statuses[0]} | {statuses[65]} | {other} | {sum(n for s, n in statuses.items() if s not in kit.STATUSES)} |")
    peers = [r["peer"] for r in records if "peer" in r]
    done = [r for r in records if r["encode"]["status"] == 0]
    lines += ["", f"Of {len(done)} files that `encode --allow-incomplete` converts, {sum(1 for r in done if r['encode'].get('damage'))} carry a "
              f"damage report; a full decode by other code notices damage in {sum(1 for r in done if sum(noticed(r['oracle']).values()))}."]
    if peers:
        good = [p for p in peers if p["status"] == 0]
        bad = [p for p in peers if p["status"] != 0]
        lines += [f"`ffmpeg` on the same files: status 0 for {len(good)}, of these {sum(p['printed'] for p in good)} printed errors; "
                  f"{len(bad)} failures, of these {sum(p['file'] for p in bad)} left a file at the output's path. Reelwright: 0."]
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reel", required=True)
    parser.add_argument("--count", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--work", type=pathlib.Path)
    parser.add_argument("--peer", action="store_true")
    parser.add_argument("--clean", action="store_true")
    parser.add_argument("--table", type=pathlib.Path)
    options = parser.parse_args()
    options.reel = os.path.abspath(options.reel)
    found = kit.shared()
    if not found or not shutil.which("zzuf"):
        print("mutated_files.py: skipped: it needs ../shared/faults/mutate.sh and the package zzuf")
        return 0
    kept = tempfile.TemporaryDirectory(prefix="reel-mutated-") if options.work is None else None
    work = options.work or pathlib.Path(kept.name)
    work.mkdir(parents=True, exist_ok=True)
    program = work / "full_decode"
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "libavformat", "libavcodec", "libavutil"], capture_output=True, check=True,
                           text=True).stdout.split()
    subprocess.run(["cc", "-O1", "-o", program, kit.HERE / "full_decode.c"] + flags, check=True)
    key = work / "key"
    if not key.exists():
        subprocess.run([options.reel, "watermark", "keygen", "-o", key], check=True, capture_output=True)
    results = work / ("results-clean.jsonl" if options.clean else f"results-{options.seed}.jsonl")
    records = {r["file"]: r for r in map(json.loads, results.read_text().splitlines())} if results.exists() else {}
    files = clean(found / "media")[: options.count] if options.clean else make(found, work, options.count, options.seed)
    todo = [path for path in files if path.name not in records]
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool, results.open("a") as log:
        for record in pool.map(lambda path: check(options, program, path, key), todo):
            records[record["file"]] = record
            log.write(json.dumps(record) + "\n")
            log.flush()
    records = [records[path.name] for path in files]
    text = table(records)
    print(text)
    if options.table:
        options.table.write_text(text)
    broken = [(r["file"], rule) for r in records for rule in r["broken"]]
    for name, rule in broken:
        print(f"BROKEN {name}: {rule}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
