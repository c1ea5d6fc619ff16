"""Takes the pictures of the page for README and docs: `python -m tests.docs.pictures` writes docs/images/page-*.png.

The page is a real one, before made-up days of calls; it needs Debian's Chromium (`make lab-services`).
"""

import asyncio
import tempfile
import time
from pathlib import Path

from callflow.adapters.store.store import Store
from callflow.core.screening.states import Result
from callflow.web.options import WebOptions
from callflow.web.server import WebServer, tokens_of
from callflow.web.tokens import Role
from tests.adapters.waiting import until
from tests.docs.diagram import DOCS
from tests.services.chromium import browser
from tests.store.plausible_day import MIDNIGHT, plausible_day
from tests.store.samples import ended, live_call, silent_story
from tests.web.browser.conftest import busy_floor

DAY_MS = 86_400_000
NOW_MS = MIDNIGHT + 3 * DAY_MS - 6 * 3_600_000
PAGES = {
    "now": ("now", ".tile", "light", "en-GB"),
    "rings": ("rings", "canvas", "light", "en-GB"),
    "silence": ("silence", "canvas", "dark", "zh-CN"),
    "call": ("call/main/silent-1", "svg.picture", "light", "en-GB"),
}
"""By the name of the picture: the address, what must be there, the theme and the language."""


async def take(images: Path = DOCS / "images") -> None:
    """Write every picture to `images`."""
    with tempfile.TemporaryDirectory(prefix="callflow-pictures-") as folder:
        database = Path(folder) / "callflow.db"
        with Store(database, "main") as store:
            for day in range(3):
                for record in plausible_day(400, 5, day + 1, MIDNIGHT + day * DAY_MS):
                    store.save(record, final=True)
            call = live_call("silent-1", NOW_MS - 60_000)
            store.save(call, final=False)
            for entry in silent_story(NOW_MS - 60_000):
                store.add_to_timeline("silent-1", entry)
            store.save(ended(call, Result.SILENT, 20_019), final=True)
        floor, options = busy_floor(), WebOptions(port=0)
        began = time.monotonic()
        shift_ms = NOW_MS - floor.now_ms
        for value in floor.state.values():
            for name in ("since_ms", "oldest_ms", "arrived_ms"):
                if value.get(name):
                    value[name] += shift_ms
        server = WebServer(
            options, database, lambda: NOW_MS + int(1000 * (time.monotonic() - began)), lambda: floor.state
        )
        server.start()
        await until(lambda: server.port)
        _, secret = tokens_of(options, database).add("pictures", Role.ADMIN)
        try:
            async with browser() as chromium:
                for name, (page, there, theme, language) in PAGES.items():
                    context = await chromium.new_context(
                        viewport={"width": 1280, "height": 720},
                        locale=language,
                        color_scheme="dark" if theme == "dark" else "light",
                        timezone_id="Asia/Shanghai",
                    )
                    await context.clock.set_system_time(NOW_MS / 1000)
                    tab = await context.new_page()
                    await tab.goto(f"http://127.0.0.1:{server.port}/#token={secret}")
                    await tab.wait_for_selector(".tile")
                    await tab.evaluate("page => { location.hash = '#/' + page }", page)
                    await tab.wait_for_selector(there)
                    await tab.wait_for_selector(".freshness.fresh")
                    await tab.screenshot(path=images / f"page-{name}.png")
                    await context.close()
        finally:
            await server.stop()


if __name__ == "__main__":
    asyncio.run(take())
