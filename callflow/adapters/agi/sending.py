"""Lines to Asterisk over FastAGI."""

import asyncio


def sent(writer: asyncio.StreamWriter, line: str) -> bool:
    """Send a line; False if the connection has gone, which uvloop answers with RuntimeError and asyncio not at all."""
    if writer.is_closing():
        return False
    writer.write(line.encode("utf-8", "replace") + b"\n")
    return True
