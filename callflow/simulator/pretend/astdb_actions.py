"""AMI's actions on AstDB, as far as the daemon uses them."""

from callflow.simulator.pretend.ami_server import AmiSession, Request
from callflow.simulator.pretend.astdb import AstDb

MOST_BYTES = 1023
"""What Getvar answers of a function's value."""


def read_function(astdb: AstDb, name: str) -> str | None:
    """The value with which Getvar answers; None when it is no function of the database."""
    value = astdb.read(name)
    return None if value is None else value.encode()[:MOST_BYTES].decode(errors="ignore")


def db_get(astdb: AstDb, session: AmiSession, request: Request) -> None:
    """DBGet: one entry, as a list."""
    family, key = request.get("Family"), request.get("Key")
    if not family:
        session.error(request, "No family specified.")
    elif not key:
        session.error(request, "No key specified.")
    elif (value := astdb.value(family, key)) is None:
        session.error(request, "Database entry not found")
    else:
        session.success(request, "EventList: start", "Message: Result will follow")
        entry = f"Event: DBGetResponse\r\nFamily: {family}\r\nKey: {key}\r\nVal: {value}\r\n"
        session.send(f"{entry}ActionID: {request.get('ActionID')}\r\n\r\n".encode("utf-8", "surrogateescape"))
        session.entry("DBGetComplete", request, "EventList: Complete\r\nListItems: 1\r\n")
