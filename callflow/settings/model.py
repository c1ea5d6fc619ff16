"""Settings: config/callflow.toml, overridden by files of secrets, overridden by the environment."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from pydantic import Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from callflow.adapters.agi.options import AgiOptions
from callflow.adapters.ami.options import AmiOptions
from callflow.adapters.audio.options import TapOptions
from callflow.adapters.http.options import HttpOptions
from callflow.adapters.mqtt.options import MqttOptions
from callflow.adapters.store.fleet.options import FleetOptions
from callflow.adapters.store.options import StoreOptions
from callflow.adapters.webhooks.options import WebhookOptions
from callflow.core.assist.rules import (
    AGENT_NUISANCE_LADDER,
    AGENT_QUIET_LADDER,
    AGENT_SILENT_LADDER,
    AssistRules,
)
from callflow.core.callbacks.rules import CallbackRules
from callflow.core.documents import toml_of
from callflow.core.greetings.rules import GreetingRules
from callflow.core.profile import QUIET_LADDER, SILENT_LADDER, Ladder, Procedures, Profile
from callflow.core.publishing.alert_rules import AlertRules
from callflow.core.publishing.privacy import PrivacyRules
from callflow.core.rating.rules import RatingRules
from callflow.core.rings.rules import RingRules
from callflow.core.section import RELOADS, Name, Section
from callflow.core.service.evaluation import EvaluationRules
from callflow.core.service.targets import QueueName, QueueTarget, Targets
from callflow.errors import SettingError
from callflow.logs import LogOptions
from callflow.settings.credentials import credentials
from callflow.settings.environment import PREFIX, Environment, refuse_misspelt
from callflow.settings.errors import explain
from callflow.settings.standards import StandardsOptions
from callflow.web.options import WebOptions

DEFAULT_PATHS = (Path("config/callflow.toml"), Path("/etc/callflow/callflow.toml"))


SHIPPED_LADDERS = {
    "silent": SILENT_LADDER,
    "quiet": QUIET_LADDER,
    "agent_silent": AGENT_SILENT_LADDER,
    "agent_quiet": AGENT_QUIET_LADDER,
    "agent_nuisance": AGENT_NUISANCE_LADDER,
}


class Node(Section):
    """The identity of this daemon."""

    name: Name = Field("main", description="Name of this daemon in records, where several share a database.")


class Limits(Section):
    """Limits that protect the daemon from a flood; callers above a limit go on unscreened."""

    max_calls: int = Field(
        2000, ge=1, le=100_000, description="Calls screened or observed at once; further callers go on unscreened."
    )
    max_lag_s: float = Field(
        0.3,
        ge=0.05,
        le=60,
        description="Seconds by which callflow may be late on an overloaded machine; further callers go on unscreened.",
    )
    stall_s: float = Field(
        1.5,
        ge=1,
        le=60,
        description="Seconds without a heartbeat after which the daemon ends itself, so that calls go on.",
    )


class Prompts(Section):
    """Where Asterisk finds the prompts, below its sounds folder."""

    path: str = Field(
        "{language}/callflow/{prompt}", description="Path of a prompt below Asterisk's sounds folder, no extension."
    )
    languages: tuple[Name, ...] = Field(
        ("zh", "en"), min_length=1, description="Languages with prompts installed.", json_schema_extra=RELOADS
    )
    default_language: Name = Field(
        "en", description="Language for callers whose own is not in the list.", json_schema_extra=RELOADS
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.default_language not in self.languages:
            raise ValueError(f"default_language {self.default_language!r} is not among languages {self.languages}")
        if "{prompt}" not in self.path or not self.path.isprintable():
            raise ValueError("path needs {prompt} in it, and usually {language}")
        if set("{}") & set(re.sub(r"\{(language|prompt)\}", "", self.path)):
            raise ValueError("path may have {language} and {prompt} in it, and no other braces")
        return self


class Settings(BaseSettings):
    """All settings of a site."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        nested_model_default_partial_update=True,
    )

    node: Node = Node()
    ami: AmiOptions = AmiOptions()
    agi: AgiOptions = AgiOptions()
    tap: TapOptions = TapOptions()
    limits: Limits = Limits()
    prompts: Prompts = Prompts()
    store: StoreOptions = StoreOptions()
    fleet: FleetOptions = FleetOptions()
    log: LogOptions = LogOptions()
    mqtt: MqttOptions = MqttOptions()
    webhooks: dict[Name, WebhookOptions] = Field(
        default_factory=dict, description="Receivers of events over HTTP, by name."
    )
    http: HttpOptions = HttpOptions()
    web: WebOptions = WebOptions()
    alerts: AlertRules = AlertRules()
    privacy: PrivacyRules = PrivacyRules()
    rings: RingRules = RingRules()
    standards: StandardsOptions = StandardsOptions()
    evaluation: EvaluationRules = EvaluationRules()
    ratings: RatingRules = Field(RatingRules(), json_schema_extra=RELOADS)
    callbacks: CallbackRules = CallbackRules()
    greetings: GreetingRules = Field(GreetingRules(), json_schema_extra=RELOADS)
    assist: AssistRules = Field(AssistRules(), json_schema_extra=RELOADS)
    ladders: dict[Name, Ladder] = Field(SHIPPED_LADDERS, description="Ladders by name.", json_schema_extra=RELOADS)
    profiles: dict[Name, Profile] = Field(
        {"default": Profile()}, description="Profiles by the name in the dialplan.", json_schema_extra=RELOADS
    )
    queues: dict[QueueName, QueueTarget] = Field({"default": QueueTarget()}, description="Service standards by queue.")

    @model_validator(mode="before")
    @classmethod
    def _keep_defaults(cls, data: dict[str, Any]) -> dict[str, Any]:
        """Keep the shipped ladders, profile and queue beside those of the site."""
        shipped: dict[str, dict[str, Any]] = {
            "ladders": SHIPPED_LADDERS,
            "profiles": {"default": Profile()},
            "queues": {"default": QueueTarget()},
        }
        for name, defaults in shipped.items():
            own = data.get(name, {})
            data[name] = defaults | own if isinstance(own, dict) else own
        return data

    @model_validator(mode="after")
    def _names_exist(self) -> Self:
        for key in ("ladder", "quiet_ladder", "nuisance_ladder"):
            ladder = getattr(self.assist, key)
            if ladder not in self.ladders:
                raise ValueError(f"assist.{key}: there is no ladder {ladder!r} in {list(self.ladders)}")
        first = self.ladders[self.assist.nuisance_ladder].rungs[0]
        if first.prompt is None or first.then != "next":
            raise ValueError('assist.nuisance_ladder: the first rung must ask the caller (a prompt, then = "next")')
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
        """The environment wins over secrets in files, and these over the settings file."""
        return Environment(settings_cls), InitSettingsSource(settings_cls, credentials(settings_cls)), init_settings

    def procedures(self) -> Procedures:
        """The settings that the screening core needs."""
        return Procedures(
            profiles=self.profiles,
            ladders=self.ladders,
            languages=self.prompts.languages,
            default_language=self.prompts.default_language,
            max_calls=self.limits.max_calls,
            max_lag_s=self.limits.max_lag_s,
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
    """A file without permission counts as present: reading it then reports why it fails."""
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
        return toml_of(file.read_text("utf-8"))
    except OSError as error:
        remedy = "give another with --config or CALLFLOW_CONFIG, or make one: callflow settings example > FILE"
        raise SettingError(str(file), f"the settings file cannot be read ({error.strerror})", remedy) from None
    except ValueError as error:
        raise SettingError(str(file), f"not valid TOML: {error}", "correct the line named here") from None
