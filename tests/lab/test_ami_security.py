"""The shipped AMI user on a real Asterisk: it may do what callflow needs and nothing else; and AMI over TLS."""

import ast
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import mkdtemp

import pytest
import tomli_w

from callflow.checks.ami import NEEDED_ACTIONS
from callflow.installed import PACKAGE
from callflow.lab.ami import AmiClient
from callflow.lab.lab import Lab, open_lab
from callflow.processes.ports import PortBlock
from callflow.processes.process import LAB_FOLDER, Process
from callflow.scenarios.site import AMI_SECRET, AMI_USER, Version
from tests import labs
from tests.lab.installed_system import verdicts
from tests.mqtt.test_tls import make_certificate

pytestmark = [pytest.mark.lab]

SENDERS = ("action", "action_list", "ask", "tell")
ACTION = re.compile(r"[A-Z][A-Za-z0-9]+")
OF_THE_LAB = {"lab", "simulator", "scenarios", "captures", "processes"}
"""Packages that speak AMI as another user, or in place of Asterisk."""
DANGEROUS = {
    *(
        "Command",
        "Reload",
        "ModuleLoad",
        "UpdateConfig",
        "CreateConfig",
        "GetConfig",
        "GetConfigJSON",
        "DBPut",
        "DBDel",
    ),
    *(
        "DBDelTree",
        "AOCMessage",
        "UserEvent",
        "MessageSend",
        "PJSIPNotify",
        "JabberSend",
        "DialplanExtensionAdd",
    ),
}
ALWAYS = {
    "Challenge",
    "Login",
    "Logoff",
    "Events",
    "ListCommands",
    "Ping",
    "WaitEvent",
    "Filter",
    "QueueStatus",
    "Queues",
}
"""Allowed to every user; they change only the user's own session."""


def sent_by_callflow() -> set[str]:
    """Every AMI action named in callflow's code."""
    files = [file for file in PACKAGE.rglob("*.py") if file.relative_to(PACKAGE).parts[0] not in OF_THE_LAB]
    calls = (node for file in files for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call))
    return {
        call.args[0].value
        for call in calls
        if isinstance(call.func, ast.Attribute) and call.func.attr in SENDERS and call.args
        if isinstance(call.args[0], ast.Constant) and isinstance(call.args[0].value, str)
        if ACTION.fullmatch(call.args[0].value)
    }


async def listed(client: AmiClient) -> set[str]:
    return set(await client.action("ListCommands")) - {"Response", "ActionID", "Message"}


@pytest.mark.parametrize("version", labs.EACH_ASTERISK)
async def test_the_shipped_user_may_do_what_callflow_needs_and_no_more(version: Version, tmp_path: Path) -> None:
    needed = sent_by_callflow()
    assert set(NEEDED_ACTIONS) <= needed
    async with open_lab(version) as lab:
        user = await AmiClient.connect(lab.asterisk.ports.ami, AMI_USER, AMI_SECRET)
        try:
            allowed, known = await listed(user), await listed(lab.asterisk.ami)
            assert needed - allowed == set()
            assert allowed & DANGEROUS == set()
            assert len(known - allowed) >= 30
            for action in sorted(needed - ALWAYS):  # without parameters, so that it does nothing
                answer = await user.action(action)
                assert "ermission" not in answer.get("Message", ""), f"{action}: {answer['Message']}"
            assert DANGEROUS & known - ALWAYS >= {"Command", "Reload", "ModuleLoad", "UpdateConfig", "DBPut"}
            for action in sorted(known - allowed - ALWAYS):
                answer = await user.action(action)
                assert answer["Response"] == "Error", action
                assert "ermission" in answer["Message"], f"{action}: {answer['Message']}"
            await refuses_programs(user, lab)
        finally:
            await user.close()


async def refuses_programs(user: AmiClient, lab: Lab) -> None:
    """It cannot run a program of the machine through an application or a dialplan function."""
    trace = lab.work / "a-program-ran"
    shell = f"SHELL(touch {trace})"
    await user.action("Getvar", Variable=shell)
    await user.action("Setvar", Variable=shell, Value="1")
    for application in ("System", "TrySystem", "AGI", "ExternalIVR", "EAGI"):
        answer = await user.action(
            "Originate", Channel="Local/still@callflow-check", Application=application, Data=f"touch {trace}"
        )
        assert answer["Response"] == "Error", application
    await user.action("Ping")
    assert not trace.exists()


@pytest.fixture
def certificates() -> Iterator[Path]:
    """A folder that the lab's Asterisk can read, with a certificate and its key, and a certificate of a stranger."""
    LAB_FOLDER.mkdir(parents=True, exist_ok=True)
    folder = Path(mkdtemp(prefix="tls-", dir=LAB_FOLDER))
    for name in ("asterisk", "stranger"):
        make_certificate(folder, name)
    yield folder
    shutil.rmtree(folder)


async def check(lab: Lab, name: str, ami: Mapping[str, object]) -> tuple[int, str]:
    """Exit code and output of `callflow check` with these settings of [ami]."""
    settings = lab.work / f"{name}.toml"
    settings.write_text(tomli_w.dumps(lab.config({"ami": dict(ami)})))
    command = [sys.executable, "-m", "callflow", "--config", str(settings), "check"]
    process = await Process.start(command, lab.work, name)
    return await process.wait(60), process.output.read_text()


@pytest.mark.parametrize("version", labs.EACH_ASTERISK)
async def test_ami_over_tls_and_only_with_the_right_certificate(version: Version, certificates: Path) -> None:
    port = 0

    def with_tls(ports: PortBlock) -> Mapping[str, str]:
        nonlocal port
        port = ports.named()
        lines = f"tlsenable = yes\ntlsbindaddr = 127.0.0.1:{port}\n"
        files = f"tlscertfile = {certificates}/asterisk.pem\ntlsprivatekey = {certificates}/asterisk.key\n"
        return {"manager.conf": f"\n[general](+)\n{lines}{files}"}

    async with open_lab(version, additions=with_tls) as lab:
        tls = {"port": port, "tls": True}
        code, output = await check(lab, "right", tls | {"tls_ca_file": str(certificates / "asterisk.pem")})
        assert code == 0, output
        found = verdicts(output)
        assert (found["AMI login"], found["hearing"], found["rings"]) == ("ok", "ok", "ok")
        code, output = await check(lab, "stranger", tls | {"tls_ca_file": str(certificates / "stranger.pem")})
        assert code == 1
        assert verdicts(output)["AMI login"] == "FAIL"
        daemon = await lab.start_daemon({"ami": tls | {"tls_ca_file": str(certificates / "asterisk.pem")}})
        assert "AMI is connected" in daemon.log.read_text()
