"""What an operator can set: read once at start, frozen, with defaults that run.

Every setting is an environment variable `GATEWAY_<NAME>`; README.md lists them with these defaults. In production the
gateway refuses what is only safe on a developer's machine (`refusals`).
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

MIB = 1024 * 1024


class Environment(StrEnum):
    """Where the gateway runs."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


class Settings(BaseSettings):
    """All settings. Sizes are bytes, durations seconds, counts plain numbers."""

    model_config = SettingsConfigDict(env_prefix="GATEWAY_", frozen=True, extra="forbid")

    environment: Environment = Environment.DEVELOPMENT
    data_dir: Path = Path("gateway-data")
    database_url: str | None = None
    """SQLAlchemy URL; without one, SQLite in `data_dir`. PostgreSQL: `postgresql+psycopg://…`."""
    keys_dir: Path | None = None
    """Where the key files lie; without one, `data_dir/keys`."""
    public_url: str = "http://127.0.0.1:8080"
    """The address clients use: token audience, links, and the first part of each log's origin."""
    tls_in_front: bool = False
    """Whether a proxy ends TLS before the gateway; production refuses to start without."""

    duty_contact: str = "Duty information manager (set GATEWAY_DUTY_CONTACT)"
    """The named human who decides where no agreement names one."""
    police_profile: str = "ihub"
    """The mapping profile for what clients push that name none of their own."""
    profiles_dir: Path | None = None
    """Where a deployment's own profiles lie: TOML files, their code maps beside them; read at start."""

    body_max_bytes: int = Field(default=MIB, ge=1024)
    body_max_depth: int = Field(default=20, ge=2, le=200)
    body_max_elements: int = Field(default=20_000, ge=16)
    body_max_text_characters: int = Field(default=65_536, ge=64)
    batch_max_bytes: int = Field(default=2048 * MIB, ge=1024)
    batch_max_rows: int = Field(default=1_000_000, ge=1)
    """Documents of one batch; each of them is bounded as one sent alone."""
    fhir_page_default: int = Field(default=20, ge=1)
    fhir_page_max: int = Field(default=100, ge=1)
    audit_page_default: int = Field(default=100, ge=1)
    audit_page_max: int = Field(default=1000, ge=1)

    token_lifetime_seconds: int = Field(default=300, ge=30, le=3600)
    assertion_lifetime_max_seconds: int = Field(default=300, ge=30, le=300)
    clock_skew_seconds: int = Field(default=30, ge=0, le=120)
    revocation_refresh_seconds: float = Field(default=1.0, gt=0)
    """How soon a token or client revoked by another process is refused here."""

    journal_batch_max: int = Field(default=256, ge=1)
    journal_waiting_max: int = Field(default=4096, ge=1)
    """Units that may wait for a commit; beyond, callers are told 503 and to come back."""
    reader_threads: int = Field(default=2, ge=1)
    """Threads, and connections, that answer questions of the database."""

    retention_sweep_seconds: int = Field(default=3600, ge=60)
    """How often content that is due for erasure is looked for and erased."""

    co_response_hours: int = Field(default=12, ge=1)
    """How long a contact at the scene waits for its police record before a named human looks for it."""

    witness_interval_seconds: int = Field(default=60, ge=1)
    """How often witnesses that have an address are asked, and all are looked after."""
    witness_lag_seconds: int = Field(default=86_400, ge=60)
    """How long an entry may wait for a witness before the alarm; a day, as one cosignature a day is kept for ever."""

    @property
    def database(self) -> str:
        """The database URL in force."""
        return self.database_url or f"sqlite:///{self.data_dir.resolve() / 'gateway.sqlite3'}"

    @property
    def keys(self) -> Path:
        """The key directory in force."""
        return self.keys_dir or self.data_dir / "keys"

    @property
    def log_origin_prefix(self) -> str:
        """The part of a log's origin that names this gateway: its address without the scheme (C2SP tlog-checkpoint)."""
        return self.public_url.split("://", 1)[-1].rstrip("/")

    def refusals(self) -> tuple[str, ...]:
        """Why these settings must not serve real records; empty where they may."""
        if self.environment is not Environment.PRODUCTION:
            return ()
        found: list[str] = []
        if not self.public_url.startswith("https://"):
            found.append("GATEWAY_PUBLIC_URL must be https in production")
        if not self.tls_in_front:
            found.append("GATEWAY_TLS_IN_FRONT must be true in production: TLS ends at a proxy before the gateway")
        if self.database.startswith("sqlite"):
            found.append("GATEWAY_DATABASE_URL must name a PostgreSQL database in production")
        if self.keys_dir is None:
            found.append("GATEWAY_KEYS_DIR must name the key store in production: keys do not lie beside the data")
        if self.duty_contact == type(self).model_fields["duty_contact"].default:
            found.append("GATEWAY_DUTY_CONTACT must name a human in production")
        return tuple(found)
