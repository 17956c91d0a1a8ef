"""Writes diversity_goldens.json: measures of several captions an image, from pycocoevalcap 1.2 and numpy.

mBLEU is Bleu(4) of pycocoevalcap on the first captions of all images against their other captions, then on the second
ones, and so on: a mean of corpus scores, as the code of Shetty et al. (2017) takes it. Div-n is their ratio of distinct
n-grams to words, with their 1e-6. The similarities for Self-CIDEr are those of CIDEr: CiderScorer of pycocoevalcap
without what CIDEr-D adds, clipping and the penalty for length. Captions are split on white space.

    python make_diversity_goldens.py
"""
import inspect
import json
import pathlib
import random

import numpy
import pycocoevalcap.cider.cider_scorer as cider_scorer
from pycocoevalcap.bleu.bleu import Bleu

HERE = pathlib.Path(__file__).parent
CLIPPED = "min(vec_hyp[n][ngram], vec_ref[n][ngram])"


def plain_cider():
    """CiderScorer without clipping; a large sigma takes away the penalty."""
    source = inspect.getsource(cider_scorer.CiderScorer)
    assert source.count(CLIPPED) == 1
    names = dict(vars(cider_scorer))
    exec(source.replace(CLIPPED, "vec_hyp[n][ngram]"), names)
    return names["CiderScorer"]


def kernel(captions, references):
    """The similarities of each caption with each, with the document frequencies of the references of all images."""
    scorer = plain_cider()(n=4, sigma=1e12)
    for refs in references:
        scorer += ("", refs)
    scorer.compute_doc_freq()
    images = len(scorer.crefs)
    # compute_cider takes the number of images from the length of crefs.
    pairs = [(a, [b]) for a in captions for b in captions]
    scorer.ctest = [cider_scorer.cook_test(a) for a, _ in pairs] + [cider_scorer.cook_test("")] * images
    scorer.crefs = [cider_scorer.cook_refs(b) for _, b in pairs] + [cider_scorer.cook_refs([""])] * images
    scores = with_images(scorer, images)[:len(pairs)]
    return numpy.array(scores).reshape(len(captions), len(captions)) / 10


def with_images(scorer, images):
    """compute_cider as if there were so many images."""
    crefs = scorer.crefs

    class Sized(list):
        def __len__(self):
            return images
    scorer.crefs = Sized(crefs)
    return scorer.compute_cider()


def self_cider(matrix):
    """The diversity, or None if no n-gram has a weight. Of equal captions it is rounding errors, up to about 1e-8."""
    if not matrix.any():
        return None
    roots = numpy.sqrt(numpy.clip(numpy.linalg.eigvalsh(matrix), 0, None))
    return float(-numpy.log(roots[-1] / roots.sum()) / numpy.log(len(roots)))


def div(captions, n):
    grams, words = set(), 0
    for caption in captions:
        tokens = caption.split()
        words += len(tokens)
        grams |= {tuple(tokens[i:i + n]) for i in range(len(tokens) - n + 1)}
    return len(grams) / (words + 1e-6)


def mbleu(samples):
    count = len(next(iter(samples.values())))
    scores = []
    for i in range(count):
        rest = {k: c[:i] + c[i + 1:] for k, c in samples.items()}
        scores.append(Bleu(4).compute_score(rest, {k: [c[i]] for k, c in samples.items()}, verbose=0)[0])
    return numpy.array(scores).mean(axis=0).tolist()


def measure(samples, references):
    ids = sorted(samples)
    kernels = {i: kernel(samples[i], [references[k] for k in ids]) for i in ids}
    images = [{"image_id": i, "div1": div(samples[i], 1), "div2": div(samples[i], 2),
               "self_cider": self_cider(kernels[i])} for i in ids]
    known = {name: [x[name] for x in images if x[name] is not None] for name in ("div1", "div2", "self_cider")}
    return dict({name: sum(x) / len(x) for name, x in known.items()}, mbleu=mbleu(samples), images=images)


def sentence(rng):
    text = rng.choice(["a man", "two men", "a woman in red", "the small dog", "a cat", "kids", "three people"])
    text += " " + rng.choice(["rides", "holds", "looks at", "is running with", "jumps over", "sits near"])
    text += " " + rng.choice(["a bike", "the red ball", "a dog", "a small boat", "some water", "the big tree"])
    return text + rng.choice(["", " on the beach", " in a field", " at night", " near a house with a red roof"])


def cases():
    rng = random.Random(11)
    for name, images, count, same in (("different", 12, 5, 0), ("alike", 8, 10, 0.7), ("pairs", 5, 2, 0.3)):
        samples, references = {}, {}
        for k in range(images):
            captions = [sentence(rng)]
            while len(captions) < count:
                captions.append(captions[0] if rng.random() < same else sentence(rng))
            samples[str(k)], references[str(k)] = captions, [sentence(rng) for _ in range(4)]
        yield name, samples, references
    edge = {"short": ["dog", "a dog", "dog"], "strange": ["xx yy", "zz xx yy", "q r s t u"],
            "same": ["a cat sits"] * 3, "repeated": ["dog dog dog dog", "dog a dog a dog", "a a a"]}
    yield "edge cases", edge, {k: [sentence(rng), "a dog sits", "a " + k] for k in edge}


def main():
    out = {"made_by": f"pycocoevalcap 1.2, numpy {numpy.__version__}, make_diversity_goldens.py", "cases": []}
    for name, samples, references in cases():
        out["cases"].append({"name": name, "samples": samples, "references": references,
                             "scores": measure(samples, references)})
    (HERE / "diversity_goldens.json").write_text(json.dumps(out, indent=0) + "\n")


if __name__ == "__main__":
    main()
