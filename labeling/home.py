"""The folder in which synthmark keeps a user's key, certificates and record log."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from .errors import CertificateError, OutputError, OutputExists, UsageError
from .keys import Key

if TYPE_CHECKING:
    from .detector import Detector
    from .filing import Filing
    from .metadata.label_key import PublicKey
    from .pipeline import Labeler
    from .provenance.signer import Signer
    from .records.checkpoint import CheckpointKey
    from .records.store import RecordStore

__all__ = ["Home", "read_anchors", "read_pem"]

VARIABLE = "SYNTHMARK_HOME"


class Home:
    """Key, signer, trust anchors and record log of one user, made on first use.

    Parameters
    ----------
    path : Path or str, optional
        By default the folder named by ``SYNTHMARK_HOME``, else the user's data
        directory.
    tell : callable, optional
        Is told one sentence for each thing that is made.
    """

    def __init__(
        self,
        path: Path | str | None = None,
        *,
        tell: Callable[[str], object] = lambda _: None,
    ) -> None:
        if path is None and not (path := os.environ.get(VARIABLE)):
            from platformdirs import user_data_path

            path = user_data_path("synthmark", appauthor=False)
        self.path = Path(path)
        self._tell = tell

    @property
    def key_path(self) -> Path:
        """The file of the mark key."""
        return self.path / "mark.key"

    @property
    def signer_path(self) -> Path:
        """The folder of the certificate chain and its private key."""
        return self.path / "signer"

    @property
    def anchors_path(self) -> Path:
        """The folder of further trusted root certificates, ``*.pem``."""
        return self.path / "anchors"

    @property
    def records_path(self) -> Path:
        """The file of the record log."""
        return self.path / "records.sqlite"

    @property
    def records_place(self) -> Path | str:
        """The log in use: the one that ``SYNTHMARK_RECORDS`` names, else the file."""
        return os.environ.get("SYNTHMARK_RECORDS") or self.records_path

    @property
    def has_records(self) -> bool:
        """Whether there is a log, as far as can be seen without opening it."""
        return "://" in str(self.records_place) or os.path.exists(self.records_place)

    @property
    def records_key_path(self) -> Path:
        """The file of the key that signs checkpoints of the log."""
        return self.path / "records-key.pem"

    @property
    def filing_path(self) -> Path:
        """The file of the filing."""
        return self.path / "filing.json"

    @property
    def provider_keys_path(self) -> Path:
        """The file of the keys that providers are known to sign labels with."""
        return self.path / "provider-keys.json"

    def provider_keys(self) -> Mapping[str, tuple[PublicKey, ...]]:
        """Return the keys that providers are known to sign labels with."""
        if not os.path.exists(self.provider_keys_path):
            return {}
        from .metadata.label_key import load_known

        return load_known(self.provider_keys_path)

    def trust_provider(self, provider: str, key: PublicKey) -> None:
        """Keep a key as one that a provider signs its labels with."""
        from .metadata.label_key import save_known

        known = self.provider_keys()
        keys = (*(one for one in known.get(provider, ()) if one != key), key)
        self._make_folder(self.path)
        save_known({**known, provider: keys}, self.provider_keys_path)

    def filing(self) -> Filing | None:
        """Return the filing of the service, if one is kept."""
        from .filing import load

        return load(self.filing_path)

    def keep_filing(self, filing: Filing) -> None:
        """Keep the filing of the service, in place of the one before."""
        from .filing import save

        self._make_folder(self.path)
        save(filing, self.filing_path)

    def key(self) -> Key:
        """Return the mark key; draw it when there is none."""
        if not os.path.exists(self.key_path):
            self._make_folder(self.path)
            with suppress(OutputExists):  # another process was first
                Key.generate().save(self.key_path)
                self._tell(
                    f"Made a mark key: {self.key_path}. Keep it secret and safe."
                )
        return Key.load(self.key_path)

    def signer(
        self,
        chain: Path | None = None,
        key: Path | None = None,
        *,
        tsa_url: str | None = None,
    ) -> Signer:
        """Return the signer; make a development chain when there is none.

        Parameters
        ----------
        chain, key : Path, optional
            PEM files of a certificate chain and its private key, to be used instead
            of the home's.
        tsa_url : str, optional
            Time-stamp authority (RFC 3161) that is asked at each signing.
        """
        from .provenance import certificates

        if chain or key:
            if not (chain and key):
                raise UsageError(
                    "a certificate and its private key go together",
                    hint="Give both, or neither for those of the home.",
                )
            return _signer(read_pem(chain), read_pem(key), chain, tsa_url)
        if not os.path.exists(self.signer_path):
            draft = self.path / f".signer-{uuid4().hex}"
            self._make_folder(self.path)
            self._make_folder(draft)
            try:
                made = certificates.make_development_chain()
                certificates.save_credentials(draft, made)
                with suppress(OSError):  # another process was first
                    draft.rename(self.signer_path)
                    self._tell(
                        f"Made a certificate chain for DEVELOPMENT ONLY: "
                        f"{self.signer_path}. Nobody else trusts it; sign with --cert "
                        f"and --key for the public."
                    )
            finally:
                shutil.rmtree(draft, ignore_errors=True)
        kept = certificates.load_credentials(self.signer_path)
        return _signer(kept.chain_pem, kept.key_pem, self.signer_path, tsa_url)

    def anchors_pem(self) -> str:
        """Return the roots that this user trusts, their own development root too."""
        files = [self.signer_path / "root.pem"]
        if os.path.isdir(self.anchors_path):
            files += sorted(self.anchors_path.glob("*.pem"))
        return read_anchors(file for file in files if os.path.isfile(file))

    def records(self, *, read_only: bool = False) -> RecordStore:
        """Return the record log; make it when there is none, unless `read_only`."""
        from .records.store import RecordStore

        place = self.records_place
        if read_only:
            return RecordStore(place, read_only=True)
        self._make_folder(self.path)
        new = not self.has_records
        store = RecordStore(place)
        if new:
            self._tell(f"Made a record log: {store.path}.")
        return store

    def records_key(self) -> CheckpointKey:
        """Return the key that signs checkpoints; draw it when there is none."""
        from .records.checkpoint import CheckpointKey

        if not os.path.exists(self.records_key_path):
            self._make_folder(self.path)
            with suppress(OutputExists):  # another process was first
                CheckpointKey.generate().save(self.records_key_path)
                self._tell(
                    f"Made a key for checkpoints: {self.records_key_path}. Keep it "
                    "secret and safe."
                )
        return CheckpointKey.load(self.records_key_path)

    def records_signers(self) -> tuple[str, ...]:
        """Return the public key that may remove old records, if there is one."""
        if not os.path.exists(self.records_key_path):
            return ()
        return (self.records_key().public_key,)

    def labeler(self, **options: Any) -> Labeler:
        """Return a `Labeler` with this home's key, signer and log.

        Parameters
        ----------
        **options
            Fields of `Labeler`, these three among them, to be used instead.
        """
        from .pipeline import Labeler

        for name in ("key", "signer", "records"):
            if name not in options:
                options[name] = getattr(self, name)()
        return Labeler(**options)

    def detector(self, **options: Any) -> Detector:
        """Return a `Detector` with what this home has; nothing is made.

        Parameters
        ----------
        **options
            Fields of `Detector`, to be used instead.
        """
        from .detector import Detector

        if options.get("keys") is None:
            options["keys"] = [self.key()] if os.path.exists(self.key_path) else []
        if options.get("anchors_pem") is None:
            options["anchors_pem"] = self.anchors_pem()
        options.setdefault("provider_keys", self.provider_keys())
        if "records" not in options and self.has_records:
            from .registry.catalog import Catalog

            options["records"] = self.records(read_only=True)
            folder = self.path / "fingerprints"
            options.setdefault("catalog", Catalog(options["records"], folder))
        return Detector(**options)

    def _make_folder(self, path: Path) -> None:
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(
                f"cannot be made: {(error.strerror or str(error)).lower()}",
                hint=f"Set {VARIABLE} to a folder that can be written.",
                path=path,
            ) from error


def read_anchors(files: Iterable[Path]) -> str:
    """Return the certificates of several PEM files as one text.

    Raises
    ------
    UsageError
        A file cannot be read or is not text.
    CertificateError
        It holds no certificate, or a damaged one.
    """
    from .provenance.chain import parse_certificates, to_pem

    found = []
    for path in files:
        with _naming(path):
            found.append(to_pem(*parse_certificates(read_pem(path))))
    return "".join(found)


def read_pem(path: Path) -> str:
    """Return the text of a PEM file.

    Raises
    ------
    UsageError
        It cannot be read or is not text.
    """
    try:
        return path.read_text("utf-8")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise UsageError(
            f"cannot be read: {reason.lower()}",
            hint="Name a file of certificates or a key in PEM form.",
            path=path,
        ) from error


def _signer(chain_pem: str, key_pem: str, path: Path, tsa_url: str | None) -> Signer:
    from .provenance.signer import Signer

    with _naming(path):
        return Signer.from_pem(chain_pem, key_pem, tsa_url=tsa_url)


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Add the file to an error that only knows its text."""
    try:
        yield
    except CertificateError as error:
        error.path = path
        raise
