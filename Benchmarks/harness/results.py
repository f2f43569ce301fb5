"""Results on disk: JSON that accumulates rows, and Markdown drawn from it."""

import json
import os
import platform


def machine():
    model = "unknown processor"
    with open("/proc/cpuinfo") as lines:
        for line in lines:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    return f"{model}, {os.cpu_count()} threads, {platform.system()} {platform.release()}"


def load(path):
    if not os.path.exists(path):
        return {"schema": 1, "rows": {}}
    with open(path) as file:
        return json.load(file)


def save(path, results):
    temporary = path + ".new"
    with open(temporary, "w") as file:
        json.dump(results, file, indent=2, sort_keys=True)
        file.write("\n")
    os.replace(temporary, path)


def markdown(results):
    """The tables of RESULTS.md between its markers."""
    lines = [f"Machine: {results.get('machine', 'unknown')}. CPU seconds are user + system, the median of the rounds; the ratio is the median of the",
             "rounds' own ratios, ours over the best peer's; the peak is the largest resident memory of one process.", "",
             "| what | who | CPU s | wall s | peak MiB | ratio | limit | holds |", "|---|---|---|---|---|---|---|---|"]
    for name in sorted(results["rows"]):
        row = results["rows"][name]
        for index, (subject, values) in enumerate(row["subjects"].items()):
            first = index == 0
            holds = {True: "yes", False: "no", None: ""}[row["holds"]] if first else ""
            ratio = "" if first else row["ratios"].get(subject, "")
            lines.append(f"| {name if first else ''} | {subject} | {values['cpuSeconds']} | {values['wallSeconds']} | {values['peakMebibytes']} "
                         f"| {ratio} | {row['limit'] if first and row['limit'] else ''} | {holds} |")
    lines.append("")
    for name in sorted(results["rows"]):
        row = results["rows"][name]
        facts = ", ".join(f"{key} {value}" for key, value in row.get("facts", {}).items())
        if row.get("note") or facts or row.get("unavailable"):
            gone = "".join(f" Not run: {peer}." for peer in row.get("unavailable", {}))
            lines.append(f"- {name}: {row.get('note', '')}{' ' + facts + '.' if facts else ''}{gone}")
    return "\n".join(lines) + "\n"


def write_markdown(path, results):
    """Replaces what stands between the markers of `path`; the rest, written by people or other scripts, stays."""
    begin, end = "<!-- rows: begin -->", "<!-- rows: end -->"
    text = open(path).read() if os.path.exists(path) else f"# Results\n\n## Ours against peers\n\n{begin}\n{end}\n"
    if begin not in text:
        text = text.rstrip("\n") + f"\n\n## Ours against peers\n\n{begin}\n{end}\n"
    head, rest = text.split(begin, 1)
    tail = rest.split(end, 1)[1]
    with open(path, "w") as file:
        file.write(f"{head}{begin}\n{markdown(results)}{end}{tail}")
