"""Small pictures in every container, with the metadata that must survive."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable

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

    return {
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


def _png_text() -> object:
    from PIL.PngImagePlugin import PngInfo

    text = PngInfo()
    text.add_text("prompt", "the sea")
    text.add_itxt("XML:com.adobe.xmp", PACKET)
    return text
