"""Fills a folder with 1,000 files of every kind that users may have. Prints as JSON which are readable images.

    python mixed_images.py SOURCES FOLDER

SOURCES is a folder of JPEGs from which the images are made. The files include a link to an image and a dangling link.
The folder also holds a hidden file and a link to itself, which do not count.
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
    """Builds a PNG whose header need not match its rows."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows))
            + chunk(b"IEND", b""))


def rotated(image, path):
    """Writes a JPEG whose EXIF orientation asks for a rotation."""
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(path, exif=exif)


def edited(change):
    """Writes a JPEG and changes its bytes."""
    def write(image, path):
        image.save(path, "JPEG", quality=90)
        path.write_bytes(change(path.read_bytes()))
    return write


def raw(data):
    return lambda image, path: path.write_bytes(data)


def converted(mode, **options):
    return lambda image, path: image.convert(mode).save(path, **options)


def animated(image, path):
    frames = [image.resize((64, 64)), image.resize((64, 64)).rotate(90)]
    frames[0].save(path, save_all=True, append_images=frames[1:])


# The kinds of files, in order: number, suffix, whether captionlab can caption it, and the function that writes it.
KINDS = [
    (20, ".jpg", True, lambda p, path: p.save(path, progressive=True, quality=90)),
    (20, ".jpg", True, lambda p, path: p.save(path, quality=90, subsampling=0)),
    (20, ".jpeg", True, converted("L", quality=90)),
    (20, ".JPG", True, converted("CMYK", quality=90, format="JPEG")),
    (20, ".jpg", True, rotated),
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
    (5, ".webp", True, animated),
    (5, ".json", False, raw(b'{"a": 1}')),
    (5, ".zip", False, raw(b"PK\x03\x04" + bytes(500))),
    (5, ".jpg", False, raw(random.Random(1).randbytes(50_000))),
    (FILES, ".jpg", True, lambda p, path: p.save(path, quality=90)),  # the remaining files
]


def main(sources, folder):
    sources, folder = sorted(pathlib.Path(sources).iterdir()), pathlib.Path(folder)
    good, bad, kinds = [], [], [kind for kind in KINDS for _ in range(kind[0])][:FILES - 2]
    for i, (_, suffix, readable, write) in enumerate(kinds):
        i = i * 387 % FILES  # mixes the kinds
        path = folder / ["", "a", "a/b", "c d"][i % 4] / f"{i:04d}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        with Image.open(sources[i % len(sources)]) as image:
            write(image.convert("RGB"), path)
        (good if readable else bad).append(str(path))
    (folder / ".hidden.jpg").write_bytes(b"hidden")
    (folder / "a" / "loop").symlink_to("..")
    for name, target, of in [("linked.jpg", good[0], good), ("nowhere.jpg", "nothing", bad)]:
        (folder / "a" / name).symlink_to(target)
        of.append(str(folder / "a" / name))
    return {"good": sorted(good), "bad": sorted(bad)}


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
