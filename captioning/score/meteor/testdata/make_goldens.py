"""Makes goldens.json: what METEOR 1.5 (the jar of pycocoevalcap 1.2) says of invented captions, with the small tables
beside this file. Needs Java and pycocoevalcap 1.2; run it in this folder.

    python make_goldens.py
"""
import gzip
import json
import os
import random
import shutil
import subprocess
import tempfile

from pycocoevalcap.meteor import meteor

JAR = os.path.join(os.path.dirname(meteor.__file__), "meteor-1.5.jar")
WORDS = ("dog dogs hound puppies man men guy person people kid child children childlike run runs running ran sprinted "
         "dash dashing hurry hurried hurries grass grasses lawn box boxes crate glass glasses spectacles big bigger "
         "large largest bake baking roasted berry berries fruit gelato variants sherbet red redder quickly quick "
         "quickness the a is are of on in and with to its").split()
PHRASES = ["next to", "beside", "close to", "near the", "a group of", "several", "some of the", "dog", "animal", "the dog",
           "is running", "runs", "is in a hurry", "in front of", "before", "ahead of the", "young", "little",
           "young man", "boy", "small", "two of", "both", "of the", "its", "on the grass", "in the",
           "on top of the", "above", "is in a hurry to run"]
SUBJECTS = ["the dog", "a young man", "two of the men", "a group of people", "the little boy", "both children", "a hound",
            "several kids", "a big box", "the largest crate", "its animal", "the guy", "a person's puppy"]
VERBS = ["is running", "runs", "ran", "is in a hurry to run", "sprints", "dashes", "is baking berries", "roasted fruit",
         "sits", "doesn't run", "isn't running", "hurries"]
PLACES = ["on the grass", "next to the lawn", "beside a box", "in front of the glasses", "before the man", "above it",
          "on top of the crate", "close to its dog", "near the u.s. flag", "with 2 dogs, 3 men", "-- at no. 5", ""]
MARKS = "abzé1.,'\"-–—…`“”‘’()%$&/ \u00a0st"


def sentence(random):
    return " ".join(random.choice(part) for part in (SUBJECTS, VERBS, PLACES)).strip()


def hard(random):
    words = random.sample(WORDS, random.randint(1, 6)) + random.sample(PHRASES, random.randint(1, 5))
    return lambda: " ".join(random.choice(words) for _ in range(random.choice([1, 3, 6, 12, 30])))


def pairs(random):
    for _ in range(250):
        yield sentence(random), [sentence(random) for _ in range(random.randint(1, 4))]
    for _ in range(350):
        make = hard(random)
        yield make(), [make() for _ in range(random.choice([1, 1, 2]))]
    yield "", ["the dog"]
    yield "the dog", [""]
    yield "", ["", "dog"]
    yield "box", ["boxes"]  # stem and synonym: two matches, of which none is taken
    yield "variants", ["gelato"]  # the same hash code
    yield "red box", ["red", "red of on in"]  # equal scores: the first reference counts
    yield "a dog", ["the dog ||| a dog"]  # two references
    yield "a b c " * 30, ["c b a " * 30]


def ask(process, line):
    process.stdin.write(line + "\n")
    process.stdin.flush()
    return process.stdout.readline().strip()


def main():
    chance = random.Random(5)
    dir = tempfile.mkdtemp()
    for name in "english.synsets", "english.exceptions":
        shutil.copy(name, dir)
    open(os.path.join(dir, "english.relations"), "w").close()
    table = os.path.join(dir, "paraphrases.gz")
    with open("paraphrases", "rb") as f, gzip.open(table, "wb") as to:
        to.write(f.read())
    java = ["java", "-Xmx1G", "-jar", JAR]
    options = ["-l", "en", "-norm", "-s", os.path.abspath("function.words"), "-d", dir, "-a", table]
    cases = [{"caption": c, "references": r} for c, r in pairs(chance)]
    process = subprocess.Popen(java + ["-", "-", "-stdio"] + options, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               encoding="utf-8")
    for case in cases:
        line = " ||| ".join(["SCORE"] + case["references"] + [case["caption"]])
        case["statistics"] = [float(x) for x in ask(process, line).split()]
    numbers = [" ".join(map(str, case["statistics"])) for case in cases]
    cases[0]["score"] = float(ask(process, " ||| ".join(["EVAL"] + numbers)))
    for case in cases[1:]:
        case["score"] = float(process.stdout.readline())
    corpus = float(process.stdout.readline())
    process.stdin.close()
    process.wait()

    texts = ["".join(chance.choice(MARKS) for _ in range(chance.choice([3, 6, 12]))) for _ in range(500)]
    texts += ["The U.S. flag, e.g. 1,000 of them.", "a man's t-shirt isn't -- red.", "ends with an ellipsis...",
              "'quoted' ``words''", "5 p.m. is o'clock; the 1990's", "No. 5 and Mr. Smith vs. Dr. Who", "Straße CAFÉ"]
    for name, lines in ("test", texts), ("reference", ["x"] * len(texts)):
        with open(os.path.join(dir, name), "w", encoding="utf-8") as f:
            f.writelines(line + "\n" for line in lines)
    subprocess.run(java + [os.path.join(dir, "test"), os.path.join(dir, "reference"), "-writeAlignments", "-f",
                           os.path.join(dir, "out")] + options, check=True, stdout=subprocess.DEVNULL)
    with open(os.path.join(dir, "out-align.out"), encoding="utf-8", newline="\n") as f:
        blocks = f.read().split("Alignment\t")[1:]
    normalized = [{"text": t, "words": b.split("\n")[1].split(" ")} for t, b in zip(texts, blocks)]
    for n in normalized:
        n["words"] = [w for w in n["words"] if w]
    with open("goldens.json", "w") as f:
        f.write('{"made_by": "make_goldens.py, METEOR 1.5 of pycocoevalcap 1.2",\n"corpus": %r,\n"cases": [\n' % corpus)
        f.write(",\n".join(json.dumps(c) for c in cases) + '],\n"normalized": [\n')
        f.write(",\n".join(json.dumps(n) for n in normalized) + "]}\n")
    shutil.rmtree(dir)


if __name__ == "__main__":
    main()
