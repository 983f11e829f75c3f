"""Other programs' invisible marks behind one interface, and ours among them.

Each takes its defaults, hides as many bits as its package is made for, and carries
them raw: these programs have no detector and no error correction of their own, and
return some bits for every picture.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from synthmark import Key, Payload, detect_image, embed_image

__all__ = ["MARKS", "Mark"]

Pixels = NDArray[np.uint8]
Bits = NDArray[np.uint8]


class Mark(Protocol):
    """A way to hide bits in a picture."""

    size: int  # bits

    def embed(self, pixels: Pixels, bits: Bits) -> Pixels:
        """Return the marked picture."""

    def read(self, pixels: Pixels) -> Bits | None:
        """Return the bits, or nothing where the program finds nothing."""


class Synthmark:
    """The mark of this project, at its default strength."""

    size = 64

    def __init__(self) -> None:
        self.key = Key.from_bytes(bytes(range(32)))

    def embed(self, pixels: Pixels, bits: Bits) -> Pixels:
        number = int("".join(map(str, bits)), 2)
        return embed_image(pixels, Payload.from_int(number), self.key)

    def read(self, pixels: Pixels) -> Bits | None:
        payload = detect_image(pixels, self.key).payload
        if payload is None:
            return None
        return np.array([int(bit) for bit in f"{int(payload):064b}"], np.uint8)


class BlindWatermark:
    """blind-watermark: DWT, DCT and SVD of blocks, clustered when read."""

    size = 64

    def __init__(self) -> None:
        import blind_watermark

        blind_watermark.bw_notes.close()
        self.make = blind_watermark.WaterMark

    def embed(self, pixels: Pixels, bits: Bits) -> Pixels:
        writer = self.make()
        writer.read_img(img=_swap(pixels))
        writer.read_wm(bits.astype(bool), mode="bit")
        return _swap(np.clip(np.rint(writer.embed()), 0, 255).astype(np.uint8))

    def read(self, pixels: Pixels) -> Bits:
        soft = self.make().extract(
            embed_img=_swap(pixels), wm_shape=self.size, mode="bit"
        )
        return _bits(np.asarray(soft) > 0.5)


class InvisibleWatermark:
    """invisible-watermark by one of its methods."""

    size = 32

    def __init__(self, method: str) -> None:
        import imwatermark

        self.method = method
        self.make_writer = imwatermark.WatermarkEncoder
        self.make_reader = imwatermark.WatermarkDecoder
        if method == "rivaGan":
            _load_riva_gan(Path(imwatermark.__file__).parent)

    def embed(self, pixels: Pixels, bits: Bits) -> Pixels:
        writer = self.make_writer()
        writer.set_watermark("bits", bits.tolist())
        marked = np.asarray(writer.encode(_swap(pixels), self.method))
        return _swap(np.clip(marked, 0, 255).astype(np.uint8))

    def read(self, pixels: Pixels) -> Bits:
        found = self.make_reader("bits", self.size).decode(_swap(pixels), self.method)
        return _bits(np.asarray(found) > 0)


def _load_riva_gan(folder: Path) -> None:
    """Load the networks that the package brings along, on one thread."""
    import onnxruntime
    from imwatermark.rivaGan import RivaWatermark

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    for part in ("encoder", "decoder"):
        session = onnxruntime.InferenceSession(folder / f"rivagan_{part}.onnx", options)
        setattr(RivaWatermark, part, session)


def _bits(ones: NDArray[np.bool_]) -> Bits:
    return ones.astype(np.uint8)


def _swap(pixels: Pixels) -> Pixels:
    """Swap red and blue: these packages take pictures as OpenCV does."""
    return np.ascontiguousarray(pixels[..., ::-1])


MARKS: dict[str, Callable[[], Mark]] = {
    "synthmark": Synthmark,
    "blind-watermark": BlindWatermark,
    **{
        f"invisible-watermark {method}": partial(InvisibleWatermark, method)
        for method in ("dwtDct", "dwtDctSvd", "rivaGan")
    },
}
