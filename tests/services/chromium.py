"""Debian's Chromium, headless, for tests of the page."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, async_playwright

from tests.services.programs import program

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]


@asynccontextmanager
async def browser() -> AsyncIterator[Browser]:
    """A browser that ends with the context."""
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=program("chromium"), args=ARGUMENTS)
        try:
            yield started
        finally:
            await started.close()
