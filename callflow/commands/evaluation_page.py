"""The evaluation as a page to print: one sheet of paper for each agent, without scripts and without other files."""

from collections.abc import Sequence
from html import escape

Told = tuple[str, list[tuple[str, str, str]], list[tuple[str, str]]]
"""The agent, (figure, the agent's, the team's) for each figure, and (hint, rule) for each hint."""

_STYLE = """
body { font: 11pt/1.4 sans-serif; margin: 2em auto; max-width: 45em; color: #111; }
section { break-after: page; margin-bottom: 3em; }
section:last-of-type { break-after: auto; }
h1 { font-size: 1.3em; margin-bottom: 0; }
table { border-collapse: collapse; width: 100%; margin: 1em 0; }
th, td { border-bottom: 1px solid #ccc; padding: .2em .5em; text-align: right; }
th:first-child, td:first-child { text-align: left; }
.rule, footer { color: #555; font-size: .9em; }
@media print { body { margin: 0; max-width: none; } }
"""


def page(period: str, agents: Sequence[Told], rules: Sequence[str]) -> str:
    """The whole document; every text is escaped."""
    sheets = "".join(_sheet(period, told, rules) for told in agents) or "<p>There are no records in this period.</p>"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>Evaluation, {escape(period)}</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n{sheets}</body>\n</html>\n"
    )


def _sheet(period: str, told: Told, rules: Sequence[str]) -> str:
    agent, figures, hints = told
    rows = "".join(
        f"<tr><td>{escape(name)}</td><td>{escape(own)}</td><td>{escape(team)}</td></tr>\n"
        for name, own, team in figures
    )
    found = "".join(
        f'<li>{escape(text)}<br><span class="rule">Rule: {escape(rule)}</span></li>\n' for text, rule in hints
    )
    return (
        f"<section>\n<h1>Agent {escape(agent)}</h1>\n<p>{escape(period)}</p>\n"
        "<table>\n<tr><th>Figure</th><th>Agent</th><th>Team</th></tr>\n"
        f"{rows}</table>\n<h2>Hints</h2>\n"
        + (f"<ul>\n{found}</ul>\n" if found else "<p>None of the rules applies.</p>\n")
        + "<footer><p>The rules:</p><ul>"
        + "".join(f"<li>{escape(rule)}</li>" for rule in rules)
        + "</ul></footer>\n</section>\n"
    )
