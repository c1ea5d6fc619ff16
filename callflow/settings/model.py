"""Settings: config/callflow.toml, overridden by the environment: CALLFLOW_AMI__SECRET is [ami] secret."""

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from callflow.core.profile import QUIET_LADDER, SILENT_LADDER, Frozen, Ladder, Name, Procedures, Profile
from callflow.core.rings.rules import RingRules
from callflow.core.service.targets import QueueName, QueueTarget, Targets
from callflow.errors import SettingError
from callflow.settings.environment import PREFIX, Environment, refuse_misspelt
from callflow.settings.errors import explain
from callflow.settings.publishing import Alerts, Http, Mqtt, Privacy

DEFAULT_PATHS = (Path("config/callflow.toml"), Path("/etc/callflow/callflow.toml"))


class Node(Frozen):
    """Who this daemon is."""

    name: Name = Field("main", description="Name of this daemon in records, where several share a database.")


class Ami(Frozen):
    """The connection to Asterisk's manager interface."""

    host: str = Field("127.0.0.1", description="Host of the AMI.")
    port: int = Field(5038, ge=1, le=65535, description="Port of the AMI.")
    username: str = Field("callflow", description="AMI user, see config/asterisk/manager_callflow.conf.")
    secret: SecretStr = Field(SecretStr(""), description="Its secret; better in CALLFLOW_AMI__SECRET.")
    tls: bool = Field(False, description="Speak TLS (Asterisk's tlsbindaddr, usually port 5039).")
    tls_ca_file: str = Field("", description="Certificate that signs Asterisk's; empty for the system's own list.")
    tls_verify: bool = Field(True, description="Check Asterisk's certificate.")
    ping_interval_s: float = Field(1.0, gt=0, le=60, description="Seconds without a byte before a ping.")
    ping_timeout_s: float = Field(2.0, gt=0, le=60, description="Seconds for its answer before the link is given up.")
    action_timeout_s: float = Field(1.0, gt=0, le=60, description="Seconds for the answer to an action.")
    reconnect_min_s: float = Field(0.2, gt=0, le=60, description="First wait before connecting again, seconds.")
    reconnect_max_s: float = Field(10.0, gt=0, le=600, description="Longest wait before connecting again, seconds.")

    @field_validator("username", "secret")
    @classmethod
    def _one_line(cls, value: str | SecretStr) -> str | SecretStr:
        text = value.get_secret_value() if isinstance(value, SecretStr) else value
        if len(text.encode()) > 200 or any(mark in text for mark in "\r\n\0"):
            raise ValueError("must be one line of at most 200 bytes")
        return value


class Agi(Frozen):
    """The FastAGI server that the dialplan calls."""

    host: str = Field("127.0.0.1", description="Address to listen on; keep it on loopback beside Asterisk.")
    port: int = Field(4573, ge=0, le=65535, description="Port to listen on.")
    token: SecretStr = Field(
        SecretStr(""), description="If set, the dialplan must call agi://HOST:PORT/TOKEN/screen (global CALLFLOW_AGI)."
    )

    @field_validator("token")
    @classmethod
    def _fits_a_path(cls, token: SecretStr) -> SecretStr:
        if not re.fullmatch(r"[A-Za-z0-9._~-]*", token.get_secret_value()):
            raise ValueError("only letters, digits and . _ ~ - can stand in a path")
        return token


class Tap(Frozen):
    """The second ear: callers' audio over AudioSocket (Asterisk 18 and later). Asterisk's own serves where it fails."""

    enabled: bool = Field(True, description="Listen to the sound itself where Asterisk can send it.")
    host: str = Field("127.0.0.1", description="Address to listen on for the audio; keep it on loopback.")
    port: int = Field(0, ge=0, le=65535, description="Port to listen on; 0 takes a free one and tells Asterisk.")
    address: str = Field(
        "",
        pattern=r"^$|^[A-Za-z0-9._\[\]:-]+:\d{1,5}$",
        description="HOST:PORT that Asterisk connects to, if that is not host and port: a number, not a name.",
    )
    max_taps: int = Field(
        200, ge=0, le=10_000, description="Callers listened to at once; above it Asterisk's own ear serves."
    )
    sounds: Path = Field(
        Path("/usr/share/asterisk/sounds"),
        description="Asterisk's sounds folder as the daemon sees it: prompts are read there to be known in an echo.",
    )
    debug_audio_dir: Path | None = Field(
        None, description="Folder to store callers' audio in, for finding faults only. Voice is personal data."
    )
    debug_audio_days: float = Field(3.0, gt=0, le=30, description="Days after which stored audio is deleted.")


class Limits(Frozen):
    """What keeps a flood from taking the daemon down; callers above a limit go on unscreened."""

    max_calls: int = Field(2000, ge=1, le=100_000, description="Calls screened or observed at once.")
    stall_s: float = Field(
        3.0, ge=1, le=60, description="Seconds without a heartbeat before the daemon ends itself, so that calls go on."
    )


class Prompts(Frozen):
    """Where Asterisk finds the prompts, below its sounds folder."""

    path: str = Field(
        "{language}/callflow/{prompt}", description="Path of a prompt below Asterisk's sounds folder, no extension."
    )
    languages: tuple[Name, ...] = Field(("zh", "en"), min_length=1, description="Languages with prompts installed.")
    default_language: Name = Field("en", description="Language for callers whose own is not in the list.")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.default_language not in self.languages:
            raise ValueError(f"default_language {self.default_language!r} is not among languages {self.languages}")
        if "{prompt}" not in self.path or not self.path.isprintable():
            raise ValueError("path needs {prompt} in it, and usually {language}")
        try:
            self.path.format(language="", prompt="")
        except (LookupError, ValueError, AttributeError):
            raise ValueError("path may have {language} and {prompt} in it, and no other braces") from None
        return self


class Store(Frozen):
    """The embedded database of call records."""

    path: Path = Field(Path("/var/lib/callflow/callflow.db"), description="SQLite file; its folder must exist.")
    details_days: int = Field(
        0, ge=0, le=36_500, description="Days to keep what happened in a call and each phone's ringing; 0 is for ever."
    )
    records_days: int = Field(
        0, ge=0, le=36_500, description="Days to keep the calls, stays, offers and agents' times; 0 is for ever."
    )


class Log(Frozen):
    """What the daemon says about its work."""

    level: str = Field("info", pattern="^(debug|info|warning|error)$", description="debug, info, warning or error.")
    format: str = Field("console", pattern="^(console|json)$", description="console for people, json for machines.")


class Settings(BaseSettings):
    """Everything a site can set."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        nested_model_default_partial_update=True,
    )

    node: Node = Node()
    ami: Ami = Ami()
    agi: Agi = Agi()
    tap: Tap = Tap()
    limits: Limits = Limits()
    prompts: Prompts = Prompts()
    store: Store = Store()
    log: Log = Log()
    mqtt: Mqtt = Mqtt()
    http: Http = Http()
    alerts: Alerts = Alerts()
    privacy: Privacy = Privacy()
    rings: RingRules = RingRules()
    ladders: dict[Name, Ladder] = Field(
        {"silent": SILENT_LADDER, "quiet": QUIET_LADDER}, description="Ladders by name."
    )
    profiles: dict[Name, Profile] = Field({"default": Profile()}, description="Profiles by the name in the dialplan.")
    queues: dict[QueueName, QueueTarget] = Field({"default": QueueTarget()}, description="Service standards by queue.")

    @model_validator(mode="before")
    @classmethod
    def _keep_defaults(cls, data: dict[str, Any]) -> dict[str, Any]:
        """A site that adds a ladder, a profile or a queue keeps the shipped ones."""
        shipped: dict[str, dict[str, Any]] = {
            "ladders": {"silent": SILENT_LADDER, "quiet": QUIET_LADDER},
            "profiles": {"default": Profile()},
            "queues": {"default": QueueTarget()},
        }
        for name, defaults in shipped.items():
            own = data.get(name, {})
            data[name] = defaults | own if isinstance(own, dict) else own
        return data

    @model_validator(mode="after")
    def _names_exist(self) -> Self:
        for name, profile in self.profiles.items():
            for key, ladder in (("ladder", profile.ladder), ("quiet.ladder", profile.quiet.ladder)):
                if ladder not in self.ladders:
                    raise ValueError(f"profiles.{name}.{key}: there is no ladder {ladder!r} in {list(self.ladders)}")
            if profile.language is not None and profile.language not in self.prompts.languages:
                languages = self.prompts.languages
                raise ValueError(
                    f"profiles.{name}.language: {profile.language!r} is not in prompts.languages {languages}"
                )
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the file."""
        return Environment(settings_cls), init_settings

    def procedures(self) -> Procedures:
        """What the core needs of all this."""
        return Procedures(
            profiles=self.profiles,
            ladders=self.ladders,
            languages=self.prompts.languages,
            default_language=self.prompts.default_language,
            max_calls=self.limits.max_calls,
        )

    def targets(self) -> Targets:
        """The service standards, for reports."""
        return Targets(queues=self.queues)


def find_config(path: Path | None, environ: Mapping[str, str] = os.environ) -> Path | None:
    """The settings file: the one asked for, else $CALLFLOW_CONFIG, else the first default that exists, else none."""
    asked = path or (Path(environ["CALLFLOW_CONFIG"]) if environ.get("CALLFLOW_CONFIG") else None)
    if asked is not None:
        return asked
    return next((p for p in DEFAULT_PATHS if _may_be_there(p)), None)


def _may_be_there(file: Path) -> bool:
    """A file that we may not look at counts as there: to read it says why that cannot be done."""
    try:
        return file.is_file()
    except PermissionError:
        return True


def load_settings(path: Path | None = None) -> Settings:
    """Read and check the settings; raises SettingError with one sentence for each mistake."""
    file = find_config(path)
    refuse_misspelt(Settings)
    try:
        return Settings(**(_read(file) if file else {}))
    except ValidationError as error:
        raise explain(error, file, Settings) from None


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        remedy = "name another with --config or CALLFLOW_CONFIG, or make one: callflow settings example > FILE"
        raise SettingError(str(file), f"the settings file cannot be read ({error.strerror})", remedy) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingError(str(file), f"not valid TOML: {error}", "correct the line it names") from None
