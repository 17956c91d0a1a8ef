"""Scores captions with pycocoevalcap's METEOR, after its PTB tokenizer; both run Java. Prints the corpus score and the
seconds that METEOR took as JSON.

    python meteor_reference.py references.json captions.json

Needs pycocoevalcap 1.2 and a Java runtime.
"""
import contextlib
import json
import sys
import time

from pycocoevalcap.meteor.meteor import Meteor
from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer


def main(references, captions):
    with open(references) as f:
        annotations = json.load(f)["annotations"]
    with open(captions) as f:
        results = json.load(f)
    gts, res = {}, {r["image_id"]: [r] for r in results}
    for a in annotations:
        gts.setdefault(a["image_id"], []).append(a)
    gts = {i: gts[i] for i in sorted(res)}
    res = {i: res[i] for i in sorted(res)}
    tokenizer = PTBTokenizer()
    gts, res = tokenizer.tokenize(gts), tokenizer.tokenize(res)
    start = time.perf_counter()
    score, _ = Meteor().compute_score(gts, res)
    return {"meteor": score, "seconds": time.perf_counter() - start}


if __name__ == "__main__":
    with contextlib.redirect_stdout(sys.stderr):
        scores = main(*sys.argv[1:])
    print(json.dumps(scores))
