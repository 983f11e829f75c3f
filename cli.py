"""The command line: parse, one library call, print, exit code.

Data goes to standard output, everything else to standard error. Modules that load
numpy or a native library are imported inside the commands, so that help is instant.
"""

from __future__ import annotations

import sys
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import __version__
from .labeling import (
    batch,
    check_view,
    filing_view,
    policy_view,
    propagate_view,
    records_view,
    registry_view,
    upkeep,
    views,
)
from .labeling.console import (
    DAMAGED,
    DONE,
    FAILED,
    NO_LABEL,
    UNTRUSTED,
    AsJson,
    Lang,
    deliver,
    errors,
    home,
    make_room,
    print_json,
    progress,
    run,
    tell,
)
from .labeling.label_options import (
    Agreement,
    Codec,
    Consent,
    Crf,
    Generator,
    GeneratorVersion,
    Heard,
    Issuer,
    LearningTerms,
    LogoFile,
    MayBeLearned,
    ModelIdentifier,
    NoPerson,
    NoticeAt,
    NoticeCorner,
    NoticeSeconds,
    PeopleTookPart,
    Preset,
    Producer,
    Recipient,
    Safe,
    SoundNotice,
    Styled,
    TextStyle,
    Vertical,
    WithoutNotice,
    Wording,
    consent_of,
    exemption_of,
    training_of,
)
from .labeling.model import to_dict
from .labeling.options import (
    Anchors,
    AsLines,
    Certificate,
    CertificateKey,
    Force,
    InPlace,
    Inputs,
    Jurisdictions,
    LabelKeyFile,
    MarkKey,
    MarkKeys,
    Ocr,
    Output,
    Personal,
    Recursive,
    Registries,
    Service,
    Sidecar,
    TimeStamps,
    content_of,
    detector_of,
    key_of,
    label_key_of,
)

if TYPE_CHECKING:
    from .labeling.model import LabelResult, Report
    from .labeling.notices.logo import Logo

__all__ = ["app", "main"]

EPILOG = (
    "Exit codes: 0 labeled, or label found and intact; 1 a file failed or is labeled "
    "incompletely; 2 usage; 3 no label found; 4 label damaged; 5 signer not trusted; "
    "6 format not supported; 7 a rule is not kept; 130 interrupted."
)

app = typer.Typer(
    name="synthmark",
    help="Label AI-generated media in every layer, and find the labels again.",
    epilog=EPILOG,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(upkeep.keys, name="key")
app.add_typer(upkeep.certificates, name="cert")
app.add_typer(records_view.records, name="records")
app.add_typer(registry_view.registry, name="registry")
app.add_typer(policy_view.policy, name="policy")
app.add_typer(filing_view.filing, name="filing")
app.add_typer(filing_view.provider, name="provider")


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[
        bool, typer.Option("-V", "--version", help="Print the version.")
    ] = False,
) -> None:
    if version:
        print(f"synthmark {__version__}")
        raise typer.Exit


@app.command()
def label(
    inputs: Inputs,
    lang: Lang,
    output: Output = None,
    in_place: InPlace = False,
    recursive: Recursive = False,
    force: Force = False,
    service: Service = "other",
    jurisdiction: Jurisdictions = None,
    notice: Wording = None,
    corner: NoticeCorner = None,
    safe_area: Safe = None,
    vertical: Vertical = False,
    logo: LogoFile = None,
    sound_notice: Heard = SoundNotice.SPOKEN,
    notice_at: NoticeAt = "start",
    text_style: Styled = TextStyle.LINE,
    notice_seconds: NoticeSeconds = None,
    without_notice: WithoutNotice = False,
    recipient: Recipient = None,
    agreement: Agreement = None,
    codec: Codec = None,
    crf: Crf = None,
    preset: Preset = None,
    producer: Producer = None,
    issuer: Issuer = 0,
    generator: Generator = None,
    generator_version: GeneratorVersion = None,
    model_identifier: ModelIdentifier = None,
    oversight: PeopleTookPart = None,
    training: MayBeLearned = None,
    training_terms: LearningTerms = None,
    consent: Consent = None,
    no_real_person: NoPerson = False,
    mark_key: MarkKey = None,
    label_key: LabelKeyFile = None,
    cert: Certificate = None,
    key: CertificateKey = None,
    tsa: TimeStamps = None,
    sidecar: Sidecar = False,
    as_json: AsJson = False,
    as_lines: AsLines = False,
) -> None:
    """Label media in every layer: notice, mark, metadata, manifest, record."""
    from .labeling.page import label_page

    with errors():
        jobs = batch.plan(
            batch.collect(inputs, recursive=recursive), output, in_place=in_place
        )
        piped = any(job.target is None for job in jobs)
        own = home()
        options = {
            "service": service,
            "jurisdictions": tuple(jurisdiction or ["cn"]),
            "wording": notice or lang.value,
            "corner": corner and corner.value,
            "safe_area": safe_area and safe_area.value,
            "vertical": vertical,
            "logo": logo and _logo(logo),
            "sound_notice": sound_notice.value,
            "notice_at": _place(notice_at),
            "text_style": text_style.value,
            "notice_seconds": notice_seconds,
            "encoding": {
                name: value
                for name, value in {
                    "codec": codec,
                    "crf": crf,
                    "preset": preset,
                }.items()
                if value is not None
            },
            "producer": producer,
            "label_key": label_key_of(label_key),
            "issuer": issuer,
            "software_agent": generator,
            "software_agent_version": generator_version,
            "model_identifier": model_identifier,
            "oversight": oversight and oversight.value,
            "training": training_of(training, training_terms),
            "consent": consent_of(consent, no_real_person),
            "exemption": exemption_of(without_notice, recipient, agreement),
            "sidecar": sidecar,
            "progress": progress(),
        }
        labeler = own.labeler(
            key=key_of(own, mark_key),
            signer=own.signer(cert, key, tsa_url=tsa),
            **{name: value for name, value in options.items() if value is not None},
        )

    def one(job: batch.Job) -> LabelResult:
        make_room(job)
        result = labeler.label(
            content_of(job.source), job.target, overwrite=force or in_place
        )
        if job.target is None:
            deliver(result.content)
        return result

    run(
        jobs,
        one,
        code=lambda result: DONE if result.complete else FAILED,
        page=lambda result: label_page(result, lang.value),
        as_json=as_json,
        as_lines=as_lines,
        stream=sys.stderr if piped else sys.stdout,
    )


@app.command()
def detect(
    inputs: Inputs,
    lang: Lang,
    recursive: Recursive = False,
    mark_key: MarkKeys = None,
    anchors: Anchors = None,
    ocr: Ocr = False,
    registry: Registries = None,
    personal: Personal = False,
    signed: Annotated[
        bool, typer.Option("--signed", help="Print a signed JSON document (JWS).")
    ] = False,
    as_json: AsJson = False,
    as_lines: AsLines = False,
) -> None:
    """Read every layer of media files, and say where the layers disagree."""
    from functools import partial

    from .labeling.page import report_page
    from .labeling.statement import statement

    with errors():
        jobs = [
            batch.Job(path) for path, _ in batch.collect(inputs, recursive=recursive)
        ]
        own = home()
        detector = detector_of(
            own, mark_key, anchors, ocr=ocr, registries=registry, personal=personal
        )
        signer = own.signer() if signed else None
    run(
        jobs,
        lambda job: detector.detect(content_of(job.source)),
        code=_report_code,
        page=lambda report: report_page(report, lang.value),
        as_json=as_json or signed,
        as_lines=as_lines,
        signed=None if signer is None else partial(statement, signer=signer),
    )


@app.command("map")
def map_mark(
    source: Annotated[Path, typer.Argument(metavar="INPUT", help="One file.")],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="PNG file.", show_default="INPUT.map.png"),
    ] = None,
    force: Annotated[
        bool, typer.Option("-f", "--force", help="Replace an existing output.")
    ] = False,
    mark_key: MarkKey = None,
    as_json: AsJson = False,
) -> None:
    """Draw where a picture lacks the mark, or when a video or sound does."""
    from .labeling.files import write_bytes

    target = output or source.with_name(f"{source.name}.map.png")
    with errors():
        own = home()
        found = own.detector(keys=[key_of(own, mark_key)]).locate(source)
        if found:
            write_bytes(target, found.png(), overwrite=force)
    if as_json:
        print_json(
            {
                "file": str(source),
                "map": str(target) if found else None,
                "missing": round(found.missing, 4) if found else None,
                "payload": str(found.detection.payload) if found else None,
                "spans": found.detection.spans if found else None,
            }
        )
    elif found:
        print(f"{source}: {found.missing:.0%} without the mark, see {target}")
    else:
        tell(f"{source}: no mark of this key can be read")
    raise typer.Exit(DONE if found else NO_LABEL)


app.command()(propagate_view.propagate)
app.command()(check_view.check)
app.command()(filing_view.agreement)
app.command()(views.player)
app.command()(views.element)
app.command()(views.scene)


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Check the installation, the home and everything in it."""
    from .labeling.doctor import examine

    with errors():
        checks = examine(home())
    if as_json:
        print_json({"checks": to_dict(checks)})
    else:
        for check in checks:
            print(f"{'ok  ' if check.ok else 'BAD '} {check.name}: {check.text}")
    raise typer.Exit(DONE if all(check.ok for check in checks) else FAILED)


def main() -> None:
    """Run the command line."""
    if isinstance(sys.stdout, TextIOWrapper):
        # Lines go out at once, so that a reader who is gone shows inside `app`, which
        # ends quietly; and no terminal is too poor for a file's name.
        sys.stdout.reconfigure(line_buffering=True, errors="backslashreplace")
    app()


def _place(text: str) -> str | float:
    try:
        return float(text)
    except ValueError:  # a word; what cannot be meant is told by who uses it
        return text


def _logo(path: Path) -> Logo:
    from .labeling.notices.logo import read_logo

    return read_logo(path)


def _report_code(report: Report) -> int:
    if report.findings:
        return DAMAGED
    if report.verdict == "none":
        return NO_LABEL
    untrusted = any(item.state == "untrusted" for item in report.evidence)
    return UNTRUSTED if untrusted else DONE
