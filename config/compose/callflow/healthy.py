"""Exit 0 while the daemon listens for FastAGI and is connected to the AMI, else say what is missing and exit 1."""

import sys
from pathlib import Path

AGI_PORT = 4573
AMI_PORT = 5038
AMI_CONNECTIONS = 2  # one for events, one for actions
ESTABLISHED, LISTENING = "01", "0A"


def main() -> int:
    """Look at the IPv4 connections of this network namespace; columns 1 to 3 are local, remote and state."""
    rows = [line.split()[1:4] for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    listens = any(_port(local) == AGI_PORT and state == LISTENING for local, _, state in rows)
    connected = sum(_port(remote) == AMI_PORT and state == ESTABLISHED for _, remote, state in rows)
    if not listens:
        print(f"nobody listens for FastAGI on port {AGI_PORT}")
    if connected < AMI_CONNECTIONS:
        print(f"{connected} of {AMI_CONNECTIONS} connections to the AMI on port {AMI_PORT}")
    return 0 if listens and connected >= AMI_CONNECTIONS else 1


def _port(address: str) -> int:
    return int(address.rpartition(":")[2], 16)


if __name__ == "__main__":
    sys.exit(main())
