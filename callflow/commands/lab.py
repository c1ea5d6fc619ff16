"""`callflow lab`: a real Asterisk with real callers, for the demo, the tests and the benchmarks.

It needs the `lab` extra (numpy, dpkt, tomli-w) and a checkout of the project, with its dialplan and scenarios.
"""

import asyncio
from typing import Annotated

import typer
from rich.console import Console

from callflow.errors import LabError

lab_app = typer.Typer(
    help="A real Asterisk with real SIP callers on this machine: for the demo, tests and benchmarks.\n\n"
    "As root on Debian, the lab makes its own root directories under ~/.cache/callflow/lab "
    "($CALLFLOW_LAB_CACHE). Otherwise asterisk, sipp and tcpdump must be on PATH.",
    no_args_is_help=True,
)
VersionOption = Annotated[str, typer.Option("--asterisk", help="Release of Asterisk: 22 or 16.")]


def _check_extra() -> None:
    try:
        import dpkt  # noqa: F401
        import numpy  # noqa: F401
        import tomli_w  # noqa: F401
    except ImportError as error:
        raise LabError(f"the lab needs the Python package {error.name}", "run `make setup` in a checkout") from None


@lab_app.callback()
def _prepare() -> None:
    _check_extra()


@lab_app.command()
def make() -> None:
    """Make (or find) the root directories with Asterisk 22 and 16; the first time takes under two minutes.

    Example: `callflow lab make`
    """
    from callflow.lab.roots import asterisk_root, make_roots
    from callflow.scenarios.site import VERSIONS

    console = Console(stderr=True)
    for version in VERSIONS:
        asterisk_root(version)
    for path in make_roots(console=console):
        console.print(f"[green]ready[/] {path}", highlight=False)


@lab_app.command()
def demo(version: VersionOption = "22") -> None:
    """Place twelve different calls at once with real SIP and RTP, shown live; then judge each from its packets.

    Same as `callflow simulate demo --lab 22`. Exit code 0: every call ended as it should.

    Example: `callflow lab demo`
    """
    from callflow.commands.simulate import lab_stage, play
    from callflow.scenarios.scenario import find_scenario, read_scenario

    well = play(read_scenario(find_scenario("demo")), lab_stage(version), Console(highlight=False))
    raise typer.Exit(0 if well else 1)


@lab_app.command()
def scenarios(
    names: Annotated[list[str] | None, typer.Argument(help="Names of scenarios. Default: all.")] = None,
    version: VersionOption = "22",
) -> None:
    """Run scenarios of tests/lab side by side, and judge each call from its packets.

    Example: `callflow lab scenarios speaks-in-goodbye clicks --asterisk 16`
    """
    from callflow.commands.simulate import show_end
    from callflow.lab.screening.run import SCENARIOS, run_scenarios, screened_lab
    from callflow.lab.screening.scenario import read_scenarios
    from callflow.lab.screening.seen import WITNESS, seen_outcome
    from callflow.scenarios.tables import call_table
    from callflow.scenarios.tally import Tally

    console = Console(highlight=False)
    chosen = read_scenarios(SCENARIOS, tuple(names or ()))

    async def run() -> Tally:
        async with screened_lab(_version(version)) as lab:
            with console.status(f"{len(chosen)} callers on Asterisk {version}"):
                outcomes = await run_scenarios(lab, chosen)
        tally = Tally(placed=len(outcomes))
        for outcome in outcomes:
            tally.add(seen_outcome(outcome))
        return tally

    tally = asyncio.run(run())
    console.print(call_table(tally.calls, WITNESS))
    show_end(tally, console)
    raise typer.Exit(0 if tally.succeeded else 1)


@lab_app.command()
def bench(
    version: VersionOption = "22",
    quick: Annotated[
        bool, typer.Option("--quick", help="Half a minute: tests the benchmark, measures little.")
    ] = False,
) -> None:
    """Measure how late prompts start, CPU and memory per call at 5, 20 and 50 calls, and the reaction to speech.

    Example: `callflow lab bench`
    """
    from callflow.lab.bench import run_bench

    asyncio.run(run_bench(_version(version), Console(), quick=quick))


def _version(text: str):  # type: ignore[no-untyped-def]
    from callflow.scenarios.site import VERSIONS

    for version in VERSIONS:
        if version == text:
            return version
    raise LabError(f"there is no lab for Asterisk {text}", f"choose one of {', '.join(VERSIONS)}")
