"""Scores captions with pycocoevalcap: its PTB tokenizer (Java), BLEU, ROUGE-L and CIDEr. Prints the scores as JSON.

    python score_reference.py references.json captions.json

Needs pycocoevalcap 1.2 and a Java runtime.
"""
import contextlib
import json
import sys

from pycocoevalcap.bleu.bleu import Bleu
from pycocoevalcap.cider.cider import Cider
from pycocoevalcap.rouge.rouge import Rouge
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
    bleu, _ = Bleu(4).compute_score(gts, res, verbose=0)
    rouge, _ = Rouge().compute_score(gts, res)
    cider, _ = Cider().compute_score(gts, res)
    return {"bleu": bleu, "rouge_l": float(rouge), "cider": float(cider)}


if __name__ == "__main__":
    with contextlib.redirect_stdout(sys.stderr):
        scores = main(*sys.argv[1:])
    print(json.dumps(scores))
