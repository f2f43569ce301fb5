"""A reference server of the cloud API (Documentation/cloud-api.openapi.json), for tests.

It receives batches of CloudEvents, checks their signatures with code of its own, drops repeats, and gives licences.
Its misbehaviour is switched on by POST /control. Prints its port, its authority and its licence key's public half, then
serves until standard input ends.
"""

import base64
import hashlib
import http.server
import json
import ssl
import sys
import tempfile
import threading
import time

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

import loopback_certificates
import message_signature
from quiet_handler import Quiet

licence_key = Ed25519PrivateKey.generate()
lock = threading.Lock()
state = {
    "keys": {},  # installation → public key, hexadecimal
    "faults": [],  # one is taken off for every batch
    "poison": [],  # ids that are refused
    "events": {},  # "source id" → event
    "repeats": 0,
    "batches": [],
    "problems": [],
    "nonces": set(),
    "paths": [],
    "seats": 1,
    "devices": {},  # licence key → devices
    "revoked": [],
    "expires": 3600,
    "grace": 3600,
    "licenceFault": None,
}


def check_signature(handler, body):
    return message_signature.problem(handler, body, state["keys"], state["nonces"], state.get("anyTime", False))


def token(licence, device):
    now = int(time.time())
    payload = {
        "licence": licence, "device": device, "tier": "studio", "features": ["watermark"], "quota": {"mediaSeconds": 3600},
        "issued": now, "expires": now + state["expires"], "graceSeconds": state["grace"],
    }
    first = base64.urlsafe_b64encode(json.dumps(payload).encode()).decode().rstrip("=")
    signature = licence_key.sign(b"reelwright-licence-v1." + first.encode())
    return first + "." + base64.urlsafe_b64encode(signature).decode().rstrip("=")


def token_payload(text):
    first = text.split(".")[0]
    return json.loads(base64.urlsafe_b64decode(first + "=" * (-len(first) % 4)))


class Handler(Quiet):
    def do_GET(self):
        with lock:
            view = {name: value for name, value in state.items() if name not in ("nonces",)}
            self.answer(200, view)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with lock:
            if self.path == "/control":
                state.update(json.loads(body))
                return self.answer(200)
            state["paths"].append(self.path)
        if self.path == "/v1/events":
            return self.events(body)
        if self.path.startswith("/v1/licences/"):
            return self.licence(self.path.rsplit("/", 1)[1], body)
        return self.answer(404)

    def store(self, body):
        problem = check_signature(self, body)
        if problem:
            state["problems"].append(problem)
            return 401
        if self.headers["Content-Type"] != "application/cloudevents-batch+json":
            return 415
        batch = json.loads(body)
        if any(event["id"] in state["poison"] for event in batch):
            return 422
        for event in batch:
            key = event["source"] + " " + event["id"]
            if key in state["events"]:
                state["repeats"] += 1
            state["events"][key] = event
        state["batches"].append({"sha256": hashlib.sha256(body).hexdigest(), "events": len(batch), "bytes": len(body)})
        return 202

    def events(self, body):
        with lock:
            fault = state["faults"].pop(0) if state["faults"] else None
        if fault == "500":
            return self.answer(500)
        if fault == "429":
            return self.answer(429, Retry_After="1")
        if fault == "redirect":
            return self.answer(307, Location="https://other.example/v1/events")
        if fault == "slow":
            time.sleep(3)
            self.close_connection = True
            return None
        if fault == "torn":
            # Half an answer, and nothing stored.
            self.wfile.write(b"HTTP/1.1 202 Acc")
            self.close_connection = True
            return None
        with lock:
            status = self.store(body)
        if fault == "silent":
            # Stored, and the answer never arrives.
            self.close_connection = True
            return None
        return self.answer(status)

    def licence(self, call, body):
        with lock:
            if state["licenceFault"] is not None:
                return self.answer(state["licenceFault"])
            problem = check_signature(self, body)
            if problem:
                state["problems"].append(problem)
                return self.answer(401)
            request = json.loads(body)
            device = request["device"]
            if call == "activate":
                if not request["key"].startswith("KEY-"):
                    return self.answer(403)
                devices = state["devices"].setdefault(request["key"], [])
                if device not in devices and len(devices) >= state["seats"]:
                    return self.answer(409)
                if device not in devices:
                    devices.append(device)
                return self.answer(200, {"token": token("lic-" + request["key"][4:], device)})
            payload = token_payload(request["token"])
            if payload["licence"] in state["revoked"] or payload["device"] != device:
                return self.answer(410)
            if call == "validate":
                return self.answer(200, {"token": token(payload["licence"], device)})
            if call == "deactivate":
                devices = state["devices"].get("KEY-" + payload["licence"][4:], [])
                if device in devices:
                    devices.remove(device)
                return self.answer(204)
            return self.answer(404)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
server.handle_error = lambda *_: None  # clients of these tests hang up on purpose
with tempfile.TemporaryDirectory() as folder:
    authority = "-"
    if "plain" not in sys.argv:
        authority, certificate, key = loopback_certificates.make(folder)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    public = licence_key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
    print(server.server_address[1], authority, public, flush=True)
    sys.stdin.read()
