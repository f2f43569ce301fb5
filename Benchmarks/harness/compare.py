"""Paired comparison: in every round each subject runs once, in an order that changes, so that a busy machine harms all alike."""

import statistics
from dataclasses import dataclass, field

from .measure import CommandFailed, measure


@dataclass
class Subject:
    """Something that does the work: a name and a command. `before` is called, unmeasured, before every run."""

    name: str
    command: list
    before: object = None
    after: object = None


@dataclass
class Row:
    """One line of the table: ours against peers on the same work.

    `limit` is the ratio of CPU seconds, ours over the best peer's, that must not be exceeded; `goal` what is aimed at.
    """

    name: str
    ours: Subject
    peers: list
    rounds: int = 5
    limit: float = None
    goal: float = None
    note: str = ""
    facts: dict = field(default_factory=dict)


def run(row, log=print):
    """Measures a row and returns it as a dictionary for JSON."""
    subjects = [row.ours] + row.peers
    runs = {subject.name: [] for subject in subjects}
    unavailable = {}
    for number in range(row.rounds + 1):
        order = subjects if number % 2 == 0 else subjects[::-1]
        for subject in order:
            if subject.name in unavailable:
                continue
            if subject.before:
                subject.before()
            try:
                result = measure(subject.command)
            except CommandFailed as failure:
                if subject is row.ours:
                    raise
                unavailable[subject.name] = str(failure)
                continue
            if subject.after and number == 0:
                subject.after(row.facts)
            # The first round fills caches and is not counted.
            if number > 0:
                runs[subject.name].append(result)
    result = {"name": row.name, "rounds": row.rounds, "limit": row.limit, "goal": row.goal, "note": row.note, "facts": row.facts,
              "unavailable": unavailable, "subjects": {}, "ratios": {}}
    for name, measurements in runs.items():
        if measurements:
            result["subjects"][name] = {
                "cpuSeconds": round(statistics.median(m.cpu_seconds for m in measurements), 3),
                "wallSeconds": round(statistics.median(m.wall_seconds for m in measurements), 3),
                "peakMebibytes": round(max(m.peak_mebibytes for m in measurements), 1),
            }
    ours = runs[row.ours.name]
    for peer in row.peers:
        if runs[peer.name]:
            # The median of the rounds' own ratios: paired, so that slow rounds cancel.
            ratios = [a.cpu_seconds / b.cpu_seconds for a, b in zip(ours, runs[peer.name]) if b.cpu_seconds > 0]
            result["ratios"][peer.name] = round(statistics.median(ratios), 3)
    # The best peer is the one that ours compares worst with.
    best = max(result["ratios"].items(), key=lambda item: item[1], default=None)
    result["ratio"] = best[1] if best else None
    result["holds"] = None if row.limit is None or best is None else best[1] <= row.limit
    log(f"{row.name}: " + ", ".join(f"{name} {s['cpuSeconds']} s CPU, {s['peakMebibytes']} MiB" for name, s in result["subjects"].items())
        + (f"; ratio {result['ratio']}" if best else ""))
    return result
