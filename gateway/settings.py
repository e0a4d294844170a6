"""What an operator can set: read once at start, frozen, with defaults that run.

Every setting is an environment variable `GATEWAY_<NAME>`; README.md lists them with these defaults. In production the
gateway refuses what is only safe on a developer's machine (`refusals`).
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from gateway.shifts import shifts

MIB = 1024 * 1024


class Environment(StrEnum):
    """Where the gateway runs."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


def _shifts(text: str) -> str:
    shifts(text)
    return text


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

    leave_seconds: float = Field(default=0.0, ge=0, le=60)
    """How long a stopped process answers on, saying that it is not ready, so that proxies pass it over."""

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

    shifts: Annotated[str, AfterValidator(_shifts)] = "mon-fri 08:00-18:00"
    """When a team is there, by the clock in London, bank holidays apart; or `always`. Beyond, whoever is on call is."""

    pds_url: str | None = None
    """The FHIR base of PDS, `https://…/personal-demographics/FHIR/R4`; without one, no NHS number is traced."""
    pds_token_url: str | None = None
    """Where its tokens come from: the exact `aud` of the signed statement."""
    pds_api_key: str | None = None
    """The API key of the gateway's application there: `iss` and `sub` of the statement."""
    pds_key_file: Path | None = None
    """PEM of the RSA key that signs the statement (RS512); `gateway trace key` makes one, the JWKS publishes it."""
    pds_key_id: str | None = None
    """The `kid` that was agreed for it; without one, its thumbprint (RFC 7638)."""
    pds_ca_file: Path | None = None
    """PEM of the authorities PDS is trusted by, in place of the machine's own."""
    pds_recipient: str = "pds"
    """Who PDS is in an agreement: nothing is asked unless a clause releases it to this recipient for `tracing`."""

    witness_interval_seconds: int = Field(default=60, ge=1)
    """How often witnesses that have an address are asked, and all are looked after."""
    witness_lag_seconds: int = Field(default=86_400, ge=60)
    """How long an entry may wait for a witness before the alarm; a day, as one cosignature a day is kept for ever."""

    bars_service: str = "provide-gateway"
    """The service id that BaRS-style messages to this gateway name in `NHSD-Target-Identifier`."""

    mllp_host: str = "127.0.0.1"
    mllp_port: int | None = Field(default=None, ge=1, le=65_535)
    """Where `gateway serve` listens for HL7 v2 over MLLP; without a port it does not."""
    mllp_certificate: Path | None = None
    mllp_key: Path | None = None
    """The gateway's own certificate and its key, PEM: shown by the listener, and to whom it sends."""
    mllp_client_ca: Path | None = None
    """The authorities, PEM, that certificates of sending systems are signed by."""
    mllp_plain_client: str | None = None
    """The client a connection without TLS speaks for: on loopback, for development, and never in production."""
    mllp_connections: int = Field(default=256, ge=1)
    mllp_connections_per_client: int = Field(default=32, ge=1)
    mllp_idle_seconds: float = Field(default=600.0, gt=0)
    mllp_message_seconds: float = Field(default=30.0, gt=0)
    """How long a message may take from its first byte to its last, and its answer to be taken."""

    console_idle_seconds: int = Field(default=900, ge=60)
    """How long nothing may be asked of the console before its sign-in ends."""
    console_session_seconds: int = Field(default=43_200, ge=300)
    """How long a sign-in lasts at most; a shift of twelve hours."""
    console_blank_seconds: int = Field(default=180, ge=10)
    """How long nobody may touch a page of the console before it is covered."""
    console_leave_url: str = "https://www.bbc.co.uk/weather"
    """Where "Leave quickly" leads: a page that anybody may have open."""

    oidc_issuer: str | None = None
    """The OpenID provider people sign in at, exactly as it names itself; without one, in development, the embedded."""
    oidc_client_id: str = "provide-console"
    oidc_client_secret_file: Path | None = None
    """The secret the console proves itself with at the provider; or, better, a key."""
    oidc_client_key_file: Path | None = None
    """PEM of the RSA or EC key that signs the console's statement to the provider (private_key_jwt)."""
    oidc_client_key_id: str | None = None
    """The `kid` that was agreed for it; without one, its thumbprint (RFC 7638)."""
    oidc_ca_file: Path | None = None
    """PEM of the authorities the provider is trusted by, in place of the machine's own."""
    oidc_scopes: str = "openid profile"
    oidc_acr: str | None = None
    """The levels of authentication that are taken (`acr`), with blanks between; any where none is named."""
    oidc_max_age_seconds: int = Field(default=900, ge=0)
    """How old a sign-in at the provider may be; 0 leaves that to the provider."""
    oidc_userinfo: bool = False
    """Whether claims are asked for at the provider's UserInfo endpoint too, as CIS2 gives them."""
    oidc_claim_staff: str = "staff_id"
    oidc_claim_organisation: str = "organisation"
    oidc_claim_team: str = "team"
    oidc_claim_agreement: str = "agreement"
    oidc_claim_roles: str = "roles"
    oidc_claim_areas: str = "areas"
    """What the provider calls each claim; full stops lead into objects."""
    oidc_role_words: dict[str, str] | None = None
    """What the provider calls each role, as JSON: its word, and ours."""
    oidc_agreement: str | None = None
    """The agreement of people whose claims name none."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the library's signature, here and below
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is given in code, then the environment; no file is looked for."""
        return init_settings, env_settings

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
        if self.mllp_plain_client is not None:
            found.append("GATEWAY_MLLP_PLAIN_CLIENT must not be set in production: MLLP needs TLS with certificates")
        if self.mllp_port is not None and None in {self.mllp_certificate, self.mllp_key, self.mllp_client_ca}:
            found.append("GATEWAY_MLLP_PORT needs GATEWAY_MLLP_CERTIFICATE, _KEY and _CLIENT_CA in production")
        if self.duty_contact == type(self).model_fields["duty_contact"].default:
            found.append("GATEWAY_DUTY_CONTACT must name a human in production")
        found += [
            f"GATEWAY_{name.upper()} must be https in production"
            for name in ("pds_url", "pds_token_url", "oidc_issuer")
            if not (getattr(self, name) or "https://").startswith("https://")
        ]
        return tuple(found)
