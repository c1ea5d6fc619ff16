"""What the dialplan notes in Asterisk's database of calls that callflow may not know: [callflow-note]."""

from callflow.adapters.ami.link import AmiLink
from callflow.errors import ActionRefused

FAMILY, COUNTER = "callflow", "CALLFLOW_NOTED"


class CallNotes:
    """Reads and deletes notes; every method raises NotConnected, ActionTimeout or ActionUnsafe."""

    def __init__(self, link: AmiLink) -> None:
        self._link = link

    async def names(self) -> list[str]:
        """Names of the first notes, as many as the 1,023 bytes of an answer hold; the last may be cut off."""
        return [name for name in (await self._read(f"DB_KEYS({FAMILY})")).split(",") if name]

    async def text(self, name: str) -> str:
        """The text of a note, "" when there is none."""
        try:
            answer = await self._link.action_list("DBGet", Family=FAMILY, Key=name)
        except ActionRefused:
            return ""
        return next((entry["Val"] for entry in answer if "Val" in entry), "")

    async def delete(self, name: str) -> None:
        """Delete a note, if it is there."""
        await self._write(f"DB_DELETE({FAMILY}/{name})", "")

    async def counted(self) -> int:
        """How many calls the dialplan has counted since `count_anew`, also beyond those that it notes."""
        counted = await self._read(COUNTER)
        return int(counted) if counted.isdecimal() else 0

    async def count_anew(self) -> None:
        """Have the dialplan count from 0, so that it notes calls again."""
        await self._write(COUNTER, "0")

    async def _read(self, variable: str) -> str:
        """A global variable, or a function that needs no channel; "" where Asterisk has none of that name."""
        try:
            return (await self._link.action("Getvar", Variable=variable)).get("Value", "")
        except ActionRefused:
            return ""

    async def _write(self, variable: str, value: str) -> None:
        try:
            await self._link.action("Setvar", Variable=variable, Value=value)
        except ActionRefused:
            return
