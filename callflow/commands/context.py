"""The settings for all commands, read only when a command needs them."""

import getpass
from pathlib import Path
from typing import TYPE_CHECKING

from callflow.errors import SettingError
from callflow.settings.model import Settings, find_config, load_settings

if TYPE_CHECKING:
    from callflow.adapters.store.places import Where


class Context:
    """Typer's context object."""

    def __init__(self, config: Path | None) -> None:
        self._config = config

    def settings(self) -> Settings:
        """The settings; raises SettingError."""
        return load_settings(self._config)

    def database_path(self) -> Path:
        """The database of the settings; raises SettingError."""
        return self.settings().store.path

    def records(self, named: str | None = None) -> "Where":
        """Where reports read: as named, else the fleet's database of the settings, else this node's."""
        if named is not None:
            from callflow.adapters.store.places import where  # only a command that reads needs the database's library

            return where(named)
        settings = self.settings()
        return settings.fleet.database_url.get_secret_value() or settings.store.path

    def fleet_url(self, named: str | None = None) -> str:
        """The fleet's database: as named, else that of the settings; raises SettingError without one."""
        url = named or self.settings().fleet.database_url.get_secret_value()
        if not url:
            raise SettingError(
                "[fleet] database_url",
                "no database of a fleet is named",
                "set it in the settings file, or CALLFLOW_FLEET__DATABASE_URL in the environment",
            )
        return url

    def config_file(self) -> Path | None:
        """The settings file in use, None without one."""
        return find_config(self._config)


def who(by: str = "") -> str:
    """Who does it: as said, or by the login."""
    try:
        return (by or getpass.getuser())[:64]
    except (KeyError, OSError):  # a user id without an account
        return "unknown"
