#!/usr/bin/env python3
"""Runs the parsers under libFuzzer, one after the other; prints how many inputs each took.

usage: fuzz.py --program .build/fuzz/release/fuzz-parsers [--targets NAME,…] [--runs N] [--seconds N] [--work DIR]

Seeds are the samples of this package and the texts below; the dictionary is every quoted word of the seeds. What was found
in earlier runs of DIR is gone on from. A finding stands in DIR/findings and ends the run with 1.
"""
import argparse, os, pathlib, re, subprocess, sys, tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
TEXTS = {
    "json": ['{"a":[1,-2.5e3,"\\u00e9\\ud83d\\ude00",true,false,null,{"b":{}}]}', "// comment\n[1 , 2]"],
    "captions": ["1\n00:00:00,500 --> 00:00:01,500\n<i>Hello</i> <font color=\"#ff0000\">you</font>\n\n2\n00:00:02,000 --> 00:00:03,000\nx\n",
                 "WEBVTT\n\nNOTE a\n\nSTYLE\n::cue { color: red }\n\nid\n00:01.000 --> 00:02.000 align:start line:0\n<v Ann>Hi <c.red>all</c> &amp; <00:01.500>you\n",
                 '{"words":[{"text":"one","start":0.1,"end":0.4},{"text":"two","start":0.5,"end":1}]}',
                 '[{"start":0,"end":1,"text":"a b"},{"start":1,"end":2,"words":[{"word":"c","start":1,"end":2}]}]',
                 "[Script Info]\n[V4+ Styles]\n[Events]\nDialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,Hi\n"],
    "rows": ['a,b,c\n1,"x ""y""\nz",3\n4,5,6\n', "a;b\n1;2\n", "a\tb\n1\t2\n", '{"a":"x","b":2}\n{"a":"y","b":true}\n', "\ufeffa,b\r\n1,2\r\n"],
    "timeline": ['{"OTIO_SCHEMA":"Timeline.1","name":"t","global_start_time":null,"metadata":{},"tracks":{"OTIO_SCHEMA":"Stack.1","children":[{"OTIO_SCHEMA":'
                 '"Track.1","kind":"Video","enabled":true,"children":[{"OTIO_SCHEMA":"Clip.2","name":"a","source_range":{"OTIO_SCHEMA":"TimeRange.1",'
                 '"start_time":{"OTIO_SCHEMA":"RationalTime.1","rate":30.0,"value":10.0},"duration":{"OTIO_SCHEMA":"RationalTime.1","rate":30.0,'
                 '"value":60.0}},"active_media_reference_key":"DEFAULT_MEDIA","media_references":{"DEFAULT_MEDIA":{"OTIO_SCHEMA":"ExternalReference.1",'
                 '"target_url":"a.mp4","available_range":null}},"effects":[{"OTIO_SCHEMA":"LinearTimeWarp.1","time_scalar":2.0}],"markers":[]},'
                 '{"OTIO_SCHEMA":"Transition.1","transition_type":"SMPTE_Dissolve","in_offset":{"OTIO_SCHEMA":"RationalTime.1","rate":30.0,"value":5.0},'
                 '"out_offset":{"OTIO_SCHEMA":"RationalTime.1","rate":30.0,"value":5.0}},{"OTIO_SCHEMA":"Gap.1","source_range":{"OTIO_SCHEMA":"TimeRange.1",'
                 '"start_time":{"OTIO_SCHEMA":"RationalTime.1","rate":30.0,"value":0.0},"duration":{"OTIO_SCHEMA":"RationalTime.1","rate":30.0,"value":15.0}}}]},'
                 '{"OTIO_SCHEMA":"Track.1","kind":"Audio","children":[]}]}}'],
    "spec": ['{"kind":"encode","payload":{"speed":"fast"},"inputs":{"input":"/a/b.mp4"},"outputs":{"output":"https://h/x.mp4"},"priority":5,"key":"k",'
             '"schedule":"*/5 * * * *","retry":{"attempts":3},"class":"default","after":[1,2]}'],
    "schedule": ["*/5 0-23 1,15 jan-dec mon-fri", "@daily", "0 0 29 2 *"],
    "address": ["https://user@example.com:8443/a/b%20c?x=1#y", "http://[::1]:80/", "https://xn--a.example/?"],
    "events": ['\x00{"job":"1","seconds":2}'],
    "frames": ["\x01\x04\x00\x00\x00\x41\x00\x00\x00abcd", "\x02\x29\x00\x00\x00\x01\x00\x00\x00" + "\x00" * 41,
               "\x09\x0d\x00\x00\x00\x41\x00\x00\x00\x01\x00\x00\x00\x01\x04\x00\x00\x00name"],
}


def seeds(target, folder):
    """The starting inputs of a target, and the dictionary drawn from them."""
    texts = [text.encode("latin-1") if target in ("events", "frames") else text.encode() for text in TEXTS.get(target, [])]
    if target == "document":
        texts += [path.read_bytes() for path in ROOT.glob("Samples/**/*.json") if path.stat().st_size < 20_000]
    if target == "media":
        texts += clips(folder.parent)
    for index, text in enumerate(texts):
        (folder / f"seed-{index}").write_bytes(text)
    words = sorted({word for text in texts for word in re.findall(rb'"([A-Za-z_.0-9]{2,30})"', text)}) if target != "media" else []
    dictionary = folder.parent / f"{target}.dict"
    dictionary.write_text("".join(f'"\\"{word.decode()}\\""\n' for word in words))
    return dictionary


def clips(folder):
    """Files of a few kilobytes in several containers."""
    made = []
    for name, options in (("a.mp4", ["-c:v", "libx264"]), ("a.mkv", ["-c:v", "libx264"]), ("a.avi", ["-c:v", "mpeg4"]), ("a.ts", ["-c:v", "mpeg2video"]),
                          ("a.gif", ["-an"]), ("a.png", ["-an", "-frames:v", "1"])):
        path = folder / name
        subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", "testsrc2=size=32x32:rate=10:duration=0.3", "-f", "lavfi", "-i",
                        "sine=sample_rate=8000:duration=0.3", *options, path], check=True)
        made.append(path.read_bytes())
    return made


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True, type=pathlib.Path)
    parser.add_argument("--targets", default="json,document,captions,rows,timeline,spec,schedule,address,events,frames,media")
    parser.add_argument("--runs", type=int, default=-1, help="inputs for each target; default no limit")
    parser.add_argument("--seconds", type=int, default=5, help="for each target; 0 for no limit")
    parser.add_argument("--work", type=pathlib.Path)
    options = parser.parse_args()
    kept = tempfile.TemporaryDirectory(prefix="reel-fuzz-") if options.work is None else None
    work = (options.work or pathlib.Path(kept.name)).resolve()
    found, total = False, 0
    for target in options.targets.split(","):
        corpus, findings = work / target, work / "findings"
        corpus.mkdir(parents=True, exist_ok=True)
        findings.mkdir(exist_ok=True)
        dictionary = seeds(target, corpus)
        done = subprocess.run([options.program.resolve(), f"-runs={options.runs}", f"-max_total_time={options.seconds}", "-max_len=8192", "-timeout=20",
                               "-rss_limit_mb=2048", *([f"-dict={dictionary}"] if dictionary.stat().st_size else []), f"-artifact_prefix={findings}/{target}-", "-print_final_stats=1",
                               "-verbosity=0", corpus], env={**os.environ, "FUZZ_TARGET": target}, capture_output=True)
        errors = done.stderr.decode(errors="replace")
        count = re.search(r"number_of_executed_units: (\d+)", errors)
        total += int(count[1]) if count else 0
        print(f"{target}: {count[1] if count else 'no'} inputs, {len(list(corpus.iterdir()))} kept{'' if done.returncode == 0 else ', FINDING'}", flush=True)
        if done.returncode != 0:
            found = True
            print(errors[-3000:], flush=True)
    print(f"{total} inputs in all")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
