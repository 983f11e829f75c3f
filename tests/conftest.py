"""A home for each test, pictures, files labeled once, and the command line."""

from __future__ import annotations

import io
import json
import math
import os
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

# Before numpy is loaded: threads that wait for each other make small matrix products
# slow on a machine with other work.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import cv2
import numpy as np
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import settings
from numpy.typing import NDArray
from PIL import Image

from synthmark import Detector, Home, Labeler, LabelResult, Report

# A busy machine is not a slow program; a build server tries the same examples always.
settings.register_profile(
    "synthmark", deadline=None, derandomize=bool(os.environ.get("CI"))
)
settings.load_profile("synthmark")

Pixels = NDArray[np.uint8]

SETTINGS = (
    "LC_ALL",
    "PGPASSWORD",
    "PYTHONIOENCODING",
    "PYTHONUNBUFFERED",
    "SYNTHMARK_ISSUER",
    "SYNTHMARK_PRODUCER",
    "SYNTHMARK_PROPAGATOR",
    "SYNTHMARK_RECORDS",
    "SYNTHMARK_RETENTION",
    "SYNTHMARK_TSA",
)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home that nobody has used yet, and an English-speaking user."""
    path = tmp_path / "home"
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SYNTHMARK_HOME", str(path))
    monkeypatch.setenv("LANG", "en_US.UTF-8")
    return path


def scene(height: int = 256, width: int = 320, seed: int = 0) -> Pixels:
    """Return a picture with soft areas, edges and grain, the same for the same seed."""
    noise = np.random.default_rng(seed).normal(0, 1, (height, width, 3))
    layers = ((1, 6), (6, 10), (30, 20))
    total = sum(2 * gain * s * cv2.GaussianBlur(noise, (0, 0), s) for s, gain in layers)
    return np.clip(128 + total, 0, 255).astype(np.uint8)


def voice(seconds: float = 6, rate: int = 24_000, seed: int = 3) -> NDArray[np.int16]:
    """Something like speech: syllables of harmonics with moving formants, in noise."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * rate)) / rate
    pitch = 130 + 25 * np.sin(2 * np.pi * 0.6 * time) + 8 * np.sin(9 * time)
    phase = 2 * np.pi * np.cumsum(pitch) / rate
    formants = 700 + 400 * np.sin(3.1 * time), 1700 + 700 * np.sin(2.3 * time + 1)
    sound = np.zeros_like(time)
    for number in range(1, 30):
        tone = number * pitch
        gain = sum(np.exp(-(((tone - f) / 260) ** 2)) for f in formants) + 0.02
        sound += gain * np.sin(number * phase) * (tone < 0.45 * rate)
    syllables = np.clip(np.sin(2 * np.pi * 2.7 * time) + 0.6, 0, 1)
    sound = syllables * sound + 0.03 * rng.normal(size=len(time))
    return np.asarray(8000 * sound / np.abs(sound).max(), np.int16)


def film(
    height: int = 180,
    width: int = 320,
    rate: int = 12,
    seconds: float = 2.0,
    seed: int = 0,
    speed: float = 8.0,
    contrast: float = 1.0,
) -> list[Pixels]:
    """Return gray frames of a view over hills and grain that passes by slowly.

    `speed` is in pixels a second, `contrast` relative to that of an ordinary picture.
    """
    rng = np.random.default_rng(seed)
    count = max(1, round(rate * seconds))
    rows, columns = height + 8, width + 8 + math.ceil(speed * seconds)
    view = np.zeros((rows, columns), np.float32)
    step, level = 3, 4.0
    while step < 2 * min(height, width):
        coarse = rng.normal(0, level, (rows // step + 2, columns // step + 2))
        view += cv2.resize(
            coarse.astype(np.float32), (columns, rows), interpolation=cv2.INTER_CUBIC
        )
        step, level = 2 * step, 1.35 * level
    frames = []
    for index in range(count):
        x = speed * index / rate
        move = np.array([[1, 0, x], [0, 1, 0.2 * x % 8]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        part = cv2.warpAffine(view, move, (width, height), flags=flags)
        frames.append(np.clip(np.rint(120 + contrast * part), 0, 255).astype(np.uint8))
    return frames


def filmed(
    path: Path,
    frames: Sequence[Pixels],
    rate: int = 12,
    *,
    encoder: str = "libx264",
    sound: NDArray[np.int16] | None = None,
    interlaced: bool = False,
    **options: str,
) -> Path:
    """Write gray or RGB frames into a video, with a sound at 24 kHz."""
    import av

    if encoder == "libx264":
        options = {"preset": "veryfast", "crf": "18", **options}
    height, width = (size // 2 * 2 for size in frames[0].shape[:2])
    kind = {"mkv": "matroska"}.get(path.suffix[1:], path.suffix[1:])
    with av.open(str(path), "w", format=kind) as file:
        stream: Any = file.add_stream(encoder, rate=rate, options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        if interlaced:
            stream.codec_context.flags |= av.codec.context.Flags.interlaced_dct
        track: Any = None if sound is None else file.add_stream("aac", rate=24_000)
        if sound is not None:
            block: Any = av.AudioFrame.from_ndarray(sound[None], "s16", "mono")
            block.sample_rate = 24_000
            file.mux(track.encode(block))
            file.mux(track.encode(None))
        for index, frame in enumerate(frames):
            part = np.ascontiguousarray(frame[:height, :width])
            shown = av.VideoFrame.from_ndarray(
                part, "gray" if part.ndim == 2 else "rgb24"
            )
            shown = shown.reformat(format="yuv420p")
            shown.pts = index
            file.mux(stream.encode(shown))
        file.mux(stream.encode(None))
    return path


def saved(picture: Pixels | Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    """Return a picture as a file."""
    file = io.BytesIO()
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    image.save(file, kind, **options)
    return file.getvalue()


@pytest.fixture(scope="session")
def make_scene() -> Callable[..., Pixels]:
    return scene


@pytest.fixture(scope="session")
def make_voice() -> Callable[..., NDArray[np.int16]]:
    return voice


# Where an MP4 file describes its pictures.
EQUIRECTANGULAR = b"equi", (0, 0, 0, 0)
WAY = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"avc1")


def spherical(
    path: Path,
    *,
    yaw_deg: float = 0,
    pitch_deg: float = 0,
    roll_deg: float = 0,
    projection: tuple[bytes, tuple[int, ...]] = EQUIRECTANGULAR,
    eyes: int | None = None,
) -> Path:
    """Tell in an MP4 file with its index at the end how its frames lie on a sphere.

    `eyes` is the mode of the box ``st3d``, 0 for one eye, 1 for one above the other.
    """
    angles = (round(angle * 65536) for angle in (yaw_deg, pitch_deg, roll_deg))
    kind, numbers = projection
    shape = struct.pack(f">{len(numbers)}I", *numbers)
    pose = box_of(b"prhd", bytes(4) + struct.pack(">3i", *angles))
    mapping = box_of(b"proj", pose + box_of(kind, bytes(4) + shape))
    told = box_of(b"sv3d", box_of(b"svhd", bytes(4) + b"test\0") + mapping)
    if eyes is not None:
        told = box_of(b"st3d", bytes([0, 0, 0, 0, eyes])) + told
    path.write_bytes(put_told(path.read_bytes(), told))
    return path


def box_of(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(body), kind) + body


def put_told(content: bytes, told: bytes) -> bytes:
    """Put a box at the end of the description of the pictures."""
    at, ways = 0, []
    for kind in WAY:
        while content[at + 4 : at + 8] != kind:
            at += struct.unpack_from(">I", content, at)[0]
        ways.append(at)
        end = at + struct.unpack_from(">I", content, at)[0]
        at += 16 if kind == b"stsd" else 8
    new = bytearray(content[:end] + told + content[end:])
    for place in ways:
        size = struct.unpack_from(">I", new, place)[0]
        struct.pack_into(">I", new, place, size + len(told))
    return bytes(new)


@pytest.fixture(scope="session")
def make_spherical() -> Callable[..., Path]:
    return spherical


@pytest.fixture(scope="session")
def make_film() -> Callable[..., list[Pixels]]:
    return film


@pytest.fixture(scope="session")
def save_film() -> Callable[..., Path]:
    return filmed


@pytest.fixture(scope="session")
def save() -> Callable[..., bytes]:
    return saved


@dataclass(frozen=True)
class Studio:
    """A home with files that were labeled in it, for reading only."""

    home: Home
    labeler: Labeler
    detector: Detector
    original: bytes
    png: LabelResult
    jpeg: LabelResult
    webp: LabelResult

    def detect(self, content: Any) -> Report:
        return self.detector.detect(content)


@pytest.fixture(scope="session")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    home = Home(tmp_path_factory.mktemp("studio") / "home")
    labeler = home.labeler()
    original = saved(scene())
    png, jpeg, webp = (
        labeler.label(original, media_format=kind) for kind in ("png", "jpeg", "webp")
    )
    return Studio(home, labeler, home.detector(), original, png, jpeg, webp)


@dataclass(frozen=True)
class Ran:
    """How a command ended, and what it said."""

    code: int
    raw: bytes
    err: str

    @property
    def out(self) -> str:
        return self.raw.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.raw)


class Commands:
    """The command line, each command in a process of its own.

    Where processes can be forked, they come from one that has loaded everything.
    """

    def __init__(self, folder: Path) -> None:
        self.files = [str(folder / name) for name in ("stdin", "stdout", "stderr")]
        self.server: Any = None
        if hasattr(os, "fork"):
            script = Path(__file__).with_name("forks.py")
            self.server = subprocess.Popen(
                [sys.executable, str(script)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )

    def start(self, *args: object, stdin: bytes = b"", cwd: Path | None = None) -> int:
        """Start a command and return the number of its process."""
        for path, content in zip(self.files, (stdin, b"", b""), strict=True):
            Path(path).write_bytes(content)
        request = ([str(arg) for arg in args], str(cwd or "/"), dict(os.environ))
        print(json.dumps([*request, self.files]), file=self.server.stdin, flush=True)
        return int(self.server.stdout.readline())

    def wait(self) -> Ran:
        """Return how the started command ended."""
        return self._ran(int(self.server.stdout.readline()))

    def __call__(
        self, *args: object, stdin: bytes = b"", cwd: Path | None = None
    ) -> Ran:
        """Run a command from start to end."""
        if self.server is not None:
            self.start(*args, stdin=stdin, cwd=cwd)
            return self.wait()
        command = [sys.executable, "-m", "synthmark", *map(str, args)]
        done = subprocess.run(
            command, input=stdin, cwd=cwd, capture_output=True, check=False
        )
        return Ran(done.returncode, done.stdout, done.stderr.decode())

    def _ran(self, code: int) -> Ran:
        out, err = (Path(path).read_bytes() for path in self.files[1:])
        return Ran(code, out, err.decode())

    def close(self) -> None:
        if self.server is not None:
            self.server.communicate()


@pytest.fixture(scope="session")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Commands]:
    made = Commands(tmp_path_factory.mktemp("commands"))
    yield made
    made.close()


@pytest.fixture
def run(commands: Commands, tmp_path: Path) -> Callable[..., Ran]:
    """Run a command in the test's folder; no command may ever show a traceback."""

    def run(*args: object, stdin: bytes = b"") -> Ran:
        ran = commands(*args, stdin=stdin, cwd=tmp_path)
        assert "Traceback" not in ran.err, ran.err
        return ran

    return run


def edited(content: bytes, name: bytes, edit: Callable[[bytes], bytes]) -> bytes:
    """Change what one kind of chunk of a PNG file holds, and nothing else."""
    parts, start = [content[:8]], 8
    while start < len(content):
        size = int.from_bytes(content[start : start + 4])
        kind, data = content[start + 4 : start + 8], content[start + 8 :][:size]
        data = edit(data) if kind == name else data
        body = kind + data
        parts += [len(data).to_bytes(4), body, zlib.crc32(body).to_bytes(4)]
        start += size + 12
    return b"".join(parts)


@pytest.fixture(scope="session")
def edit_png() -> Callable[..., bytes]:
    return edited


@pytest.fixture
def expired(tmp_path: Path) -> tuple[Path, Path]:
    """PEM files of a certificate of yesterday, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Yesterday")])
    now = datetime.now(UTC)
    purposes = x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.EMAIL_PROTECTION])
    usage = x509.KeyUsage(True, *[False] * 8)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=2))
        .not_valid_after(now - timedelta(days=1))
        .add_extension(purposes, critical=False)
        .add_extension(usage, critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    chain, secret = tmp_path / "old.pem", tmp_path / "old-key.pem"
    chain.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return chain, secret
