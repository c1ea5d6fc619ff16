"""A publishing daemon in a process of its own, to be killed: tells of calls and says which it has saved.

python -m tests.webhooks.posting_process FOLDER PORT FIRST NUMBER
"""

import asyncio
import sys
from pathlib import Path

from tests.mqtt.sending import sending
from tests.webhooks.receiver import Receiver, webhooks_to


async def main(folder: Path, port: int, first: int, number: int) -> None:
    """Prints the event ids of each call once they are on the disk."""
    async with sending(folder, {"enabled": False}, webhooks=webhooks_to(Receiver(port=port))) as sender:
        for call in range(first, first + number):
            before = set(sender.wanted)
            sender.tell(call)
            assert await sender.store.flush(5)
            print(*(sender.wanted - before), flush=True)
        await asyncio.sleep(3600)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])))
