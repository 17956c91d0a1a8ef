"""Writes image_goldens.json: tiny images in every kind of file, and the RGB bytes that Pillow 13.0.0 (libjpeg-turbo
3.2.0, libwebp 1.6.0) decodes with Image.open(...).convert("RGB"). Run it in this folder:

    python make_image_goldens.py

Each entry holds the file and the RGB bytes in base64. The script draws the images.
"""
import base64
import io
import json
import struct
import zlib

import numpy
import PIL
from PIL import Image

WIDTH, HEIGHT = 13, 9


def drawn(channels, top=255):
    """Smooth waves, different ones in every channel, and a hard edge."""
    y, x = numpy.mgrid[0:HEIGHT, 0:WIDTH]
    planes = [top / 2 * (1 + numpy.sin(x / (2.0 + c) + c) * numpy.cos(y / (3.0 - c / 2))) for c in range(channels)]
    image = numpy.stack(planes, 2).astype("uint16" if top > 255 else "uint8")
    image[2:5, 6:10] = [top, top // 9, top // 3, top // 2][:channels]
    image[0, 0] = 0
    return image


def saved(image, kind, **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def png(image, colour_type, *chunks):
    """A PNG with 16 bits per channel, which Pillow does not write for colours."""

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in image)
    head = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 16, colour_type, 0, 0, 0)
    middle = b"".join(chunk(name, data) for name, data in chunks)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + middle + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def files():
    rgb, rgba = Image.fromarray(drawn(3)), Image.fromarray(drawn(4))
    gray = Image.fromarray(drawn(1)[:, :, 0])
    gray_alpha = Image.merge("LA", rgba.split()[1:3])
    palette = rgb.quantize(16, dither=Image.Dither.NONE)
    cmyk = Image.frombytes("CMYK", (WIDTH, HEIGHT), drawn(4).tobytes())

    yield "gray.jpg", saved(gray, "jpeg", quality=95)
    yield "420.jpg", saved(rgb, "jpeg", quality=95, subsampling="4:2:0")
    yield "422.jpg", saved(rgb, "jpeg", quality=95, subsampling="4:2:2")
    yield "444.jpg", saved(rgb, "jpeg", quality=95, subsampling="4:4:4")
    yield "progressive.jpg", saved(rgb, "jpeg", quality=95, progressive=True)
    yield "stored-as-rgb.jpg", saved(rgb, "jpeg", quality=95, keep_rgb=True)
    four = saved(cmyk, "jpeg", quality=95)
    yield "cmyk.jpg", four
    adobe = four.index(b"Adobe")
    yield "ycck.jpg", four[: adobe + 11] + b"\2" + four[adobe + 12 :]  # the same bytes, labelled as YCCK
    exif = Image.Exif()
    exif[0x0112] = 6  # "rotate by 90 degrees"
    yield "exif-rotated.jpg", saved(rgb, "jpeg", quality=95, exif=exif)

    yield "gray.png", saved(gray, "png")
    yield "gray-1-bit.png", saved(gray.convert("1"), "png")
    yield "gray-transparent.png", saved(gray, "png", transparency=int(drawn(1)[4, 7, 0]))
    yield "gray-alpha.png", saved(gray_alpha, "png")
    yield "rgb.png", saved(rgb, "png")
    yield "rgb-transparent.png", saved(rgb, "png", transparency=tuple(int(v) for v in drawn(3)[3, 7]))
    yield "rgba.png", saved(rgba, "png")
    yield "palette.png", saved(palette, "png")
    yield "palette-transparent.png", saved(palette, "png", transparency=bytes(range(0, 256, 16)))
    yield "gray-16-bit.png", png(drawn(1, 65535), 0)
    yield "gray-alpha-16-bit.png", png(drawn(2, 65535), 4)
    yield "rgb-16-bit.png", png(drawn(3, 65535), 2)
    edge = struct.pack(">HHH", 65535, 65535 // 9, 65535 // 3)
    yield "rgb-16-bit-transparent.png", png(drawn(3, 65535), 2, (b"tRNS", edge))
    yield "rgba-16-bit.png", png(drawn(4, 65535), 6)

    whole = saved(palette, "gif")
    yield "palette.gif", whole
    frame = whole.index(b",\0\0\0\0" + struct.pack("<HH", WIDTH, HEIGHT))
    shifted = bytearray(whole)
    shifted[6:10] = struct.pack("<HH", WIDTH + 3, HEIGHT + 2)  # a larger screen, the frame at (2, 1)
    shifted[frame + 1 : frame + 5] = struct.pack("<HH", 2, 1)
    yield "small-frame.gif", bytes(shifted)
    yield "transparent.gif", saved(palette, "gif", transparency=3)

    yield "lossy.webp", saved(rgb, "webp", quality=90)
    yield "lossy-alpha.webp", saved(rgba, "webp", quality=90, exact=True)
    yield "lossless.webp", saved(rgb, "webp", lossless=True)
    yield "lossless-alpha.webp", saved(rgba, "webp", lossless=True, exact=True)
    yield "lossless-exif.webp", saved(rgb, "webp", lossless=True, exif=exif)
    yield "animated.webp", saved(rgb, "webp", save_all=True, append_images=[rgb.rotate(180)], quality=90)


def main():
    images = {}
    for name, data in files():
        image = Image.open(io.BytesIO(data))
        mode = image.mode
        image = image.convert("RGB")
        images[name] = {
            "mode": mode, "width": image.width, "height": image.height,
            "file": base64.b64encode(data).decode(), "rgb": base64.b64encode(image.tobytes()).decode(),
        }
    with open("image_goldens.json", "w") as out:
        json.dump({"made_with": {"pillow": PIL.__version__}, "pictures": images}, out, indent=0)
        out.write("\n")


main()
