import Encoding
import Text

/// The JSON Schema (draft 2020-12) of the reel document, for editors and validators.
///
/// What it cannot say (a variable that is used must be declared, a trim must lie in its source) the reader checks.
public enum ReelSchema {
  /// The schema's text.
  public static var text: String {
    let presets = EncodePreset.all.map(\.name)
    return """
      {
      "$schema": "https://json-schema.org/draft/2020-12/schema",
      "title": "Reelwright reel document",
      "type": "object",
      "required": ["reel", "sequence"],
      "additionalProperties": false,
      "properties": {
        "$schema": {"type": "string"},
        "reel": {"const": 1},
        "canvas": {
          "type": "object", "additionalProperties": false, "dependentRequired": {"width": ["height"], "height": ["width"]},
          "properties": {
            "width": {"$ref": "#/$defs/side"}, "height": {"$ref": "#/$defs/side"},
            "frameRate": {"type": ["string", "number"], "description": "30, \\"30000/1001\\", \\"29.97\\"."},
            "background": {"$ref": "#/$defs/color"}
          }
        },
        "variables": {
          "type": "object",
          "additionalProperties": {
            "type": "object", "required": ["type"], "additionalProperties": false,
            "properties": {"type": {"enum": \(list(VariableDeclaration.Kind.allCases.map(\.rawValue)))}, "default": {"type": ["string", "number"]}}
          }
        },
        "metadata": {"type": "object"},
        "sequence": {"type": "array", "minItems": 1, "items": {"anyOf": [{"$ref": "#/$defs/clip"}, {"$ref": "#/$defs/transition"}]}},
        "overlays": {"type": "array", "items": {"$ref": "#/$defs/overlay"}},
        "captions": {
          "anyOf": [
            {"$ref": "#/$defs/file"},
            {
              "type": "object", "required": ["file"], "additionalProperties": false,
              "properties": {
                "file": {"$ref": "#/$defs/file"}, "style": {"$ref": "#/$defs/style"}, "offset": {"type": ["string", "number"]}
              }
            }
          ]
        },
        "fonts": {"type": "array", "items": {"$ref": "#/$defs/file"}},
        "audio": {
          "type": "object", "additionalProperties": false,
          "properties": {
            "voice": {"$ref": "#/$defs/tracks"}, "music": {"$ref": "#/$defs/tracks"}, "clips": {"$ref": "#/$defs/volume"},
            "loudness": \(number(-70, -5)), "truePeak": \(number(-20, 0))
          }
        },
        "watermark": {
          "type": "object", "required": ["id"], "additionalProperties": false,
          "properties": {"id": {"type": ["string", "integer"]}, "psnr": \(number(20, 80))}
        },
        "output": {
          "type": "object", "additionalProperties": false, "not": {"required": ["crf", "bitrate"]},
          "properties": {
            "preset": {"anyOf": [{"enum": \(list(presets))}, {"$ref": "#/$defs/variable"}]},
            "codec": {"type": "string"}, "speed": {"type": "string"}, "crf": \(number(0, 63)), "bitrate": {"$ref": "#/$defs/rate"},
            "maxBitrate": {"$ref": "#/$defs/rate"}, "keyframeInterval": {"$ref": "#/$defs/time"}, "profile": {"type": "string"},
            "pixelFormat": {"type": "string"}, "audioCodec": {"type": "string"}, "audioBitrate": {"$ref": "#/$defs/rate"},
            "twoPass": {"type": "boolean"}, "container": {"type": "string"}, "fragmented": {"type": "boolean"}
          }
        }
      },
      "$defs": {
        \(values),
        \(items)
      }
      }

      """
  }

  private static let values = """
    "variable": {"type": "string", "pattern": "\\\\{\\\\{.+\\\\}\\\\}"},
        "side": {"anyOf": [{"type": "integer", "minimum": 16, "maximum": 16384, "multipleOf": 2}, {"$ref": "#/$defs/variable"}]},
        "file": {"type": "string", "minLength": 1, "description": "A path relative to the document, or a URL."},
        "color": {"type": "string", "description": "#rrggbb, #rrggbbaa or a name."},
        "time": {"type": ["number", "string"], "minimum": 0, "description": "1.5, \\"1.5s\\", \\"250ms\\", \\"00:01.5\\", \\"45f\\"."},
        "trim": {
          "type": "array", "minItems": 1, "maxItems": 2,
          "items": {"anyOf": [{"$ref": "#/$defs/time"}, {"type": "null"}]}
        },
        "part": {"type": ["number", "string"], "minimum": 0, "maximum": 1, "description": "0 to 1, or a percentage."},
        "length": {"type": ["number", "string"], "minimum": 0, "description": "Pixels, or \\"18%\\" of the side."},
        "decibels": {"type": ["number", "string"], "minimum": -120, "maximum": 40},
        "volume": {"anyOf": [{"$ref": "#/$defs/decibels"}, {"const": false}]},
        "rate": {"type": ["integer", "string"], "description": "Bits a second: 6000000, \\"6M\\", \\"128k\\"."},
        "easing": {
          "anyOf": [
            {"enum": \(list(Easing.names))}, {"type": "string", "pattern": "^cubic-bezier\\\\("}, {"$ref": "#/$defs/variable"}
          ]
        },
        "anchor": {"anyOf": [{"enum": \(list(Anchor.allCases.map(\.rawValue)))}, {"$ref": "#/$defs/variable"}]},
        "point": {
          "anyOf": [
            {"$ref": "#/$defs/anchor"},
            {
              "type": "object", "required": ["x", "y"], "additionalProperties": false,
              "properties": {"x": {"$ref": "#/$defs/part"}, "y": {"$ref": "#/$defs/part"}}
            }
          ]
        },
        "window": {
          "anyOf": [
            {"$ref": "#/$defs/anchor"},
            {
              "type": "object", "additionalProperties": false,
              "properties": {"zoom": \(number(1, 10)), "x": {"$ref": "#/$defs/part"}, "y": {"$ref": "#/$defs/part"}}
            }
          ]
        },
        "style": {
          "anyOf": [
            {"enum": \(list(TextStyle.names))}, {"$ref": "#/$defs/variable"},
            {
              "type": "object", "additionalProperties": false,
              "properties": {
                "base": {"enum": \(list(TextStyle.names))}, "font": {"type": "string", "minLength": 1}, "size": {"$ref": "#/$defs/part"},
                "bold": {"type": "boolean"}, "italic": {"type": "boolean"}, "uppercase": {"type": "boolean"},
                "color": {"$ref": "#/$defs/color"}, "outlineColor": {"$ref": "#/$defs/color"}, "outlineWidth": {"$ref": "#/$defs/part"},
                "shadow": {"$ref": "#/$defs/part"}, "boxColor": {"$ref": "#/$defs/color"},
                "highlight": {"enum": \(list(TextStyle.Highlight.allCases.map(\.rawValue)))}, "highlightColor": {"$ref": "#/$defs/color"},
                "align": {"enum": \(list(TextStyle.Alignment.allCases.map(\.rawValue)))}, "maxWidth": {"$ref": "#/$defs/part"},
                "position": {"$ref": "#/$defs/part"}, "wordsPerCue": {"type": "integer", "minimum": 0, "maximum": 50}
              }
            }
          ]
        }
    """

  private static let items = """
    "clip": {
          "type": "object", "additionalProperties": false,
          "oneOf": [{"required": ["media"]}, {"required": ["image", "duration"]}, {"required": ["color", "duration"]}],
          "properties": {
            "media": {"$ref": "#/$defs/file"}, "image": {"$ref": "#/$defs/file"}, "color": {"$ref": "#/$defs/color"},
            "trim": {"$ref": "#/$defs/trim"}, "duration": {"$ref": "#/$defs/time"}, "speed": \(number(0.1, 10)),
            "volume": {"$ref": "#/$defs/volume"}, "fit": {"enum": \(list(Fit.allCases.map(\.rawValue)))},
            "background": {"$ref": "#/$defs/color"}, "filter": {"type": "string"},
            "kenBurns": {
              "type": "object", "additionalProperties": false, "minProperties": 1,
              "properties": {"from": {"$ref": "#/$defs/window"}, "to": {"$ref": "#/$defs/window"}, "easing": {"$ref": "#/$defs/easing"}}
            }
          }
        },
        "transition": {
          "type": "object", "required": ["transition", "duration"], "additionalProperties": false,
          "properties": {
            "transition": {"type": "string", "description": "One of 'reel transitions'."}, "duration": {"$ref": "#/$defs/time"},
            "easing": {"$ref": "#/$defs/easing"}, "direction": {"enum": \(list(TransitionDirection.allCases.map(\.rawValue)))},
            "softness": {"$ref": "#/$defs/part"}, "color": {"$ref": "#/$defs/color"}, "center": {"$ref": "#/$defs/point"},
            "seed": {"type": ["integer", "string"], "minimum": 0}, "count": \(number(1, 1000)), "strength": \(number(0.05, 4)),
            "map": {"$ref": "#/$defs/file"}, "expression": {"type": "string"}
          }
        },
        "overlay": {
          "type": "object", "additionalProperties": false,
          "oneOf": [{"required": ["image"]}, {"required": ["media"]}, {"required": ["text"]}],
          "properties": {
            "image": {"$ref": "#/$defs/file"}, "media": {"$ref": "#/$defs/file"}, "text": {"type": "string"},
            "style": {"$ref": "#/$defs/style"}, "anchor": {"$ref": "#/$defs/anchor"},
            "margin": {
              "anyOf": [
                {"$ref": "#/$defs/length"},
                {
                  "type": "object", "additionalProperties": false,
                  "properties": {"x": {"$ref": "#/$defs/length"}, "y": {"$ref": "#/$defs/length"}}
                }
              ]
            },
            "width": {"$ref": "#/$defs/length"}, "height": {"$ref": "#/$defs/length"}, "opacity": {"$ref": "#/$defs/part"},
            "rotation": {"anyOf": [\(number(-36000, 36000)),
              {"type": "object", "properties": {"from": \(number(-36000, 36000)), "to": \(number(-36000, 36000))}, "required": ["to"],
               "additionalProperties": false}]}, "from": {"$ref": "#/$defs/time"}, "to": {"$ref": "#/$defs/time"},
            "fadeIn": {"$ref": "#/$defs/time"}, "fadeOut": {"$ref": "#/$defs/time"},
            "animation": {"enum": \(list(Overlay.Animation.allCases.map(\.rawValue)))},
            "animationOut": {"enum": \(list(Overlay.Animation.allCases.map(\.rawValue)))},
            "animationDuration": {"$ref": "#/$defs/time"}, "easing": {"$ref": "#/$defs/easing"}, "trim": {"$ref": "#/$defs/trim"},
            "speed": \(number(0.1, 10)), "loop": {"type": "boolean"}, "volume": {"$ref": "#/$defs/volume"}
          }
        },
        "track": {
          "anyOf": [
            {"$ref": "#/$defs/file"},
            {
              "type": "object", "required": ["file"], "additionalProperties": false,
              "properties": {
                "file": {"$ref": "#/$defs/file"}, "volume": {"$ref": "#/$defs/decibels"}, "from": {"$ref": "#/$defs/time"},
                "to": {"$ref": "#/$defs/time"}, "trim": {"$ref": "#/$defs/trim"}, "fadeIn": {"$ref": "#/$defs/time"},
                "fadeOut": {"$ref": "#/$defs/time"}, "loop": {"type": "boolean"}, "duck": \(number(0, 60))
              }
            }
          ]
        },
        "tracks": {"anyOf": [{"$ref": "#/$defs/track"}, {"type": "array", "items": {"$ref": "#/$defs/track"}}]}
    """

  private static func list(_ names: [String]) -> String { "[" + names.map { "\"\($0)\"" }.joined(separator: ", ") + "]" }

  /// A number in a range, or the variable that is one.
  private static func number(_ least: Double, _ most: Double) -> String {
    "{\"anyOf\": [{\"type\": \"number\", \"minimum\": \(text(least)), \"maximum\": \(text(most))}, {\"$ref\": \"#/$defs/variable\"}]}"
  }

  private static func text(_ value: Double) -> String { value == value.rounded() ? "\(Int(value))" : "\(value)" }
}
