"""Shows the first caption that captionlab and coco-caption tokenize differently, and counts all of them.

    python diff_ptb.py CAPTIONLAB Flickr8k.token.txt     # the program and Flickr8k's captions
    python diff_ptb.py CAPTIONLAB any.txt                # or any text, one caption per line
"""
import subprocess
import sys

from make_ptb_goldens import tokenize


def main(program, path):
    with open(path, encoding="utf-8", newline="\n") as f:
        rows = [line.rstrip("\n").replace("\r", " ").split("\t", 1) for line in f]
    captions = [row[-1] for row in rows]
    lines = "".join(c + "\n" for c in captions)
    out = subprocess.run([program, "tokenize"], input=lines.encode(), stdout=subprocess.PIPE, check=True)
    ours = [line.split() for line in out.stdout.decode().split("\n")[:-1]]
    theirs = tokenize(captions)
    different = [i for i in range(len(captions)) if ours[i] != theirs[i]]
    print(f"{len(different)} of {len(captions)} captions differ")
    for i in different[:1]:
        print(f"line {i + 1} ({rows[i][0]}): {captions[i]!r}\n  captionlab   {ours[i]}\n  coco-caption {theirs[i]}")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
