"""A collector of OTLP/HTTP logs for tests: a strict reader of the protocol's JSON. Prints its port, serves until stdin ends.

    otlp_collector.py [STATUS ...]      answers these in turn, then 200; a request that breaks the protocol gets 400

GET /received: what came, with the first rule that each request breaks.
"""

import http.server
import json
import re
import sys
import threading

statuses = [int(word) for word in sys.argv[1:]]
received = []
lock = threading.Lock()

# opentelemetry-proto 1.x: members in lowerCamelCase, 64-bit integers as decimal strings.
SHAPES = {
    "request": {"resourceLogs": ["resourceLogs"]},
    "resourceLogs": {"resource": "resource", "scopeLogs": ["scopeLogs"], "schemaUrl": str},
    "resource": {"attributes": ["keyValue"], "droppedAttributesCount": int},
    "scopeLogs": {"scope": "scope", "logRecords": ["logRecord"], "schemaUrl": str},
    "scope": {"name": str, "version": str, "attributes": ["keyValue"], "droppedAttributesCount": int},
    "logRecord": {"timeUnixNano": "fixed64", "observedTimeUnixNano": "fixed64", "severityNumber": int, "severityText": str, "body": "anyValue",
                  "attributes": ["keyValue"], "droppedAttributesCount": int, "flags": int, "traceId": str, "spanId": str, "eventName": str},
    "keyValue": {"key": str, "value": "anyValue"},
    "anyValue": {"stringValue": str, "boolValue": bool, "intValue": "int64", "doubleValue": float},
}


def problem(value, shape, place):
    if isinstance(shape, list):
        if not isinstance(value, list):
            return f"{place} is no list"
        return next((found for index, item in enumerate(value) if (found := problem(item, shape[0], f"{place}[{index}]"))), None)
    if isinstance(shape, type):
        return None if isinstance(value, shape) and not (shape is int and isinstance(value, bool)) else f"{place} is no {shape.__name__}"
    if shape in ("fixed64", "int64"):
        return None if isinstance(value, str) and re.fullmatch("[0-9]+" if shape == "fixed64" else "-?[0-9]+", value) else f"{place} is no {shape}"
    if not isinstance(value, dict):
        return f"{place} is no object"
    if shape == "anyValue" and len(value) != 1:
        return f"{place} has {len(value)} values"
    for name, member in value.items():
        if name not in SHAPES[shape]:
            return f"{place}.{name} is not of the protocol"
        if found := problem(member, SHAPES[shape][name], f"{place}.{name}"):
            return found
    return None


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer(200, json.dumps(received).encode())

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        document, found = {}, None
        if self.headers.get("Content-Type") != "application/json":
            found = "the content type is not application/json"
        else:
            try:
                document = json.loads(body)
                found = problem(document, "request", "request")
            except ValueError as error:
                found = str(error)
        records = [] if found else [r for a in document["resourceLogs"] for b in a["scopeLogs"] for r in b["logRecords"]]
        with lock:
            received.append({"path": self.path, "problem": found, "records": records, "headers": dict(self.headers)})
            status = 400 if found else statuses.pop(0) if statuses else 200
        self.answer(status, b"{}")


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_port, "-", flush=True)
sys.stdin.read()
