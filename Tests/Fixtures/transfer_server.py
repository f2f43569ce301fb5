"""A server for the tests of Transfer: well and badly behaved paths. Prints its port, then serves until stdin ends."""

import base64
import hashlib
import http.server
import json
import os
import ssl
import sys
import tempfile
import threading
import time
import urllib.parse

import loopback_certificates

state = {"counts": {}, "stored": {}}
lock = threading.Lock()


def content(count):
    block = bytes((i * 31 + (i >> 8) * 7) & 255 for i in range(65536))
    return (block * (count // 65536 + 1))[:count]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def count(self):
        with lock:
            state["counts"][self.path] = state["counts"].get(self.path, 0) + 1
            return state["counts"][self.path]

    def answer(self, status, body=b"", **fields):
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def file(self, body, etag, torn):
        start = 0
        wanted = self.headers.get("Range")
        fields = {"ETag": etag} if etag else {}
        if wanted and etag and self.headers.get("If-Range") == etag:
            start = int(wanted.removeprefix("bytes=").split("-")[0])
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        else:
            self.send_response(200)
        for name, value in fields.items():
            self.send_header(name, value)
        rest = body[start:]
        self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        if torn:
            self.wfile.write(rest[: len(rest) // 2])
            self.wfile.flush()
            self.close_connection = True
        else:
            self.wfile.write(rest)

    def do_GET(self):
        path, _, query = self.path.partition("?")
        parts = path.strip("/").split("/")
        number = self.count()
        match parts:
            case ["file", count]:
                self.file(content(int(count)), '"v1"', False)
            case ["torn", count, times]:
                self.file(content(int(count)), '"v1"', number <= int(times))
            case ["noetag", count]:
                self.file(content(int(count)), None, number == 1)
            case ["changing", count]:
                body = content(int(count))
                self.file(body if number == 1 else body[::-1], f'"v{min(number, 2)}"', number == 1)
            case ["status", code]:
                fields = dict(urllib.parse.parse_qsl(query))
                self.answer(int(code), b"no", **fields)
            case ["flaky", times]:
                if number <= int(times):
                    self.answer(503, b"later", Retry_After="0")
                else:
                    self.file(content(1000), '"v1"', False)
            case ["redirect", "same"]:
                self.answer(302, Location="/file/1000")
            case ["redirect", "other"]:
                self.answer(302, Location=f"{scheme}://localhost:{port}/file/1000")
            case ["redirect", "file"]:
                self.answer(302, Location="file:///etc/passwd")
            case ["redirect", "loop"]:
                self.answer(302, Location="/redirect/loop")
            case ["slow"]:
                time.sleep(20)
            case ["endless", code]:
                self.send_response(int(code))
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                try:
                    while True:
                        self.wfile.write(b"10000\r\n" + bytes(65536) + b"\r\n")
                except OSError:
                    self.close_connection = True
            case ["huge"]:
                self.send_response(200)
                self.send_header("Content-Length", str(1 << 50))
                self.end_headers()
                self.close_connection = True
            case ["count", *rest]:
                self.answer(200, str(state["counts"].get("/" + "/".join(rest), 0)).encode())
            case ["stored", name]:
                self.answer(200, json.dumps(state["stored"].get(name)).encode())
            case _:
                self.answer(404, b"no such path")

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def do_PUT(self):
        number = self.count()
        body = self.body()
        parts = self.path.partition("?")[0].strip("/").split("/")
        if parts[0] == "flaky" and number <= int(parts[1]):
            self.answer(500)
        elif parts[0] == "denied":
            self.answer(403)
        else:
            state["stored"][parts[-1]] = {
                "sha256": hashlib.sha256(body).hexdigest(), "bytes": len(body), "type": self.headers.get("Content-Type"), "puts": number,
            }
            self.answer(200)

    def do_POST(self):
        if self.path == "/redirect":
            self.body()
            self.answer(302, Location="/echo")
        elif self.path == "/redirect307":
            self.body()
            self.answer(307, Location="/echo")
        else:
            answer = {
                "path": self.path, "method": self.command, "fields": dict(self.headers.items()),
                "body": base64.b64encode(self.body()).decode(),
            }
            self.answer(200, json.dumps(answer).encode())


tls = "tls" in sys.argv
scheme = "https" if tls else "http"
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
server.handle_error = lambda *_: None  # clients of these tests hang up on purpose
port = server.server_address[1]
with tempfile.TemporaryDirectory() as folder:
    authority = ""
    if tls:
        names = "DNS:other.example" if "wrong-name" in sys.argv else "DNS:localhost,IP:127.0.0.1,DNS:media.example"
        authority, certificate, key = loopback_certificates.make(folder, names)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(port, authority, flush=True)
    sys.stdin.read()
