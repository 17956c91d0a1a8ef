"""Prints the fingerprint that TestFingerprint expects, made with Python's hashlib from the description of
datasets.Fingerprint alone: split and number of examples; of each example id, number of captions, captions and picture
bytes, each string after its length; numbers as little-endian 64-bit integers."""
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
        for text in ("one " + i, "two " + i, "picture of " + i):
            write(text)
print(total.hexdigest())
