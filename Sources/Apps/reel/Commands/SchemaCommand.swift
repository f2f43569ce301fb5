import CommandLayer
import Reelwright

/// `reel schema`: the JSON Schemas of what reel writes and reads.
enum SchemaCommand {
  static var command: Command {
    Command(
      "schema", summary: "the JSON Schema of a format",
      discussion: """
        event: what is sent to a cloud, CloudEvents 1.0. export: a line of events.jsonl of 'reel log export'. job: what \
        'reel jobs submit' reads. reel: the document of 'reel render'. report: what --report writes. sidecar: the record beside an output.
        """,
      arguments: [Argument("FORMAT", .one, kind: .choice(documents.map(\.name)), "Which format.")],
      examples: [.init("reel schema sidecar > sidecar.schema.json", "for a validator")],
      action: { invocation in
        let name = invocation.required("FORMAT")
        try invocation.console.write(documents.first { $0.name == name }?.text ?? "")
        return 0
      })
  }

  private static var documents: [(name: String, text: String)] {
    [
      ("event", LogSchemaDocuments.event), ("export", LogSchemaDocuments.exportLine), ("job", job),
      ("reel", ReelSchema.text),
      ("report", document("Reelwright report", anyReport)),
      ("sidecar", document("Reelwright sidecar", sidecar)),
    ]
  }

  private static func document(_ title: String, _ body: String) -> String {
    "{\n\"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n\"title\": \"\(title)\",\n\(body)\n}\n"
  }

  /// What `--report` writes: of one output a task's own report, of several all of them with what failed, and of the commands that
  /// look at files without making one what `--json` prints. A run that failed leaves its error.
  private static let anyReport = """
    "type": "object",
    "required": ["schema"],
    "properties": {
      "schema": {"const": 1},
      "project": {"type": "string"},
      "labels": {"type": "object", "additionalProperties": {"type": "string"}}
    },
    "anyOf": [
      {"$ref": "#/$defs/task"},
      {"description": "encode, watermark embed: several inputs", "required": ["reports", "failures"], "properties": {
        "reports": {"type": "array", "items": {"$ref": "#/$defs/task"}},
        "failures": {"type": "array", "items": {"required": ["input", "output", "error"], "properties": {"error": {"$ref": "#/$defs/error"}}}}}},
      {"description": "render --data", "required": ["rows"], "properties": {
        "rows": {"type": "array", "items": {"required": ["row", "line", "kept"], "properties": {
          "report": {"$ref": "#/$defs/task"}, "error": {"$ref": "#/$defs/error"}}}}}},
      {"description": "probe, watermark detect", "required": ["files"], "properties": {
        "files": {"type": "array", "items": {"type": "object", "required": ["file"]}}}},
      {"description": "frames", "required": ["frames", "counters"], "properties": {
        "frames": {"type": "array", "items": {"type": "object"}}, "counters": {"type": "object"}}},
      {"description": "check, render --plan", "required": ["frames", "durationSeconds", "segments"], "properties": {
        "frames": {"type": "integer"}, "durationSeconds": {"type": "number"}, "segments": {"type": "array"}}},
      {"description": "a run that failed", "required": ["error"], "properties": {"error": {"$ref": "#/$defs/error"}}}
    ],
    "$defs": {
      "error": {
        "type": "object",
        "required": ["code", "message"],
        "properties": {"code": {"type": "string"}, "message": {"type": "string"}, "file": {"type": ["string", "null"]}}
      },
      "task": {
    \(report)
      }
    }
    """

  private static let report = """
    "type": "object",
    "required": ["schema", "task", "inputs", "outputs", "warnings", "frames", "timings"],
    "properties": {
      "schema": {"const": 1},
      "task": {"type": "string"},
      "inputs": {
        "type": "array",
        "items": {
          "type": "object",
          "required": ["file", "bytes", "bytesRead", "framesDecoded", "damage", "incomplete", "messages"],
          "properties": {
            "file": {"type": "string"},
            "bytes": {"type": "integer", "minimum": 0},
            "bytesRead": {"type": "integer", "minimum": 0},
            "framesDecoded": {"type": "integer", "minimum": 0},
            "damage": {"type": "array"},
            "incomplete": {"type": "array", "items": {"type": "string"}},
            "messages": {"type": "array", "items": {"type": "string"}}
          }
        }
      },
      "outputs": {
        "type": "array",
        "items": {
          "type": "object",
          "required": ["file", "bytes", "frames", "durationSeconds", "audioSamples"],
          "properties": {
            "file": {"type": "string"},
            "bytes": {"type": "integer", "minimum": 0},
            "frames": {"type": "integer", "minimum": 0},
            "durationSeconds": {"type": "number", "minimum": 0},
            "width": {"type": "integer", "minimum": 1},
            "height": {"type": "integer", "minimum": 1},
            "videoCodec": {"type": "string"},
            "audioCodec": {"type": "string"},
            "audioSamples": {"type": "integer", "minimum": 0}
          }
        }
      },
      "warnings": {"type": "array", "items": {"type": "string"}},
      "frames": {"type": "object", "additionalProperties": {"type": "integer", "minimum": 0}},
      "isolation": {"type": "object", "additionalProperties": {"type": "string"}},
      "notes": {"type": "array", "items": {"type": "string"}},
      "segments": {
        "type": "array",
        "items": {
          "type": "object",
          "required": ["from", "to", "action", "reason"],
          "properties": {
            "from": {"type": "integer", "minimum": 0},
            "to": {"type": "integer", "minimum": 1},
            "action": {"enum": ["encode", "copy", "cache"]},
            "reason": {"type": "string"}
          }
        }
      },
      "timings": {
        "type": "object",
        "required": ["wallSeconds", "cpuSeconds"],
        "properties": {"wallSeconds": {"type": "number", "minimum": 0}, "cpuSeconds": {"type": "number", "minimum": 0}}
      },
      "watermark": {
        "type": "object",
        "required": ["id", "keyId", "pictures"],
        "properties": {
          "id": {"type": "string", "pattern": "^[0-9a-f]{16}$"},
          "keyId": {"type": "string"},
          "pictures": {"type": "integer", "minimum": 0},
          "meanPSNR": {"type": "number"},
          "worstPSNR": {"type": "number"}
        }
      }
    }
    """

  private static let sidecar = """
    "type": "object",
    "required": ["schema", "output", "inputs", "task", "parameters", "metadata", "versions", "createdAt", "report"],
    "properties": {
      "schema": {"const": 1},
      "output": {
        "type": "object",
        "required": ["file", "bytes", "sha256"],
        "properties": {
          "file": {"type": "string"},
          "bytes": {"type": "integer", "minimum": 0},
          "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"}
        }
      },
      "inputs": {
        "type": "array",
        "items": {
          "type": "object",
          "required": ["name", "file", "bytes"],
          "properties": {
            "name": {"type": "string"},
            "file": {"type": "string"},
            "bytes": {"type": "integer", "minimum": 0},
            "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"}
          }
        }
      },
      "task": {"type": "string"},
      "parameters": {"type": "object"},
      "metadata": {"type": "object", "additionalProperties": {"type": "string"}},
      "project": {"type": "string"},
      "labels": {"type": "object", "additionalProperties": {"type": "string"}},
      "versions": {"type": "object", "additionalProperties": {"type": "string"}},
      "createdAt": {"type": "string", "format": "date-time"},
      "watermarkId": {"type": "string", "pattern": "^[0-9a-f]{16}$"},
      "watermarkKeyId": {"type": "string"},
      "report": {
    \(report)
      }
    }
    """

  private static let job = document(
    "Reelwright job",
    """
    "type": "object",
    "required": ["kind"],
    "additionalProperties": false,
    "properties": {
      "schema": {"const": 1},
      "kind": {"type": "string", "minLength": 1},
      "payload": {"description": "The task's own parameters, as in a sidecar."},
      "name": {"type": "string", "minLength": 1, "description": "A label of yours; never made from the name of a file."},
      "project": {"type": "string", "minLength": 1},
      "inputs": {"type": "object", "additionalProperties": {"type": "string"}},
      "outputs": {"type": "object", "additionalProperties": {"type": "string"}},
      "overwrite": {"type": "boolean"},
      "class": {"type": "string"},
      "priority": {"type": "integer", "minimum": -1000000, "maximum": 1000000},
      "uniqueKey": {"type": "string"},
      "notBefore": {"type": "number", "minimum": 0, "description": "Seconds since 1970."},
      "after": {"type": "array", "items": {"type": "integer", "minimum": 1}},
      "timeoutSeconds": {"type": "number", "exclusiveMinimum": 0},
      "retry": {
        "type": "object",
        "additionalProperties": false,
        "properties": {
          "attempts": {"type": "integer", "minimum": 1, "maximum": 1000},
          "baseSeconds": {"type": "number", "minimum": 0},
          "capSeconds": {"type": "number", "minimum": 0}
        }
      },
      "crashLimit": {"type": "integer", "minimum": 1, "maximum": 1000000},
      "labels": {"type": "object", "additionalProperties": {"type": "string"}}
    }
    """)
}
