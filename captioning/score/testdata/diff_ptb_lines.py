"""Shows lines of lexer_lines_test.go that captionlab and coco-caption tokenize differently. Needs Go and Java.

    python diff_ptb_lines.py            # compare
    python diff_ptb_lines.py --write    # and write ptb_lines.json, hashes of the reference's tokens
"""
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile

from make_ptb_goldens import HERE, ask, kept

BLOCK = 5000
ATONCE = 200000


def main(write):
    hashes = {}
    different = 0
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["go", "test", "-count=1", "-tags", "long", "-run", "PTBLines", "."], cwd=HERE.parent,
                       env=dict(os.environ, PTB_LINES=folder), check=True)
        for path in sorted(pathlib.Path(folder).glob("*.lines")):
            lines = read(path)
            ours = read(path.with_suffix(".tokens"))
            theirs = []
            for i in range(0, len(lines), ATONCE):
                theirs += [" ".join(kept(a)) for a in ask(lines[i:i + ATONCE])]
            wrong = [i for i in range(len(lines)) if ours[i] != theirs[i]]
            different += len(wrong)
            print(f"{path.stem}: {len(wrong)} of {len(lines)} lines differ")
            for i in wrong[:20]:
                print(f"  {lines[i]!a}\n    captionlab   {ours[i]!a}\n    coco-caption {theirs[i]!a}")
            blocks = ["".join(t + "\n" for t in theirs[i:i + BLOCK]) for i in range(0, len(lines), BLOCK)]
            hashes[path.stem] = [hashlib.sha256(b.encode()).hexdigest()[:16] for b in blocks]
    if write:
        out = {"block": BLOCK, "sha256": hashes}
        (HERE / "ptb_lines.json").write_text(json.dumps(out, indent=0) + "\n")
    return 1 if different else 0


def read(path):
    with open(path, encoding="utf-8", newline="\n") as f:
        return f.read().split("\n")[:-1]


if __name__ == "__main__":
    sys.exit(main("--write" in sys.argv[1:]))
