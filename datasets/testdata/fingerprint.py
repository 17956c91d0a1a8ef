"""Prints the fingerprint that TestFingerprint expects. Follows only the description of datasets.Fingerprint: each split
with its number of examples; for each example the id, the number of captions, the captions and the image bytes. Strings are
preceded by their length; numbers are little-endian 64-bit integers."""
import hashlib
import struct

total = hashlib.sha256()


def count(n):
    total.update(struct.pack("<Q", n))


def write(text):
    data = text.encode()
    count(len(data))
    total.update(data)


for split, ids in ("train", "abc"), ("val", "de"), ("test", "f"):
    write(split)
    count(len(ids))
    for i in ids:
        write(i)
        count(2)
        for text in ("one " + i, "two " + i, "image of " + i):
            write(text)
print(total.hexdigest())
