"""The command of platforms, and the page that it prints."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from . import batch
from .console import (
    DONE,
    NO_LABEL,
    AsJson,
    Lang,
    deliver,
    errors,
    home,
    make_room,
    run,
)
from .options import (
    Anchors,
    AsLines,
    Certificate,
    CertificateKey,
    Force,
    InPlace,
    Inputs,
    LabelKeyFile,
    MarkKeys,
    Output,
    Recursive,
    TimeStamps,
    content_of,
    detector_of,
    label_key_of,
)
from .page import propagation_page

if TYPE_CHECKING:
    from .model import Propagation

__all__ = ["propagate"]


def propagate(
    inputs: Inputs,
    lang: Lang,
    platform: Annotated[
        str,
        typer.Option(help="Your provider code or name.", envvar="SYNTHMARK_PROPAGATOR"),
    ],
    output: Output = None,
    in_place: InPlace = False,
    recursive: Recursive = False,
    force: Force = False,
    declared: Annotated[
        bool,
        typer.Option("--declared", help="Who posts it says that it is generated."),
    ] = False,
    mark_key: MarkKeys = None,
    anchors: Anchors = None,
    label_key: LabelKeyFile = None,
    cert: Certificate = None,
    key: CertificateKey = None,
    tsa: TimeStamps = None,
    as_json: AsJson = False,
    as_lines: AsLines = False,
) -> None:
    """Add the platform that spreads files to their labels (Measures, Art. 6)."""
    from .propagation import Propagator

    with errors():
        jobs = batch.plan(
            batch.collect(inputs, recursive=recursive), output, in_place=in_place
        )
        piped = any(job.target is None for job in jobs)
        own = home()
        propagator = Propagator(
            platform=platform,
            signer=own.signer(cert, key, tsa_url=tsa),
            detector=detector_of(own, mark_key, anchors),
            records=own.records(),
            label_key=label_key_of(label_key),
        )

    def one(job: batch.Job) -> Propagation:
        make_room(job)
        result = propagator.propagate(
            content_of(job.source),
            job.target,
            declared=declared,
            overwrite=force or in_place,
        )
        if job.target is None and result.label is not None:
            deliver(result.content)
        return result

    run(
        jobs,
        one,
        code=lambda result: NO_LABEL if result.label is None else DONE,
        page=lambda result: propagation_page(result, lang.value),
        as_json=as_json,
        as_lines=as_lines,
        stream=sys.stderr if piped else sys.stdout,
    )
