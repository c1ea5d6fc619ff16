"""TLS: a broker that is not the one it says it is gets nothing."""

import subprocess
from pathlib import Path

import pytest

from callflow.adapters.mqtt.options import MqttOptions
from callflow.errors import SettingError
from callflow.processes.ports import PortBlock
from tests.mqtt.consumer import Consumer, consuming
from tests.mqtt.sending import sending
from tests.mqtt.waiting import soon
from tests.services.mosquitto import Broker, settings_for
from tests.services.programs import program


def make_certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that signs itself, and its key."""
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    command = [program("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    command += ["-nodes", "-days", "2", "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*command, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    return certificate, key


async def test_events_wait_until_the_certificate_is_the_right_one(tmp_path: Path, ports: PortBlock) -> None:
    ours, key = make_certificate(tmp_path, "broker")
    theirs, _ = make_certificate(tmp_path, "stranger")
    plain, secure = ports.named(), ports.named()
    lines = (f"listener {secure} 127.0.0.1", f"certfile {ours}", f"keyfile {key}")
    mqtt = dict(settings_for(secure)) | {"tls": True}
    consumer = Consumer()
    async with Broker(tmp_path / "mosquitto", plain, lines=lines), consuming(plain, consumer):
        async with sending(tmp_path / "d", mqtt | {"tls_ca_file": str(theirs)}) as sender:
            sender.tell(1)
            await soon(lambda: sender.link.counts["failures"] >= 2)
            assert consumer.table == {}
            wanted = sender.wanted
        async with sending(tmp_path / "d", mqtt | {"tls_ca_file": str(ours)}) as sender:
            await soon(lambda: len(consumer.table) == 3)
            consumer.assert_exactly_once_and_in_order(wanted)
            assert sender.link.connected


@pytest.mark.parametrize("setting", ["tls_ca_file", "tls_cert_file"])
def test_a_certificate_file_that_cannot_be_used_is_the_users_mistake(setting: str, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("no certificate\n")
    options = MqttOptions.model_validate({"tls": True, setting: str(wrong)})
    with pytest.raises(SettingError, match=rf"\[mqtt\] {setting}"):
        options.tls_context()
