"""The folder in which synthmark keeps a user's key, certificates and record log."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from .errors import OutputError, OutputExists, UsageError
from .keys import Key

if TYPE_CHECKING:
    from .detector import Detector
    from .pipeline import Labeler
    from .provenance.signer import Signer
    from .records.store import RecordStore

__all__ = ["Home", "read_pem"]

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

    def key(self) -> Key:
        """Return the mark key; draw it when there is none."""
        if not self.key_path.exists():
            self._make_folder()
            with suppress(OutputExists):  # another process was first
                Key.generate().save(self.key_path)
                self._tell(
                    f"Made a mark key: {self.key_path}. Keep it secret and safe."
                )
        return Key.load(self.key_path)

    def signer(self, chain: Path | None = None, key: Path | None = None) -> Signer:
        """Return the signer; make a development chain when there is none.

        Parameters
        ----------
        chain, key : Path, optional
            PEM files of a certificate chain and its private key, to be used instead
            of the home's.
        """
        from .provenance import certificates
        from .provenance.signer import Signer

        if chain or key:
            if not (chain and key):
                raise UsageError("a certificate and its private key go together")
            return Signer.from_pem(read_pem(chain), read_pem(key))
        if not self.signer_path.exists():
            self._make_folder()
            draft = self.path / f".signer-{uuid4().hex}"
            draft.mkdir(mode=0o700)
            certificates.save_credentials(draft, certificates.make_development_chain())
            try:
                draft.rename(self.signer_path)
            except OSError:  # another process was first
                for file in draft.iterdir():
                    file.unlink()
                draft.rmdir()
            else:
                self._tell(
                    f"Made a certificate chain for DEVELOPMENT ONLY: "
                    f"{self.signer_path}. Nobody else trusts it; sign with --cert and "
                    f"--key for the public."
                )
        credentials = certificates.load_credentials(self.signer_path)
        return Signer.from_pem(credentials.chain_pem, credentials.key_pem)

    def anchors_pem(self) -> str:
        """Return the roots that this user trusts, their own development root too."""
        files = [self.signer_path / "root.pem"]
        if self.anchors_path.is_dir():
            files += sorted(self.anchors_path.glob("*.pem"))
        return "\n".join(read_pem(file) for file in files if file.is_file())

    def records(self, *, read_only: bool = False) -> RecordStore:
        """Return the record log; make it when there is none, unless `read_only`."""
        from .records.store import RecordStore

        if read_only:
            return RecordStore(self.records_path, read_only=True)
        self._make_folder()
        new = not self.records_path.exists()
        store = RecordStore(self.records_path)
        if new:
            self._tell(f"Made a record log: {self.records_path}.")
        return store

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
            options["keys"] = [self.key()] if self.key_path.exists() else []
        if options.get("anchors_pem") is None:
            options["anchors_pem"] = self.anchors_pem()
        if "records" not in options and self.records_path.exists():
            options["records"] = self.records(read_only=True)
        return Detector(**options)

    def _make_folder(self) -> None:
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(
                f"cannot be made: {(error.strerror or str(error)).lower()}",
                hint=f"Set {VARIABLE} to a folder that can be written.",
                path=self.path,
            ) from error


def read_pem(path: Path) -> str:
    """Return the text of a PEM file.

    Raises
    ------
    UsageError
        It cannot be read or is not ASCII.
    """
    try:
        return path.read_text("ascii")
    except (OSError, ValueError) as error:
        raise UsageError(f"is not a readable PEM file ({error})", path=path) from error
