"""What the journey works with: opened once from the settings, handed to whoever needs it, closed in order.

Nothing here is global: two sets of services over one database are two replicas.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.exc import ArgumentError

from adapters.socket import Limits
from audit import sql as log_sql
from audit.errors import LogExists, LogUnknown
from audit.note import Signer
from gateway import keys
from gateway.drift import Drift
from gateway.errors import Unreachable
from gateway.evidence import OPERATOR_LOG
from gateway.intake import Preparer
from gateway.keys import Keyring
from gateway.profiles import Profiles, open_profiles
from gateway.settings import Settings
from gateway.store.database import Database
from gateway.store.journal import Journals
from gateway.store.migrations import SchemaUnknown, upgrade
from gateway.store.records import Records
from gateway.terms import Standing, TermsBook
from gateway.tokens.check import TokenCheck
from gateway.tokens.clients import Clients


class SettingsRefused(Exception):
    """The settings are not fit for the environment they name, or name a database that cannot be used."""


@dataclass(frozen=True)
class Services:
    """The gateway's parts."""

    settings: Settings
    keyring: Keyring
    signers: Signers
    database: Database
    journals: Journals
    clients: Clients
    tokens: TokenCheck
    terms: TermsBook
    records: Records
    preparer: Preparer
    profiles: Profiles
    drift: Drift

    @property
    def limits(self) -> Limits:
        """How much of a document is read."""
        chosen = self.settings
        return Limits(
            max_bytes=chosen.body_max_bytes,
            max_depth=chosen.body_max_depth,
            max_elements=chosen.body_max_elements,
            max_text=chosen.body_max_text_characters,
        )

    def standing(self, log_id: str) -> Standing:
        """The standing of a log's agreement, read in this thread. Raises LogUnknown."""
        with self.database.reading() as connection:
            return self.terms.read(connection, log_id)

    def signer(self, log_id: str) -> Signer:
        """The checkpoint signer of a log."""
        return self.signers.of(log_id)

    def open_log(self, log_id: str) -> None:
        """Write the head of a log, unless it is there."""
        signer = self.signer(log_id)
        try:
            with self.database.reading() as connection:
                log_sql.read_head(connection, log_id)
        except LogUnknown:
            pass  # to be tried at each start, the statement below would fill the log of PostgreSQL with errors
        else:
            return
        try:
            with self.database.writing() as connection:
                log_sql.create_log(connection, log_id, signer.name, signer, datetime.now(UTC))
        except LogExists:
            return

    def close(self) -> None:
        """Commit what is waiting, then let go of the database."""
        self.journals.close()
        self.database.close()


class Signers:
    """The signer of each log's checkpoints, named by the log's origin.

    A log keeps the origin it was made with: the address clients use may change, and its past must still verify.
    """

    def __init__(self, database: Database, keyring: Keyring, prefix: str) -> None:
        self._database = database
        self._keyring = keyring
        self._prefix = prefix
        self._known: dict[str, Signer] = {}

    def of(self, log_id: str) -> Signer:
        """The signer of a log that is there, or that would be made now."""
        found = self._known.get(log_id)
        if found is not None:
            return found
        try:
            with self._database.reading() as connection:
                origin = log_sql.read_head(connection, log_id).origin
        except LogUnknown:
            return self._keyring.signer(f"{self._prefix}/logs/{log_id}")
        return self._known.setdefault(log_id, self._keyring.signer(origin))


def open_services(settings: Settings) -> Services:
    """Open everything: keys, database (brought to the current schema), journals, the operator log.

    Raises SettingsRefused, ProfileInvalid, KeyringInvalid, or the database's own error.
    """
    if refusals := settings.refusals():
        raise SettingsRefused("; ".join(refusals))
    profiles = open_profiles(settings.profiles_dir, settings.police_profile)
    keyring = keys.load_or_create(settings.keys, settings.environment.value)
    database = _opened(settings)
    signers = Signers(database, keyring, settings.log_origin_prefix)
    journals = Journals(
        database,
        signers.of,
        batch_max=settings.journal_batch_max,
        waiting_max=settings.journal_waiting_max,
    )
    records = Records(keyring)
    clients = Clients(database, refresh_seconds=settings.revocation_refresh_seconds)
    services = Services(
        settings=settings,
        keyring=keyring,
        signers=signers,
        database=database,
        journals=journals,
        clients=clients,
        tokens=TokenCheck(settings, keyring, clients),
        terms=TermsBook(),
        records=records,
        preparer=Preparer(keyring, records, settings.duty_contact),
        profiles=profiles,
        drift=Drift(keyring),
    )
    services.open_log(OPERATOR_LOG)
    with database.reading() as connection:
        head = log_sql.read_head(connection, OPERATOR_LOG)
    keys.check_signed(keyring, head.origin, head.checkpoint)
    return services


def _opened(settings: Settings) -> Database:
    """The database, brought to the current schema. Raises SettingsRefused, which names no part of the address."""
    try:
        database = Database(settings.database, readers=settings.reader_threads)
    except ArgumentError:
        raise SettingsRefused("GATEWAY_DATABASE_URL is not the address of a database") from None
    try:
        upgrade(database)
    except SchemaUnknown as unknown:
        raise SettingsRefused(str(unknown)) from None
    except Unreachable as unreachable:
        raise SettingsRefused(f"{unreachable.words} (GATEWAY_DATABASE_URL)") from unreachable
    return database
