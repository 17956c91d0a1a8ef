"""Prints the fingerprint that TestFingerprint expects, made with Python's hashlib from the description of
datasets.Fingerprint alone: split, ids, captions and picture bytes in order, each after its length as a little-endian
64-bit integer."""
import hashlib
import struct

total = hashlib.sha256()


def write(text):
    data = text.encode()
    total.update(struct.pack("<Q", len(data)) + data)


for split, ids in ("train", "abc"), ("val", "de"), ("test", "f"):
    write(split)
    for i in ids:
        for text in (i, "one " + i, "two " + i, "picture of " + i):
            write(text)
print(total.hexdigest())
