"""The record log: append-only, chained by hashes, shared by many processes.

The log answers who marked what, when and how (Deep Synthesis Provisions, Art. 16),
who got it without a notice (Labeling Measures, Art. 9) and whose consent it rests on
(Provisions, Art. 14). It holds numbers, digests and references: no media, no prompt,
and a file name only when the caller gives one. Nothing in it is ever changed, and
nothing removed before 183 days are over.

The chain cannot tell that its last records were cut off, nor that somebody who may
write to the database computed it anew. Both show against a checkpoint that is kept
elsewhere: make one with `RecordStore.checkpoint` from time to time, store it outside
this machine, and give it to `RecordStore.verify`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from ..errors import RecordError, RecordStoreDamaged, UsageError
from ..payload import Payload
from . import manifests, retention
from .chain import FIRST_HEAD, Record, chained, parse, row
from .checkpoint import Checkpoint, CheckpointKey
from .manifests import StoredManifest
from .reader import RecordReader, last_of, taken
from .retention import RETENTION_DAYS, Pruned
from .schema import record
from .verification import Verification

__all__ = [
    "Checkpoint",
    "CheckpointKey",
    "Pruned",
    "Record",
    "RecordStore",
    "StoredManifest",
    "Verification",
]


class RecordStore(RecordReader):
    """A record log in a file, or in a database of a PostgreSQL server.

    Parameters
    ----------
    place : Path or str
        A file, which is created with mode 0600 when missing, unless `read_only`; or
        ``postgresql://user@host/database``, which must exist.
    read_only : bool, optional
        Whether only to read; a missing log is then an error.
    timeout_s : float, optional
        How long to wait for the server or another process, in seconds.

    Attributes
    ----------
    path : Path or str
        The file, or the address without its password.

    Raises
    ------
    UsageError
        The address of a database cannot be meant.
    RecordError
        The log cannot be opened, or belongs to a newer version of the program.
    RecordStoreBusy
        Another process held the log, or the server was silent, for longer than
        `timeout_s`. Any method may raise this.
    RecordStoreDamaged
        It is not a record log. Any method may raise this.

    Notes
    -----
    A store may be shared by threads and survives a fork. A file is open only while
    a method runs, or from the first change in a ``with`` block to its end, which
    makes many changes in a row several times faster.
    """

    def append(
        self,
        *,
        produce_id: str,
        payload: Payload | None,
        sha256_before: str,
        sha256_after: str,
        media: str,
        layers: Iterable[str],
        service: str,
        jurisdictions: Iterable[str],
        software: str,
        action: str = "label",
        origin_id: str | None = None,
        key_id: str | None = None,
        target: str | None = None,
        notice: Mapping[str, Any] | None = None,
        consent: str | None = None,
        exemption: Mapping[str, Any] | None = None,
        manifest_id: str | None = None,
        fingerprint: str | None = None,
        manifest: StoredManifest | None = None,
    ) -> Record:
        """Add a record at the end and wait until it is on disk.

        The fields are those of `Record`; `target` is kept only when it is given. A
        `manifest` is kept beside the record, which then bears its name and digest.

        Raises
        ------
        UsageError
            A field is empty, too long or malformed, or the log is read-only.
        RecordError
            The payload is taken, or the log cannot be written.
        """
        self._writable()
        if manifest and manifest_id not in (None, manifest.manifest_id):
            raise UsageError("manifest_id is not that of the manifest")
        unchained = row(
            action=action,
            produce_id=produce_id,
            origin_id=origin_id,
            payload=payload,
            key_id=key_id,
            sha256_before=sha256_before,
            sha256_after=sha256_after,
            media=media,
            layers=layers,
            service=service,
            jurisdictions=jurisdictions,
            software=software,
            target=target,
            notice=notice,
            consent=consent,
            exemption=exemption,
            manifest_id=manifest.manifest_id if manifest else manifest_id,
            manifest_sha256=manifest.sha256 if manifest else None,
            fingerprint=fingerprint,
        )
        with self._database.transaction(write=True) as connection:
            if payload is not None and taken(connection, payload):
                raise RecordError(
                    f"payload {payload} stands for another item already",
                    hint="Draw a new payload and label the content again.",
                    path=self.path,
                )
            if manifest and not manifests.keep(connection, manifest):
                raise RecordError(
                    f"manifest {manifest.manifest_id[:80]} is another one already",
                    hint="Sign the content again.",
                    path=self.path,
                )
            entry = chained(unchained, last_of(connection))
            connection.execute(record.insert(), entry)
        return parse(entry)

    def withdraw(self, manifest_id: str) -> None:
        """Remove a manifest's content for good; its name and digest stay.

        Raises
        ------
        RecordError
            The log keeps no manifest of this name.
        """
        self._writable()
        with self._database.transaction(write=True) as connection:
            if not manifests.withdraw(connection, manifest_id):
                raise RecordError(
                    f"keeps no manifest {manifest_id[:80]!r}", path=self.path
                )

    def checkpoint(self, signer: CheckpointKey) -> Checkpoint:
        """Sign the head of the chain and put it into the log.

        Kept outside the machine, the checkpoint later proves that nothing up to it
        was cut off or rewritten; see `verify`.

        Raises
        ------
        RecordError
            The log is empty.
        """
        self._writable()
        with self._database.transaction(write=True) as connection:
            head = last_of(connection)
            if head == FIRST_HEAD:
                raise RecordError(
                    "has no record yet that could be signed", path=self.path
                )
            signed = signer.sign(head)
            retention.add_checkpoint(connection, signed)
        return signed

    def prune(
        self,
        before: datetime,
        signer: CheckpointKey,
        *,
        retention_days: int = RETENTION_DAYS,
    ) -> Pruned:
        """Remove the records from before a time, from the oldest on.

        A signed checkpoint takes their place. The first record that is not from
        before the time ends it, and the newest one stays. The file does not shrink;
        its room is used again.

        Parameters
        ----------
        before : datetime
            With a time zone, at least `retention_days` ago.
        signer : CheckpointKey
            Who vouches for the removal.
        retention_days : int, optional
            How long records are kept, 183 days at least.

        Raises
        ------
        UsageError
            The time is not long enough ago, or the log is read-only.
        RecordStoreDamaged
            The log does not verify, so that what is wrong would be lost.
        """
        self._writable()
        time = retention.limit(before, retention_days)
        state = self.verify()
        if not state.ok:
            raise RecordStoreDamaged(
                f"is broken at record {state.first_bad_sequence}: {state.reason}",
                hint="Keep it as it is, and restore it from a copy.",
                path=self.path,
            )
        root, last = None, None
        while True:
            with self._database.transaction(write=True) as connection:
                last = retention.prune_some(connection, time, signer)
            if last is None:
                break
            root = last
        count = 0 if root is None else root.sequence - state.root
        return Pruned(count=count, root=root)

    def _writable(self) -> None:
        if self.read_only:
            raise UsageError("the record log was opened for reading only")
