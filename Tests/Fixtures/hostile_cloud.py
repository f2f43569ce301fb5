"""A receiver of events over TLS that misbehaves in every way but one: what it has acknowledged, it has kept.

A second server, plain http on this machine, switches the fault (POST /control) and tells what came (GET /). Prints port,
authority and the second server's port, then serves until standard input ends.
"""

import hashlib
import http.server
import json
import socket
import ssl
import struct
import sys
import tempfile
import threading
import time

import loopback_certificates
import message_signature
from quiet_handler import Quiet

try:
    from cloudevents.v1.http import from_json
except ImportError:
    from_json = None

lock = threading.Lock()
state = {"keys": {}, "fault": None, "poison": [], "pause": 2.5}
nonces = set()
# By number: how often an event was kept.
kept = bytearray()
seen = {"requests": 0, "bytes": 0, "met": {}, "problems": {}, "foreign": 0, "otherHost": 0, "parsed": 0, "replayed": 0, "receipts": []}


def note(problem):
    seen["problems"][problem] = seen["problems"].get(problem, 0) + 1


def keep(handler, body, copies):
    """Judges a batch as the API's description says; returns the status."""
    problem = message_signature.problem(handler, body, state["keys"], nonces, any_time=True)
    if problem is None and handler.path != "/v1/events":
        problem = "path"
    if problem is None and handler.headers["Content-Type"] != "application/cloudevents-batch+json":
        problem = "content-type"
    if problem == "nonce":
        # libcurl's own second try on a connection that had died: refused, and sent again with a new signature.
        seen["replayed"] += 1
        return 401
    if problem:
        note(problem)
        return 401
    batch = json.loads(body)
    numbers = [int(event["id"]) for event in batch]
    if not set(numbers).isdisjoint(state["poison"]):
        return 422
    if numbers != sorted(numbers):
        note("order")
    seen["foreign"] += sum(1 for event in batch if event["source"] not in state["sources"])
    if from_json:
        event = from_json(json.dumps(batch[0]))
        if event["id"] != batch[0]["id"] or event.data != batch[0]["data"]:
            note("cloudevents")
        seen["parsed"] += 1
    if len(kept) <= numbers[-1]:
        kept.extend(bytes(numbers[-1] + 100_000 - len(kept)))
    for number in numbers:
        kept[number] = min(200, kept[number] + copies)
    seen["receipts"].append(hashlib.sha256(body).hexdigest())
    return 202


class Events(Quiet):
    def do_POST(self):
        length = int(self.headers.get("Content-Length", 0))
        fault = state["fault"]
        with lock:
            seen["requests"] += 1
            if fault:
                seen["met"][fault] = seen["met"].get(fault, 0) + 1
        if fault == "certificate":
            # A connection of before: it ends, so that the next one sees the certificate.
            self.close_connection = True
            return None
        if fault == "reset":
            self.rfile.read(length // 2)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            return None
        body = self.rfile.read(length)
        plain = {"serverError": (500, {}), "unavailable": (503, {"Retry_After": "45"}), "tooMany": (429, {"Retry_After": "30"}),
                 "redirect": (307, {"Location": f"http://127.0.0.1:{other.server_address[1]}/v1/events"})}
        if fault in plain:
            return self.answer(plain[fault][0], **plain[fault][1])
        if fault == "timeOut":
            time.sleep(state["pause"])
            self.close_connection = True
            return None
        with lock:
            seen["bytes"] += len(body)
            status = keep(self, body, 2 if fault == "duplicate" else 1)
        # Kept, but the sender does not hear of it.
        if fault in ("timeOutAfterCommit", "slow", "torn", "silent"):
            self.close_connection = True
            if fault == "timeOutAfterCommit":
                time.sleep(state["pause"])
            elif fault == "torn":
                self.wfile.write(b"HTTP/1.1 202 Acc")
            elif fault == "slow":
                for byte in b"HTTP/1.1 202":
                    self.wfile.write(bytes([byte]))
                    time.sleep(state["pause"] / 10)
            return None
        return self.answer(status)

    do_GET = do_PUT = do_HEAD = do_POST


class OtherHost(Quiet):
    """Where the redirect leads: nobody may come."""

    def do_POST(self):
        seen["otherHost"] += 1
        self.close_connection = True

    do_GET = do_PUT = do_HEAD = do_POST


class Control(Quiet):
    def do_POST(self):
        with lock:
            state.update(json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0)))))
            state["sources"] = {"urn:reelwright:installation:" + name for name in state["keys"]}
        self.answer(200)

    def do_GET(self):
        """Counts against the numbers that were expected: `/?FIRST-LAST`."""
        first, last = (int(part) for part in self.path.partition("?")[2].split("-"))
        with lock:
            poison = set(state["poison"])
            expected = [number for number in range(first, last + 1) if number not in poison]
            counts = [kept[number] if number < len(kept) else 0 for number in expected]
            foreign = seen["foreign"] + sum(1 for number, count in enumerate(kept) if count and (not first <= number <= last or number in poison))
            self.answer(200, {
                "lost": counts.count(0), "repeated": sum(1 for count in counts if count > 1), "foreign": foreign, "otherHost": seen["otherHost"],
                "requests": seen["requests"], "bytes": seen["bytes"], "met": seen["met"], "problems": seen["problems"], "parsed": seen["parsed"],
                "replayed": seen["replayed"], "receipts": seen["receipts"]})


class TLSServer(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def get_request(self):
        connection, address = super().get_request()
        connection.settimeout(60)
        context = contexts["unknown" if state["fault"] == "certificate" else "known"]
        return context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False), address

    def handle_error(self, *_):
        pass  # clients hang up, which is what they are made to do


contexts = {}
with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as strange:
    for name, place in (("known", folder), ("unknown", strange)):
        made, certificate, key = loopback_certificates.make(place)
        contexts[name] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        contexts[name].load_cert_chain(certificate, key)
        authority = made if name == "known" else authority
    server = TLSServer(("127.0.0.1", 0), Events)
    other = http.server.ThreadingHTTPServer(("127.0.0.1", 0), OtherHost)
    control = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Control)
    for each in (server, other, control):
        threading.Thread(target=each.serve_forever, daemon=True).start()
    print(server.server_address[1], authority, control.server_address[1], flush=True)
    sys.stdin.read()
