"""Feed every reader with damaged files, and see that nothing worse than an error comes.

Run it from a checkout: ``python bench/fuzz.py --minutes 10``. For each format a labeled
file is made from the samples and damaged at random: bits, bytes, lengths, blocks taken
out, doubled, exchanged with another file's, and ends cut off. A reader may raise the
errors of the package; another exception, a crash of the process, five seconds without
an answer or a gigabyte of memory is a failure, and its file is kept. Ends with 1 when
there is one.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import resource
import signal
import sys
import time
import traceback
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import command
from report import table

from synthmark.labeling.errors import SynthmarkError
from synthmark.labeling.home import Home

__all__ = ["READERS", "damaged", "main", "read"]

SAMPLES = Path(__file__).resolve().parent.parent / "samples"
HANG_S = 5
MEMORY_BYTES = 1 << 30
PICTURES = ("jpg", "png", "webp", "gif", "tif", "avif", "svg")
SOUNDS = ("wav", "flac", "mp3", "m4a", "ogg", "opus", "aiff")
VIDEOS = ("mp4", "mov", "mkv", "webm", "avi", "flv")
DOCUMENTS = ("txt", "md", "html", "docx", "xlsx", "pptx", "epub", "pdf")
READERS = (*PICTURES, *SOUNDS, *VIDEOS, *DOCUMENTS)
_BOOK = {
    "mimetype": "application/epub+zip",
    "META-INF/container.xml": '<container version="1.0" xmlns="urn:oasis:names:tc:'
    'opendocument:xmlns:container"><rootfiles><rootfile full-path="a.opf" media-type='
    '"application/oebps-package+xml"/></rootfiles></container>',
    "a.opf": '<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-'
    'identifier="i"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:'
    'identifier id="i">1</dc:identifier><dc:title>a</dc:title><dc:language>en</dc:'
    'language></metadata><manifest><item id="p" href="p.xhtml" media-type='
    '"application/xhtml+xml"/></manifest><spine><itemref idref="p"/></spine></package>',
    "p.xhtml": '<html xmlns="http://www.w3.org/1999/xhtml"><head><title>a</title>'
    "</head><body><p>It rains.</p></body></html>",
}
EDGES = (0, 1, 2, 7, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add = parser.add_argument
    add("--minutes", type=float, default=1.0, help="for each reader, default: 1")
    add("--readers", nargs="*", choices=READERS, default=READERS, help="default: all")
    add("--seed", type=int, default=0, help="of what is damaged")
    add("--keep", type=Path, default=Path("fuzz"), help="folder of what fails")
    options = parser.parse_args(arguments)
    rows, failed = [], False
    with TemporaryDirectory() as folder:
        made = {
            suffix: path
            for suffix in READERS
            if (path := seed(suffix, Path(folder))) is not None
        }
        for suffix in options.readers:
            if suffix not in made:
                rows.append([suffix, "no file to begin with", "", "", ""])
                continue
            command.progress(suffix)
            told = session(suffix, made, options)
            failed = failed or bool(told["failures"])
            rows.append(
                [
                    suffix,
                    str(told["count"]),
                    str(len(told["failures"])),
                    f"{told['slowest_s']:.2f} s",
                    f"{told['memory_mb']} MB",
                ]
            )
    command.progress()
    print(table(["reader", "files", "failures", "slowest", "memory"], rows))
    return int(failed)


def seed(suffix: str, folder: Path) -> Path | None:
    """Label a small file of a format; None where it cannot be made here."""
    home = Home(folder / "home")
    source = folder / f"source.{suffix}"
    target = folder / f"labeled.{suffix}"
    try:
        _write_source(source)
        home.labeler().label(source, target)
    except (SynthmarkError, ImportError, OSError) as error:
        print(f"{suffix}: {error}", file=sys.stderr)
        return None
    return target


def session(suffix: str, made: dict[str, Path], options: Any) -> dict[str, Any]:
    """Read damaged files in a process of its own until the time is over."""
    told: dict[str, Any] = {"count": 0, "failures": [], "slowest_s": 0.0}
    told["memory_mb"] = 0
    end = time.monotonic() + 60 * options.minutes
    number = 0
    while time.monotonic() < end:
        ours, theirs = multiprocessing.Pipe(duplex=False)
        left = end - time.monotonic()
        worker = multiprocessing.get_context("spawn").Process(
            target=_work, args=(theirs, suffix, made, options, number, left)
        )
        worker.start()
        theirs.close()
        last: dict[str, Any] | None = None
        while True:
            try:
                if not ours.poll(2 * HANG_S):
                    worker.kill()
                    break
                last = ours.recv()
            except EOFError:
                break
            number = last["number"] + 1
            told["slowest_s"] = max(told["slowest_s"], last["seconds"])
            told["memory_mb"] = max(told["memory_mb"], last["memory_mb"])
            if last["problem"]:
                told["failures"].append(last["problem"])
        worker.join()
        told["count"] = number
        if worker.exitcode != 0:
            told["failures"].append(f"file {number}: ended by {worker.exitcode}")
            _keep(suffix, made, options, number)
            number += 1
    for one in dict.fromkeys(told["failures"]):
        print(f"{suffix}: {one}", file=sys.stderr)
    return told


def read(suffix: str, path: Path) -> None:
    """Read field and manifest of a file, whatever it is."""
    from synthmark.labeling.media.document import open_document
    from synthmark.labeling.metadata import image, stream
    from synthmark.labeling.provenance import manifest
    from synthmark.labeling.provenance.text import read_text

    content = path.read_bytes()
    if suffix in PICTURES:
        image.read(content)
    elif suffix in DOCUMENTS:
        document = open_document(content, suffix)
        document.parts()
        document.fields("AIGC")
        read_text(content)
    else:
        stream.read(path)
    manifest.read(path)


def damaged(content: bytes, other: bytes, choice: random.Random) -> bytes:
    """Return a file with one to eight things wrong in it."""
    data = bytearray(content)
    for _ in range(choice.randint(1, 8)):
        choice.choice(_DAMAGES)(data, other, choice)
        if not data:
            break
    return bytes(data)


def _flip(data: bytearray, _: bytes, choice: random.Random) -> None:
    data[choice.randrange(len(data))] ^= 1 << choice.randrange(8)


def _edge(data: bytearray, _: bytes, choice: random.Random) -> None:
    """Write a number at the border of what fits, in any width and order."""
    width = choice.choice((1, 2, 4, 8))
    value = choice.choice(EDGES) & ((1 << 8 * width) - 1)
    order: Any = choice.choice(("big", "little"))
    place = choice.randrange(len(data))
    data[place : place + width] = value.to_bytes(width, order)


def _cut(data: bytearray, _: bytes, choice: random.Random) -> None:
    del data[choice.randrange(len(data)) :]


def _lose(data: bytearray, _: bytes, choice: random.Random) -> None:
    place = choice.randrange(len(data))
    del data[place : place + choice.choice((1, 2, 4, 16, 256, 4096))]


def _double(data: bytearray, _: bytes, choice: random.Random) -> None:
    place = choice.randrange(len(data))
    part = data[place : place + choice.choice((1, 4, 16, 256, 4096))]
    data[place:place] = part * choice.choice((1, 1, 2, 64))


def _splice(data: bytearray, other: bytes, choice: random.Random) -> None:
    start = choice.randrange(len(other))
    part = other[start : start + choice.choice((4, 16, 256, 4096))]
    place = choice.randrange(len(data))
    data[place : place + choice.choice((0, len(part)))] = part


_DAMAGES: tuple[Callable[[bytearray, bytes, random.Random], None], ...]
_DAMAGES = (_flip, _flip, _edge, _edge, _cut, _lose, _double, _splice)


def _work(
    pipe: Any,
    suffix: str,
    made: dict[str, Path],
    options: Any,
    number: int,
    seconds: float,
) -> None:
    """Read one file after the other and report each; what hangs is interrupted."""
    signal.signal(signal.SIGALRM, _hang)
    end = time.monotonic() + seconds
    place = made[suffix].with_name("damaged")
    while time.monotonic() < end:
        place.write_bytes(_case(suffix, made, options.seed, number))
        begun, problem = time.monotonic(), ""
        try:
            signal.alarm(HANG_S)
            read(suffix, place)
        except SynthmarkError:
            pass
        except BaseException as error:
            lines = traceback.extract_tb(error.__traceback__)
            where = f"{Path(lines[-1].filename).name}:{lines[-1].lineno}"
            problem = f"{type(error).__name__} at {where}: {error}"
            _keep(suffix, made, options, number)
        finally:
            signal.alarm(0)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
        if peak > MEMORY_BYTES:
            problem = problem or f"{peak >> 20} MB of memory"
            _keep(suffix, made, options, number)
        pipe.send(
            {
                "number": number,
                "problem": problem,
                "seconds": time.monotonic() - begun,
                "memory_mb": peak >> 20,
            }
        )
        number += 1


def _hang(*_: Any) -> None:
    raise TimeoutError(f"no answer within {HANG_S} s")


def _case(suffix: str, made: dict[str, Path], seed: int, number: int) -> bytes:
    """Return a damaged file by its number, the same each time."""
    choice = random.Random(f"{seed} {suffix} {number}")
    other = choice.choice(sorted(made))
    return damaged(made[suffix].read_bytes(), made[other].read_bytes(), choice)


def _keep(suffix: str, made: dict[str, Path], options: Any, number: int) -> None:
    options.keep.mkdir(parents=True, exist_ok=True)
    content = _case(suffix, made, options.seed, number)
    (options.keep / f"{options.seed}-{number}.{suffix}").write_bytes(content)


def _write_source(path: Path) -> None:
    """Write a small file of a format, without a label."""
    suffix = path.suffix[1:]
    if suffix in ("txt", "md"):
        path.write_text("# Weather\n\nIt will be fine tomorrow.\n", "utf-8")
    elif suffix == "html":
        path.write_text("<!DOCTYPE html><title>a</title><p>It rains.", "utf-8")
    elif suffix == "svg":
        path.write_text(
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 90 60">'
            '<circle r="9"/></svg>',
            "utf-8",
        )
    elif suffix in PICTURES:
        _write_picture(path)
    elif suffix in SOUNDS or suffix in VIDEOS:
        _write_stream(path)
    else:
        _write_package(path)


def _write_picture(path: Path) -> None:
    from PIL import Image

    with Image.open(SAMPLES / "scene.jpg") as scene:
        frames = [scene.convert("RGB").resize((160, 120)).rotate(i) for i in (0, 3)]
    more: dict[str, Any] = {}
    if path.suffix == ".gif":
        more = {"save_all": True, "append_images": frames[1:]}
    frames[0].save(path, **more)


def _write_stream(path: Path) -> None:
    """Write two seconds of the sample of a sound or video."""
    from synthmark.labeling.media import audio, video

    if path.suffix[1:] in SOUNDS:
        source = SAMPLES / "speech.flac"
        sound = audio.describe(source)
        blocks = (block[: sound.rate_hz] for block in audio.blocks(source, sound))
        audio.write(path, [next(blocks)], sound, format=path.suffix[1:], source=source)
        return
    source = SAMPLES / "clip.mp4"
    if path.suffix in (".webm", ".avi"):
        _write_frames(path)
        return
    clip = video.describe(source)
    video.write(path, source, clip, lambda _: None, format=path.suffix[1:])


def _write_frames(path: Path) -> None:
    """Write one second of moving noise."""
    import av
    import numpy as np

    noise = np.random.default_rng(0).integers(0, 256, (200, 240, 3), np.uint8)
    codec = "libvpx-vp9" if path.suffix == ".webm" else "mpeg4"
    with av.open(str(path), "w") as file:
        stream: Any = file.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = 160, 144, "yuv420p"
        for step in range(25):
            part = np.ascontiguousarray(noise[step : step + 144, :160])
            file.mux(stream.encode(av.VideoFrame.from_ndarray(part, format="rgb24")))
        file.mux(stream.encode(None))


def _write_package(path: Path) -> None:
    if path.suffix == ".docx":
        import docx

        document = docx.Document()
        document.add_paragraph("It will be fine tomorrow.")
        document.save(str(path))
    elif path.suffix == ".xlsx":
        import openpyxl

        book = openpyxl.Workbook()
        book.active["A1"] = "It will be fine tomorrow."
        book.save(path)
    elif path.suffix == ".pptx":
        import pptx

        slides = pptx.Presentation()
        slides.slides.add_slide(slides.slide_layouts[0])
        slides.save(str(path))
    elif path.suffix == ".pdf":
        import pikepdf

        with pikepdf.new() as pdf:
            pdf.add_blank_page(page_size=(300, 300))
            pdf.save(path)
    else:
        with zipfile.ZipFile(path, "w") as book:
            for name, text in _BOOK.items():
                book.writestr(name, text)


if __name__ == "__main__":
    sys.exit(main())
