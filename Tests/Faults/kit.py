"""What the fault scripts share: where the shared material is, and one run of a command with what it left behind."""
import json, os, pathlib, signal, subprocess, tempfile, time

HERE = pathlib.Path(__file__).resolve().parent
# Exit statuses of the command-line contract; cancellation (130, 143) besides.
STATUSES = {0, 64, 65, 66, 69, 73, 74, 75, 77, 78}
LIMIT_SECONDS = 120


def shared():
    """The folder with media and fault makers, beside the checkout or above it; None where there is none."""
    for folder in HERE.parents:
        if (folder / "shared" / "faults" / "mutate.sh").exists():
            return folder / "shared"
    return None


def environment(folder):
    return {**os.environ, "TMPDIR": str(folder), "XDG_STATE_HOME": f"{folder}/state", "XDG_CACHE_HOME": f"{folder}/cache"}


class Outcome:
    """How a command ended."""

    def __init__(self, status, output, errors, seconds):
        self.status, self.output, self.errors, self.seconds = status, output, errors, seconds

    @property
    def document(self):
        try:
            return json.loads(self.output)
        except ValueError:
            return None

    @property
    def line(self):
        lines = [line for line in self.errors.splitlines() if line.startswith("reel:")]
        return lines[-1] if lines else self.errors.strip()[-200:]


def run(command, folder, limit=LIMIT_SECONDS, **more):
    """Runs a command with `folder` for its state, cache and temporary files. Status "hang" past the limit, when all its processes are killed."""
    start = time.monotonic()
    started = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
                               env=environment(folder), start_new_session=True, **more)
    try:
        output, errors = started.communicate(timeout=limit)
        status = started.returncode
    except subprocess.TimeoutExpired:
        status = "hang"
        output, errors = end(started)
    return Outcome(status, output.decode(errors="replace"), errors.decode(errors="replace"), time.monotonic() - start)


def end(started):
    """Kills a process, its group and every descendant in a group of its own (workers); what it wrote."""
    found = [started.pid]
    for pid in found:
        listed = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True).stdout
        found += [int(child) for child in listed.split()]
    for pid in found:
        for kill in (os.killpg, os.kill):
            try:
                kill(pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                pass
    return started.communicate()


def scratch():
    return tempfile.TemporaryDirectory(prefix="reel-fault-")


def left_behind(folder, known=()):
    """Files besides state, cache and those that are known."""
    names = sorted(str(path.relative_to(folder)) for path in pathlib.Path(folder).rglob("*") if path.is_file() or path.is_symlink())
    return [name for name in names if not name.startswith(("state/", "cache/")) and name not in known]
