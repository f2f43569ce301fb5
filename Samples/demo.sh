#!/bin/bash
# demo.sh FOLDER: renders the sample ad with the programs in FOLDER, checks the result against its plan, draws a contact sheet.
set -euo pipefail
programs=$(cd "$1" && pwd)
cd "$(dirname "$0")/.."
mkdir -p build
reel=$programs/reel
document=Samples/ad/ad.reel.json

"$reel" check "$document"
plan=$("$reel" render "$document" --plan --json)
[ -e build/demo.key ] || "$reel" watermark keygen -o build/demo.key
"$reel" render "$document" -o build/ad.mp4 --key build/demo.key --overwrite

"$reel" probe --json build/ad.mp4 | python3 -c '
import json, sys
plan, ad = json.loads(sys.argv[1]), json.load(sys.stdin)["files"][0]
video = ad["video"][0]
found = (video["width"], video["height"], video["codec"], video["frameCount"])
wanted = (1080, 1920, "h264", plan["frames"])
if found != wanted or abs(video["durationSeconds"] - plan["durationSeconds"]) > 0.001 or ad["problems"]:
    sys.exit(f"build/ad.mp4 is not what the plan said: {found} instead of {wanted}, {ad['"'problems'"']}")
' "$plan"

count=$(python3 -c 'import json, sys; print(min(16, int(json.loads(sys.argv[1])["durationSeconds"])))' "$plan")
"$reel" frames build/ad.mp4 --count "$count" --sheet 8x2 --sheet-out build/contact-sheet.jpg --max-size 160x -o build/frames --overwrite --quiet

# The mark is found again, and says whose copy it is.
"$reel" watermark detect build/ad.mp4 --key build/demo.key --json | python3 -c '
import json, sys
marks = json.load(sys.stdin)["files"][0]["marks"]
if [mark["id"] for mark in marks] != ["00000000000003e8"]:
    sys.exit(f"the mark of build/ad.mp4 was not found again: {marks}")
z = marks[0]["z"]
print(f"the mark 00000000000003e8 was found again, z {z:.1f}")
'
echo "build/ad.mp4 is ready; build/contact-sheet.jpg shows it at a glance"
