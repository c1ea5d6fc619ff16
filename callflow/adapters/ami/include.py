"""The versions of callflow.conf and features_callflow.conf: raised when file and daemon say new things to each other.

The dialplan cannot be seen but over AMI, and the map of feature codes only when a code is typed in a test call.
"""

from collections.abc import Iterable, Mapping

from callflow.adapters.ami.link import AmiLink
from callflow.errors import ActionRefused

DIALPLAN_VERSION = 1
FEATURES_VERSION = 1
VERSION_CONTEXT = "callflow-version"
"""Its one extension is the version. An include of before it had one has version 0."""
LACKS: Mapping[int, str] = {
    1: "callers are screened; but a silent caller whom assistance parts from an agent goes back to the queue, whispers "
    "and feature codes may do nothing, and calls that come while the daemon is down are not recorded",
}
"""What callers get as long as the include is older than this version."""
REMEDY = (
    "callflow install, which writes this release's files and reloads Asterisk; a file that you have changed stays, "
    "and the new one lies beside it (.callflow-new)"
)


async def loaded_version(link: AmiLink) -> int:
    """The version of the include that Asterisk has loaded, 0 for an older one or none; raises LinkError."""
    try:
        return version_in(await link.action_list("ShowDialPlan", Context=VERSION_CONTEXT))
    except ActionRefused as error:
        if error.message.startswith("Did not find context"):
            return 0
        raise


def version_in(lines: Iterable[Mapping[str, str]]) -> int:
    """The version in a list of the dialplan."""
    found = (line.get("Extension", "") for line in lines if line.get("Context") == VERSION_CONTEXT)
    return max((int(extension) for extension in found if extension.isdecimal()), default=0)


def differs(version: int) -> tuple[str, str] | None:
    """How the loaded include differs from this release's, and what callers get meanwhile; None if it does not."""
    if version > DIALPLAN_VERSION:
        return "Asterisk has loaded the callflow.conf of a newer release", "callers are screened; the rest is not known"
    if version < DIALPLAN_VERSION:
        missed = (LACKS[each] for each in range(version + 1, DIALPLAN_VERSION + 1))
        return "Asterisk has not loaded the callflow.conf of this release", "; ".join(missed)
    return None
