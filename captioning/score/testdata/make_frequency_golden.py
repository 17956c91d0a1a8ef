"""Prints the CIDEr-D of TestFrequenciesOfOtherImages: CiderScorer of pycocoevalcap 1.2 with given document frequencies."""
import numpy
from pycocoevalcap.cider.cider_scorer import CiderScorer

FREQUENCIES = {"a": 900, "dog": 40, "a dog": 30, "runs": 20, "cat": 50, "zebra": 1, "unknown words here": 2, "fast": 0}


class GivenFrequencies(CiderScorer):
    """Keeps the given frequencies. compute_cider sets ref_len to the logarithm of len(crefs), hence the padding."""

    def compute_doc_freq(self):
        self.document_frequency.update({tuple(g.split()): float(n) for g, n in FREQUENCIES.items()})


scorer = GivenFrequencies(n=4, sigma=6.0)
scorer += ("a dog runs fast", ["a dog runs", "the dog runs fast"])
scorer += ("a cat sleeps", ["a cat"])
scorer.compute_doc_freq()
scorer.crefs += [[]] * 998
print([float(x) for x in scorer.compute_cider()])
