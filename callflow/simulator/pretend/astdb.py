"""AstDB, Asterisk's own database: its entries, and the dialplan functions that read and write them."""

from callflow.simulator.pretend.program.substitution import call


class AstDb:
    """Values by FAMILY/KEY. It is a file: a restart leaves it as it is."""

    def __init__(self) -> None:
        self._values: dict[str, str] = {}

    def value(self, family: str, key: str) -> str | None:
        """The value of an entry; None without one."""
        return self._values.get(f"{family}/{key}")

    def read(self, name: str) -> str | None:
        """A function of the database; None when it is none of ours."""
        function, path = call(name)
        match function:
            case "DB":
                return self._values.get(path, "")
            case "DB_KEYS":
                return ",".join(self._keys(path))
        return None

    def write(self, name: str, value: str) -> bool:
        """Set a function of the database; False when it is none of ours."""
        function, path = call(name)
        match function:
            case "DB":
                self._values[path] = value
            case "DB_DELETE":
                self._values.pop(path, None)
            case _:
                return False
        return True

    def _keys(self, path: str) -> list[str]:
        """What stands behind `path`, up to the next slash, in the order of the alphabet."""
        rests = (name[len(path) + 1 :] for name in self._values if name.startswith(f"{path}/"))
        return sorted({rest.partition("/")[0] for rest in rests})
