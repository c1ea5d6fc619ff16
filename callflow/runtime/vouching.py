"""What Asterisk knows of a FastAGI connection: its token, and that it belongs to the channel that it names."""

import secrets
import time
from typing import Protocol

import structlog
from pydantic import SecretStr

from callflow.adapters.agi.options import AUTO, AgiOptions
from callflow.errors import ActionRefused, ActionUnsafe, LinkError

RENEW_S = 1.0
"""At most so often is a token told again: strangers decide how many connections lack it."""

log = structlog.get_logger()


class TokenPhone(Protocol):
    """What is asked of AMI; both may raise LinkError."""

    async def prove_channel(self, uniqueid: str, proof: str) -> None: ...
    def give_token(self, token: str) -> None: ...


class Vouching:
    """Vouches for channels over AMI; `options` hold the token that the dialplan must send, "" for none."""

    def __init__(self, options: AgiOptions, phone: TokenPhone) -> None:
        self._phone = phone
        self._auto = options.token.get_secret_value() == AUTO
        self._renewed_s = 0.0
        made = {"token": SecretStr(secrets.token_hex(16))} if self._auto else {}
        self.options = options.model_copy(update=made)

    async def vouch(self, uniqueid: str, proof: str) -> bool | None:
        """True when the channel exists and now holds `proof`, False when there is no such channel, None without AMI."""
        try:
            await self._phone.prove_channel(uniqueid, proof)
        except ActionUnsafe:
            return False
        except ActionRefused as error:
            return False if error.message == "No such channel" else None
        except LinkError:
            return None
        return True

    def give_token(self) -> None:
        """Tell Asterisk the token that was made here; a token from the settings is in its dialplan already."""
        if not self._auto:
            return
        self._renewed_s = time.monotonic()
        try:
            self._phone.give_token(self.options.token.get_secret_value())
        except LinkError as error:
            log.debug("Asterisk was not told the FastAGI token", reason=str(error))

    def renew_token(self) -> None:
        """A call came without the token: a dialplan reload may have cleared Asterisk's global variables."""
        if time.monotonic() - self._renewed_s >= RENEW_S:
            self.give_token()
