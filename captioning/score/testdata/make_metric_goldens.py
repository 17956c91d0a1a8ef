"""Writes metric_goldens.json: the scores of pycocoevalcap 1.2 and NLTK 3.9.2 for synthetic captions.

Captions are split on white space, so the goldens do not depend on a tokenizer. Run with both packages installed:

    python make_metric_goldens.py                   # rewrites metric_goldens.json
    python make_metric_goldens.py TOKEN_FILE SPLIT  # updates the Flickr8k entry too

TOKEN_FILE is Flickr8k.token.txt, SPLIT is Flickr_8k.testImages.txt. The Flickr8k entry has only scores: those of each
test image's first caption against its other four.
"""
import json
import pathlib
import random
import sys

import nltk
from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu
from pycocoevalcap.bleu.bleu import Bleu
from pycocoevalcap.cider.cider import Cider
from pycocoevalcap.rouge.rouge import Rouge

HERE = pathlib.Path(__file__).parent


def scores(references, captions):
    ids = sorted(captions)
    gts, res = {i: references[i] for i in ids}, {i: [captions[i]] for i in ids}
    bleu, bleu_images = Bleu(4).compute_score(gts, res, verbose=0)
    rouge, rouge_images = Rouge().compute_score(gts, res)
    cider, cider_images = Cider().compute_score(gts, res)
    method1 = SmoothingFunction().method1
    pa4 = {"bleu1": (1, 0, 0, 0), "bleu4": (0.25, 0.25, 0.25, 0.25), "bleu4_individual": (0, 0, 0, 1)}
    pa4_images = [{name: 100 * sentence_bleu([r.split() for r in references[i]], captions[i].split(), w, method1)
                   for name, w in pa4.items()} for i in ids]
    return {
        "bleu": bleu, "rouge_l": float(rouge), "cider": float(cider),
        "pa4": {name: sum(x[name] for x in pa4_images) / len(ids) for name in pa4},
        "images": [{"image_id": i, "bleu": [bleu_images[n][k] for n in range(4)], "rouge_l": float(rouge_images[k]),
                    "cider": float(cider_images[k]), "pa4": pa4_images[k]} for k, i in enumerate(ids)],
    }


def sentence(rng):
    subject = rng.choice(["a man", "two men", "a woman in red", "the small dog", "a cat", "kids", "three people"])
    verb = rng.choice(["rides", "is holding", "sits on", "jumps over", "looks at", "and another one play with"])
    thing = rng.choice(["a bike", "the bench", "a red ball", "a kite", "the the table", "a very very long rope"])
    where = rng.choice(["", "in a park", "on the beach at night", "near the water", "in front of a building"])
    return " ".join(f"{subject} {verb} {thing} {where}".split())


def cases():
    rng = random.Random(11)
    refs = {f"p{i:03d}": [sentence(rng) for _ in range(5)] for i in range(60)}
    yield "five references", refs, {i: sentence(rng) for i in refs}
    refs = {f"p{i:03d}": [sentence(rng) for _ in range(rng.randint(1, 9))] for i in range(40)}
    yield "one to nine references", refs, {i: sentence(rng) for i in refs}
    yield "one image alone", {"a": ["a man rides a bike", "the man is on a bike"]}, {"a": "a man on a bike"}
    yield "identical captions", {"a": ["a man rides a bike in a park"], "b": ["two dogs play with a ball"]}, \
        {"a": "a man rides a bike in a park", "b": "two dogs play with a ball"}
    yield "the same caption everywhere", {i: ["a b c d e", "a b c"] for i in "pqr"}, {i: "a b c d" for i in "pqr"}
    edge = {
        "empty": (["a man rides"], ""), "one-word": (["a man rides a bike"], "man"),
        "two-words": (["a b", "b a"], "b a"),
        "three-words": (["x y z w", "z y x"], "z y x"), "nothing-in-common": (["a b c d e f"], "u v w x y z"),
        "tie-of-lengths": (["a b c", "a b c d e"], "a b c d"), "tie-long-first": (["a b c d e", "a b c"], "a b c d"),
        "repeated-word": (["the cat the cat the", "a cat"], "the the the the the the the"),
        "repeated-bigram": (["a b a b", "b a"], "a b a b a b"),
        "longer": (["a b"], "a b c d e f g h i j k l m n o p q r s t"),
        "shorter": (["a b c d e f g h i j k l m n o p q r s t"], "a b"), "empty-reference": (["", "a b"], "a b"),
        "same-reference-twice": (["a dog runs", "a dog runs"], "a dog runs fast"),
    }
    yield "edge cases", {i: r for i, (r, _) in edge.items()}, {i: c for i, (_, c) in edge.items()}


def flickr8k(token_file, split_file):
    names = {line.strip() for line in open(split_file)}
    refs = {}
    for line in open(token_file, encoding="utf-8"):
        name, caption = line.rstrip("\n").split("\t")
        name = name.rsplit("#", 1)[0]
        if name in names:
            refs.setdefault(name, []).append(" ".join(caption.lower().split()))
    out = scores({i: r[1:] for i, r in refs.items()}, {i: r[0] for i, r in refs.items()})
    del out["images"]
    return dict(out, count=len(refs))


def main():
    path = HERE / "metric_goldens.json"
    out = {"made_by": f"pycocoevalcap 1.2, NLTK {nltk.__version__}, make_metric_goldens.py", "cases": []}
    for name, refs, captions in cases():
        out["cases"].append({"name": name, "references": refs, "captions": captions, "scores": scores(refs, captions)})
    if len(sys.argv) == 3:
        out["flickr8k"] = flickr8k(*sys.argv[1:])
    elif path.exists():
        out["flickr8k"] = json.loads(path.read_text())["flickr8k"]
    path.write_text(json.dumps(out, indent=0) + "\n")


if __name__ == "__main__":
    main()
