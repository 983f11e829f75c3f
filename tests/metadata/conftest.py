"""Small pictures in every container, with the metadata that must survive."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from PIL import Image, ImageCms

from synthmark.labeling.model import AigcLabel

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
PACKET = f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="some tool">
 <rdf:RDF xmlns:rdf="{RDF}">
  <rdf:Description rdf:about="uuid:1" xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="4">
   <dc:subject><rdf:Bag><rdf:li>sea</rdf:li><rdf:li>a &amp; b</rdf:li></rdf:Bag>
   </dc:subject>
   <dc:title><rdf:Alt><rdf:li xml:lang="x-default">Sea</rdf:li>
     <rdf:li xml:lang="zh-CN">海</rdf:li></rdf:Alt></dc:title>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>{" " * 200}
<?xpacket end="w"?>"""


@pytest.fixture(scope="session")
def label() -> AigcLabel:
    return AigcLabel(
        label="1",
        content_producer="001191110102MACQD9K64010000",
        produce_id="0197-abc",
        reserved_code_1='{"SecurityData":{"Type":"TC260PG"}}',
        content_propagator="001191110102MACQD9K64010000",
        propagate_id="0197-abc",
    )


@pytest.fixture(scope="session")
def make_exif() -> Callable[..., bytes]:
    """Build an EXIF block with an orientation and text fields at chosen places."""

    def make(
        *,
        order: str = "<",
        main: dict[int, bytes] | None = None,
        sub: dict[int, bytes] | None = None,
    ) -> bytes:
        main, sub = main or {}, sub or {}
        head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
        sub_offset = 8 + 2 + 12 * (2 + len(main)) + 4
        heap_offset = sub_offset + 2 + 12 * len(sub) + 4
        heap = b""

        def directory(entries: list[bytes], texts: dict[int, bytes]) -> bytes:
            nonlocal heap
            for tag, text in texts.items():
                offset = heap_offset + len(heap)
                entries.append(struct.pack(order + "HHII", tag, 7, len(text), offset))
                heap += text
            count = struct.pack(order + "H", len(entries))
            return count + b"".join(entries) + bytes(4)

        orientation = struct.pack(order + "HHIHH", 0x0112, 3, 1, 6, 0)
        pointer = struct.pack(order + "HHII", 0x8769, 4, 1, sub_offset)
        first = directory([orientation, pointer], main)
        return head + first + directory([], sub) + heap

    return make


@pytest.fixture(scope="session")
def pictures(make_exif: Callable[..., bytes]) -> dict[str, bytes]:
    """One picture per kind of file, all with EXIF, ICC profile, DPI and XMP."""
    rng = np.random.default_rng(1)
    noise = rng.integers(0, 256, (18, 23, 4), dtype=np.uint8)
    rgba = Image.fromarray(noise)
    rgb = rgba.convert("RGB")
    rich = {
        "exif": b"Exif\0\0" + make_exif(),
        "icc_profile": ImageCms.ImageCmsProfile(
            ImageCms.createProfile("sRGB")
        ).tobytes(),
        "xmp": PACKET.encode(),
        "dpi": (300, 300),
    }

    def saved(picture: Image.Image, kind: str, **options: object) -> bytes:
        file = io.BytesIO()
        picture.save(file, kind, **options)
        return file.getvalue()

    moved = [rgb.rotate(angle) for angle in (90, 180)]
    large = np.tile(noise[..., :3], (2, 3, 1))  # the encoder takes nothing smaller
    info = {274: 6, 700: PACKET.encode(), 270: "prompt"}
    many = {"save_all": True, "append_images": moved, "duration": 70, "loop": 3}
    return {
        "gif": saved(rgb, "GIF"),
        "gif, animated": saved(rgb, "GIF", comment=b"the sea", disposal=2, **many),
        "apng, rich": saved(
            rgba, "PNG", default_image=True, pnginfo=_png_text(), **many, **rich
        ),
        "tiff": saved(rgba, "TIFF"),
        "tiff, pages, rich": saved(
            rgb, "TIFF", save_all=True, append_images=moved, tiffinfo=info, **rich
        ),
        "tiff, big": saved(rgb, "TIFF", big_tiff=True, compression="tiff_deflate"),
        "avif": saved(rgb, "AVIF", speed=10, max_threads=1),
        "avif, rich": saved(rgba, "AVIF", speed=10, max_threads=1, **rich),
        "avif, animated": saved(rgb, "AVIF", speed=10, max_threads=1, **many),
        "heic": heic(large),
        "heic, rich": heic(large, exif=rich["exif"], packet=rich["xmp"], late=True),
        "jpeg": saved(rgb, "JPEG"),
        "jpeg, rich": saved(rgb, "JPEG", progressive=True, quality=90, **rich),
        "png": saved(rgba, "PNG"),
        "png, rich": saved(rgb.quantize(16), "PNG", pnginfo=_png_text(), **rich),
        "webp, lossy": saved(rgb, "WEBP"),
        "webp, lossless": saved(rgb, "WEBP", lossless=True),
        "webp, lossless with alpha": saved(rgba, "WEBP", lossless=True, exact=True),
        "webp, lossy with alpha, rich": saved(rgba, "WEBP", **rich),
        "webp, animated, rich": saved(
            rgb, "WEBP", save_all=True, append_images=[rgb.rotate(180)], **rich
        ),
    }


def box(kind: bytes, *parts: bytes) -> bytes:
    """Return a box of an ISO base media file."""
    return struct.pack(">I4s", 8 + sum(map(len, parts)), kind) + b"".join(parts)


def item(number: int, kind: bytes, *texts: bytes) -> bytes:
    """Return the announcement of an item."""
    names = b"".join(text + b"\0" for text in (b"", *texts))
    return box(b"infe", struct.pack(">I2H4s", 2 << 24, number, 0, kind), names)


def heic(
    pixels: np.ndarray, *, exif: bytes = b"", packet: bytes = b"", late: bool = False
) -> bytes:
    """Make a HEIC file of one picture, `late` with its index behind the data."""
    configuration, data = _hevc(pixels)
    items, infos, references = {1: data}, [item(1, b"hvc1")], []
    if exif:
        items[2] = struct.pack(">I", 6) + exif
        infos.append(item(2, b"Exif"))
    if packet:
        items[3] = packet
        infos.append(item(3, b"mime", b"application/rdf+xml"))
    for number in items.keys() - {1}:
        references.append(box(b"cdsc", struct.pack(">3H", number, 1, 1)))
    height, width = pixels.shape[:2]
    properties = box(
        b"ipco",
        configuration,
        box(b"ispe", struct.pack(">3I", 0, width, height)),
        box(b"pixi", bytes([0, 0, 0, 0, 3, 8, 8, 8])),
    )
    used = box(b"ipma", struct.pack(">2IHB3B", 0, 1, 1, 3, 0x81, 2, 3))

    def index(start: int) -> bytes:
        places = struct.pack(">I2BH", 0, 0x44, 0, len(items))
        for number, content in items.items():
            places += struct.pack(">3H2I", number, 0, 1, start, len(content))
            start += len(content)
        return box(
            b"meta",
            bytes(4),
            box(b"hdlr", bytes(8), b"pict", bytes(13)),
            box(b"pitm", struct.pack(">IH", 0, 1)),
            box(b"iloc", places),
            box(b"iinf", struct.pack(">IH", 0, len(infos)), *infos),
            box(b"iref", bytes(4), *references) if references else b"",
            box(b"iprp", properties, used),
        )

    head = box(b"ftyp", b"heic", bytes(4), b"mif1heic")
    if late:
        return head + box(b"mdat", *items.values()) + index(len(head) + 8)
    start = len(head + index(0)) + 8
    return head + index(start) + box(b"mdat", *items.values())


def _hevc(pixels: np.ndarray) -> tuple[bytes, bytes]:
    """Return the configuration box and the data of one picture."""
    import av

    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as output:
        stream = output.add_stream("libx265", rate=1)
        stream.codec_tag = "hvc1"
        stream.height, stream.width = pixels.shape[:2]
        stream.pix_fmt = "yuv444p"
        stream.options = {
            "preset": "ultrafast",
            "x265-params": "log-level=none:pools=1:frame-threads=1",
        }
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), "rgb24")
        frame.pts, frame.time_base = 0, Fraction(1)
        for packet in [*stream.encode(frame), *stream.encode()]:
            packet.pts = packet.dts = 0
            output.mux(packet)
    content = file.getvalue()
    start = content.index(b"hvcC") - 4
    configuration = content[start : start + int.from_bytes(content[start : start + 4])]
    start = content.index(b"mdat") + 4
    return configuration, content[start : start - 8 + _size(content, start - 8)]


def _size(content: bytes, start: int) -> int:
    return int.from_bytes(content[start : start + 4])


def _png_text() -> object:
    from PIL.PngImagePlugin import PngInfo

    text = PngInfo()
    text.add_text("prompt", "the sea")
    text.add_itxt("XML:com.adobe.xmp", PACKET)
    return text
