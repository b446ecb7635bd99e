"""A plan as a notebook shows it."""

from __future__ import annotations

from html import escape

from hcs_core.compiler.plan import Plan
from hcs_core.compiler.views.tables import PlanTable, plan_facts, plan_needs, plan_tables


def plan_html(plan: Plan) -> str:
    """Return a plan as HTML: problems first, then facts and tables; every text in it is escaped."""
    facts = (*plan_facts(plan), *(() if plan.problems else plan_needs(plan)))
    parts = [
        _problems(plan),
        _rows([f"<th>{escape(word)}</th><td>{escape(text)}</td>" for word, text in facts]),
        *map(_table, plan_tables(plan)),
    ]
    return f'<div class="hcs-plan">{"".join(parts)}</div>'


def _problems(plan: Plan) -> str:
    if not plan.problems:
        return ""
    listed = "".join(f"<li>{escape(str(problem))}</li>" for problem in plan.problems)
    return f"<p><b>It cannot run:</b></p><ul>{listed}</ul>"


def _table(table: PlanTable) -> str:
    head = "".join(f"<th>{escape(column)}</th>" for column in table.columns)
    body = ["".join(f"<td>{escape(cell)}</td>" for cell in row) for row in table.rows]
    return f"<p><b>{escape(table.title)}</b></p>{_rows([head, *body])}"


def _rows(rows: list[str]) -> str:
    return f"<table>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>"
