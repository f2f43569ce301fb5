"""Looks for canary strings in files: plain, in base64 at every alignment, hexadecimal, UTF-16, percent-encoded, and all of
these in gzip and zlib streams. Arguments: a file with one canary a line, then the files. Prints what it found, or nothing."""

import base64
import gzip
import io
import sys
import urllib.parse
import zlib


def forms(canary):
    raw = canary.encode()
    yield "plain", raw
    yield "lower", raw.lower()
    for name, text in (("utf-16le", canary.encode("utf-16-le")), ("utf-16be", canary.encode("utf-16-be"))):
        yield name, text
    yield "hex", raw.hex().encode()
    yield "HEX", raw.hex().upper().encode()
    yield "percent", urllib.parse.quote(canary, safe="").encode()
    for shift in range(3):
        # What stays the same whatever stands before and after.
        encoded = base64.b64encode(b"\0" * shift + raw)
        start = (0, 2, 3)[shift]
        core = encoded[start : len(encoded) - 4]
        yield f"base64+{shift}", core
        yield f"base64url+{shift}", core.replace(b"+", b"-").replace(b"/", b"_")


def streams(data):
    yield "", data
    place = data.find(b"\x1f\x8b\x08")
    while place >= 0:
        try:
            yield "gzip:", gzip.GzipFile(fileobj=io.BytesIO(data[place:])).read(1 << 24)
        except (OSError, EOFError, zlib.error):
            pass
        place = data.find(b"\x1f\x8b\x08", place + 1)
    for marker in (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda"):
        place = data.find(marker)
        while place >= 0:
            try:
                yield "zlib:", zlib.decompressobj().decompress(data[place:], 1 << 24)
            except zlib.error:
                pass
            place = data.find(marker, place + 1)


canaries = [line.rstrip("\n") for line in open(sys.argv[1], encoding="utf-8") if line.strip()]
patterns = [(canary, form, pattern) for canary in canaries for form, pattern in forms(canary) if len(pattern) >= 8]
for path in sys.argv[2:]:
    with open(path, "rb") as file:
        content = file.read()
    for kind, data in streams(content):
        for canary, form, pattern in patterns:
            if pattern in data:
                print(path, kind + form, canary)
