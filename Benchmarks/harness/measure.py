"""One run of one command, measured by the kernel."""

import os
import time
from dataclasses import dataclass


@dataclass
class Measurement:
    cpu_seconds: float
    wall_seconds: float
    peak_mebibytes: float


class CommandFailed(Exception):
    pass


def measure(command, cwd=None):
    """Runs `command` (a list) to its end, with its output discarded, and returns what wait4 says of it.

    The peak is that of the largest process of the group; CPU includes children that were waited for. Raises CommandFailed
    with the last lines of its standard error unless the status is 0.
    """
    read_end, write_end = os.pipe()
    start = time.monotonic()
    child = os.fork()
    if child == 0:
        os.close(read_end)
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 0)
        os.dup2(null, 1)
        os.dup2(write_end, 2)
        if cwd:
            os.chdir(cwd)
        try:
            os.execvp(command[0], command)
        except OSError as error:
            os.write(2, str(error).encode())
            os._exit(127)
    os.close(write_end)
    tail = b""
    while chunk := os.read(read_end, 65536):
        tail = (tail + chunk)[-2000:]
    os.close(read_end)
    _, status, usage = os.wait4(child, 0)
    wall = time.monotonic() - start
    if status != 0:
        raise CommandFailed(f"{' '.join(command)}: status {os.waitstatus_to_exitcode(status)}: {tail.decode(errors='replace').strip()}")
    return Measurement(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024)
