"""Fills a folder with 1,000 files of every kind, as a folder of one's own may hold; prints which are pictures, as JSON.

    python mixed_pictures.py PHOTOGRAPHS FOLDER

PHOTOGRAPHS is a folder of JPEGs to make them of. Among them are a link to a picture and one to nothing; beside
them a hidden file and a folder that holds itself, which no one is to count.
"""
import json
import pathlib
import random
import struct
import sys
import zlib

from PIL import Image

FILES = 1000


def png(width, height, colour, rows):
    """A PNG whose header may say anything."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def turned(picture, path):
    exif = Image.Exif()
    exif[0x0112] = 6
    picture.save(path, exif=exif)


def edited(change):
    """Writes the JPEG and changes its bytes."""
    def write(picture, path):
        picture.save(path, "JPEG", quality=90)
        path.write_bytes(change(path.read_bytes()))
    return write


def raw(data):
    return lambda picture, path: path.write_bytes(data)


def converted(mode, **options):
    return lambda picture, path: picture.convert(mode).save(path, **options)


# What stands first is tried first: how many, suffix, whether a caption can be made, and how it is written.
KINDS = [
    (20, ".jpg", True, lambda p, path: p.save(path, progressive=True, quality=90)),
    (20, ".jpg", True, lambda p, path: p.save(path, quality=90, subsampling=0)),
    (20, ".jpeg", True, converted("L", quality=90)),
    (20, ".JPG", True, converted("CMYK", quality=90, format="JPEG")),
    (20, ".jpg", True, turned),
    (20, ".jpg", True, lambda p, path: p.resize((p.width * 2, p.height * 2)).save(path, quality=85)),
    (60, ".jpg", True, lambda p, path: p.resize((320, 240)).save(path, quality=90)),
    (20, ".jpg", True, lambda p, path: p.resize((480, 640)).save(path, quality=90, restart_marker_blocks=8)),
    (2, ".jpg", True, lambda p, path: p.resize((5000, 3750)).save(path, quality=80)),
    (4, ".jpg", True, lambda p, path: p.resize((1, 1)).save(path)),
    (4, ".png", True, lambda p, path: p.resize((3, 40)).save(path)),
    (20, ".png", True, converted("RGB")),
    (20, ".png", True, converted("RGBA")),
    (20, ".png", True, converted("LA")),
    (20, ".png", True, converted("P")),
    (10, ".png", True, converted("1")),
    (10, ".png", True, converted("I;16")),
    (20, ".gif", True, converted("P")),
    (20, ".webp", True, lambda p, path: p.save(path, quality=80)),
    (20, ".webp", True, lambda p, path: p.resize((320, 240)).save(path, lossless=True)),
    (10, ".jpg", True, lambda p, path: p.save(path, "PNG")),  # a wrong suffix
    (10, "", True, lambda p, path: p.save(path, "JPEG")),
    (20, ".txt", False, raw(b"these are words\n" * 40)),
    (10, ".jpg", False, raw(b"<!DOCTYPE html><html><title>404 Not Found</title></html>")),
    (10, ".jpg", False, raw(b"")),
    (5, ".jpg", False, raw(b"\xff")),
    (10, ".jpg", False, edited(lambda data: data[:len(data) // 2])),
    (5, ".jpg", False, edited(lambda data: data[:20])),
    (5, ".png", False, raw(png(60000, 60000, 2, b"")[:60])),
    (5, ".png", False, raw(png(60000, 60000, 2, b"\0" * 600))),
    (5, ".png", False, raw(png(8, 8, 2, b"\0" * 25 * 8)[:-20] + bytes(20))),
    (5, ".bmp", False, lambda p, path: p.resize((64, 64)).save(path)),
    (5, ".tiff", False, lambda p, path: p.resize((64, 64)).save(path)),
    (5, ".webp", False, lambda p, path: p.resize((64, 64)).save(path, save_all=True, append_images=[p.resize((64, 64)).rotate(90)])),
    (5, ".json", False, raw(b'{"a": 1}')),
    (5, ".zip", False, raw(b"PK\x03\x04" + bytes(500))),
    (5, ".jpg", False, raw(random.Random(1).randbytes(50_000))),
    (FILES, ".jpg", True, lambda p, path: p.save(path, quality=90)),  # the rest: photographs
]


def main(photographs, folder):
    sources, folder = sorted(pathlib.Path(photographs).iterdir()), pathlib.Path(folder)
    good, bad, kinds = [], [], [kind for kind in KINDS for _ in range(kind[0])][:FILES - 2]
    for i, (_, suffix, readable, write) in enumerate(kinds):
        i = i * 387 % FILES  # kinds stand side by side
        path = folder / ["", "a", "a/b", "c d"][i % 4] / f"{i:04d}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        with Image.open(sources[i % len(sources)]) as picture:
            write(picture.convert("RGB"), path)
        (good if readable else bad).append(str(path))
    (folder / ".hidden.jpg").write_bytes(b"hidden")
    (folder / "a" / "loop").symlink_to("..")
    for name, target, of in [("linked.jpg", good[0], good), ("nowhere.jpg", "nothing", bad)]:
        (folder / "a" / name).symlink_to(target)
        of.append(str(folder / "a" / name))
    return {"good": sorted(good), "bad": sorted(bad)}


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
