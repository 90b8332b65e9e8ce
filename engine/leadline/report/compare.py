"""What `leadline compare` prints: changes with the worst first, one column, many months."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from rich.console import RenderableType
from rich.text import Text

from ..compare import CategoryChange, ColumnComparison, Comparison, Judgement, Verdict
from ..compare.schema_changes import SchemaChangeKind
from ..compare.verdict import ASSUMPTION
from ..estimate import Estimate
from ..profile import ColumnProfile
from .bars import shares, tallest
from .layout import Field, heading, line, note, wrapped
from .text import bars, number, printable, scalar, share, titled

NAME, VERDICT, EFFECT, FIGURE = 14, 14, 23, 13
EFFECT_NAME = 10
MOST_BARS = 40
STYLES = {
    Verdict.DRIFT: "bold red",
    Verdict.POSSIBLE: "yellow",
    Verdict.NONE: "green",
    Verdict.NOT_COMPARABLE: "dim",
}
SHORT = {"total_variation": "total var.", "cohens_h": "Cohen's h", "jensen_shannon": "js"}
TITLES = {"missing": "missing, h", "empty": "empty, h", "gaps": "gaps, h"}
CHANGED = (Verdict.DRIFT, Verdict.POSSIBLE)
MOST_NAMES = 6
STATISTIC_WIDTHS = (18, 12, 19, 19, 8)  # 80 cells with the gaps
MOST_RANKED = 10
SEGMENT, SHARE, ROWS = 18, 5, 11
MOST_LINES = 8  # of drifted columns of one segment


def comparison_report(
    result: Comparison,
    *,
    reference: str,
    current: str,
    width: int,
    statistics: Sequence[str] = (),
) -> list[RenderableType]:
    """Print a comparison: changed columns with both distributions, the others in a line each.

    Statistics asked for by name follow in a table of their own.
    """
    table = _Table(width, max((len(name) for name in result.names), default=0))
    columns = result.worst_first
    changed = [column for column in columns if column.verdict in CHANGED]
    stable = [column for column in columns if column.verdict is Verdict.NONE]
    others = [column for column in columns if column.verdict is Verdict.NOT_COMPARABLE]
    parts: list[RenderableType] = [*_head(result, reference, current), ""]
    if changed or stable:
        parts.append(table.header())
    for column in changed:
        parts += table.pair(column)
    parts += [table.single(column) for column in stable]
    if others:
        parts += ["", note("not comparable:")]
        parts += [table.refused(column) for column in others]
    if result.ranking:
        parts += ["", *_ranking(result, table.name, width)]
    if result.segments:
        parts += ["", *_segments(result, width)]
    if statistics:
        parts += ["", *_asked(columns, statistics, table.name)]
    return parts


def column_report(column: ColumnComparison, *, width: int) -> list[RenderableType]:
    """Everything about one compared column: both verdicts, all statistics, categories, bars."""
    parts: list[RenderableType] = [
        heading(titled(column.name), column.kind, f"role {column.role.value}"),
        Text(printable(column.values.reason), style=STYLES[column.values.verdict]),
        Text(_missing_sentence(column), style=STYLES[column.missing.verdict]),
        *(
            Text(printable(f"{name}, {one.reason}"), style=STYLES[one.verdict])
            for name, one in column.aspects.items()
        ),
    ]
    if column.change:
        parts.append(Text(printable("; ".join(column.change))))
    if column.statistics:
        parts += ["", _statistics_header()]
        parts += [_statistic_line(column, name) for name in column.statistics]
    for name, own in column.custom.items():
        parts.append(Text(f"{name} (own summary): {own.value:.6g}"))
    parts += ["", *_quality(column)]
    sides = [side for side in (column.reference, column.current) if side is not None]
    if len(sides) == 2:
        parts += ["", *_large_bars(sides, width)]
    for title, change in (("unseen in the reference", column.unseen), ("gone", column.vanished)):
        if len(change):
            parts += ["", Text(_categories(title, change))]
    return parts


def drift_table(results: Mapping[str, Comparison], *, width: int) -> list[RenderableType]:
    """Columns that drifted in any of several comparisons, the worst first, against one reference.

    Parameters
    ----------
    results
        Comparisons by title, in the order of the table's columns.
    width
        Terminal cells.
    """
    sizes: dict[str, float] = {}
    missing: dict[str, list[str]] = {}
    for title, result in results.items():
        for column in result:
            if column.values.verdict is Verdict.DRIFT:
                sizes[column.name] = sizes.get(column.name, 0.0) + column.values.excess
            if column.missing.verdict is Verdict.DRIFT:
                missing.setdefault(column.name, []).append(title)
    cell = max((width - 2 * NAME) // max(len(results), 1) - 1, 8)
    titles = [Field(title, cell, right=True, style="dim") for title in results]
    head = [Field("column", NAME, style="dim"), Field("effect", EFFECT_NAME, style="dim")]
    parts: list[RenderableType] = [line([*head, *titles])]
    for name in sorted(sizes, key=lambda name: -sizes[name]):
        found = [result[name].values for result in results.values()]
        cells = [Field(_cell(part), cell, True, STYLES[part.verdict]) for part in found]
        effect = next(part.effect.name for part in found if part.effect is not None)
        title = SHORT.get(effect, effect)
        lead = [Field(titled(name), NAME, style="bold"), Field(title, EFFECT_NAME)]
        parts.append(line([*lead, *cells]))
    if not sizes:
        parts.append(note("no column drifted"))
    parts.append(note(f"* drift, ? possible; {ASSUMPTION}"))
    if missing:
        often = sorted(missing, key=lambda name: -len(missing[name]))
        told = ", ".join(f"{titled(name)} ({len(missing[name])})" for name in often)
        parts += ["", Text(printable(f"Share of missing rows drifted (times): {told}"))]
    return parts


class _Table:
    """Widths of the columns' table for one width of the terminal."""

    def __init__(self, width: int, longest: int) -> None:
        self.name = max(NAME, min(longest, width // 5))
        fixed = self.name + VERDICT + EFFECT + FIGURE + 4
        self.bars = max(min(width - fixed, MOST_BARS), 8)
        self.rest = max(width - self.name - 1, 40)

    def header(self) -> Text:
        distributions = "reference over current" if self.bars >= 22 else "ref. / cur."
        titles = ("column", "verdict", "effect", distributions, "mean or top")
        widths = (self.name, VERDICT, EFFECT, self.bars, FIGURE)
        fields = [Field(text, size, style="dim") for text, size in zip(titles, widths, strict=True)]
        return line(fields)

    def pair(self, column: ColumnComparison) -> list[Text]:
        """Two lines: the effect beside the reference, its interval beside the current side."""
        above, below = self._distributions(column)
        effect, value, interval = _judged(column)
        first = [*self._lead(column), Field(f"{effect} {value}", EFFECT)]
        second = [Field("", self.name), Field(self._aside(column), VERDICT, style="dim")]
        second.append(Field(interval, EFFECT, style="dim"))
        return [
            line(
                [
                    *first,
                    Field(above, self.bars, style="dim"),
                    Field(_figure(column, column.reference), FIGURE),
                ]
            ),
            line(
                [
                    *second,
                    Field(below, self.bars, style="cyan"),
                    Field(_figure(column, column.current), FIGURE),
                ]
            ),
        ]

    def single(self, column: ColumnComparison) -> Text:
        """One line: the effect and the current side's distribution."""
        effect, value, _ = _judged(column)
        _, below = self._distributions(column)
        lead = [*self._lead(column), Field(f"{effect} {value}", EFFECT)]
        return line(
            [
                *lead,
                Field(below, self.bars, style="cyan"),
                Field(_figure(column, column.current), FIGURE),
            ]
        )

    def refused(self, column: ColumnComparison) -> Text:
        reason = column.reason.removeprefix("not comparable: ")
        return line([Field(titled(column.name), self.name, style="bold"), Field(reason, self.rest)])

    def _lead(self, column: ColumnComparison) -> list[Field]:
        verdict = Field(column.verdict.value, VERDICT, style=STYLES[column.verdict])
        return [Field(titled(column.name), self.name, style="bold"), verdict]

    def _aside(self, column: ColumnComparison) -> str:
        """What the reader should know beside the verdict, in few words."""
        if column.retyped:
            return "type changed"
        if len(column.unseen):
            return f"{len(column.unseen):,} unseen"
        return ""

    def _distributions(self, column: ColumnComparison) -> tuple[str, str]:
        sides = [side for side in (column.reference, column.current) if side is not None]
        if len(sides) < 2:
            return "", ""
        first, second = shares(sides, self.bars)
        top = tallest([first, second], texts=sides[0].text is not None)
        return bars(first, top), bars(second, top)


def _head(result: Comparison, reference: str, current: str) -> list[RenderableType]:
    counts = dict.fromkeys(Verdict, 0)
    for column in result:
        counts[column.verdict] += 1
    verdict = Text("verdict ")
    verdict.append(result.verdict.value, style=STYLES[result.verdict])
    told = ", ".join(f"{counts[v]} {v.value}" for v in Verdict if counts[v])
    verdict.append(f" · columns: {told}")
    parts: list[RenderableType] = [
        heading(f"{current} against {reference}"),
        Text(f"{result.current_rows:,} rows against {result.reference_rows:,}"),
        verdict,
        note(
            f"{_basis(result)}; {result.family} tests, correction "
            f"{result.correction.replace('_', ' ')}"
        ),
        *(note(warning) for warning in result.warnings),
    ]
    for title, names in (("added", result.added), ("missing", result.missing)):
        if names:
            parts.append(Text(f"columns {title}: {_few(names)}", style="yellow"))
    renamed = [one for one in result.schema if one.kind is SchemaChangeKind.RENAMED]
    parts += [Text(printable(str(one)), style="yellow") for one in renamed[:MOST_NAMES]]
    return parts


def _basis(result: Comparison) -> str:
    if not result.windows:
        return ASSUMPTION
    return f"effects beside those of {result.windows:,} windows of the reference"


def _ranking(result: Comparison, name: int, width: int) -> list[RenderableType]:
    """What changed, the column with the largest share of all change first."""
    parts: list[RenderableType] = [note("share of all change, and what changed")]
    for one in result.ranking[:MOST_RANKED]:
        told = ", ".join(one.column.change) or "-"
        fields = [
            Field(titled(one.column.name), name, style="bold"),
            Field(f"{one.share:.0%}", SHARE, right=True),
            Field(told, max(width - name - SHARE - 2, 20)),
        ]
        parts.append(line(fields))
    return parts


def _segments(result: Comparison, width: int) -> list[RenderableType]:
    """Every segment with its verdict and the columns that changed in it."""
    titles = ("segment", "verdict", "rows before", "rows now", "drifted")
    rest = max(width - SEGMENT - VERDICT - 2 * ROWS - 4, 16)
    widths = (SEGMENT, VERDICT, ROWS, ROWS, rest)
    parts: list[RenderableType] = [
        line([Field(text, size, style="dim") for text, size in zip(titles, widths, strict=True)])
    ]
    before = sum(widths[:-1]) + len(widths) - 1
    for one in sorted(result.segments, key=lambda one: -one.verdict.severity):
        changed = one.note
        if one.comparison is not None:
            changed = ", ".join(titled(name) for name in one.comparison.drifted)
        first, *others = wrapped(changed, rest)
        fields = [
            Field(titled(one.name), SEGMENT, style="bold"),
            Field(one.verdict.value, VERDICT, style=STYLES[one.verdict]),
            Field(f"{one.reference_rows:,}", ROWS, right=True),
            Field(f"{one.current_rows:,}", ROWS, right=True),
            Field(first.plain, rest),
        ]
        parts.append(line(fields))
        parts += [Text(" " * before).append_text(text) for text in others[: MOST_LINES - 1]]
        if len(others) >= MOST_LINES:
            parts.append(note(" " * before + "and more (--json has them all)"))
    if result.mix is not None:
        parts.append(Text(printable(result.mix.reason), style=STYLES[result.mix.verdict]))
    if result.mix_only:
        told = f"mix only (changed in total, in no segment): {_few(result.mix_only)}"
        parts.append(Text(told, style="yellow"))
    return parts


def _judged(column: ColumnComparison) -> tuple[str, str, str]:
    """Name, value and interval with threshold of the effect behind the column's verdict."""
    part, judgement = _shown(column)
    effect = judgement.effect
    if effect is None:
        return "-", "", ""
    missing = part == "missing"
    title = TITLES.get(part, part)
    if judgement.factor is not None:
        name = "missing share" if missing else "rarer share" if part == "values" else title
        return name, f"x {number(judgement.factor, 3)}", "by the rule for rare shares"
    name = SHORT.get(effect.name, effect.name) if part == "values" else title
    limit = f"t {number(judgement.threshold, 3)}"
    low, high = number(effect.lower, 3), number(effect.upper, 3)
    if effect.lower == effect.upper:
        interval = "exact"
    else:
        interval = low if low == high else f"{low} to {high}"
    return name, number(effect.value, 3), f"{interval}, {limit}"


def _shown(column: ColumnComparison) -> tuple[str, Judgement]:
    """What gave the verdict; missing rows where nothing else could be judged."""
    part, judgement = column.decisive
    if judgement.effect is None:
        return "missing", column.missing.judgement
    return part, judgement


def _cell(part: Judgement) -> str:
    mark = {Verdict.DRIFT: " *", Verdict.POSSIBLE: " ?"}.get(part.verdict, "  ")
    return ("-" if part.effect is None else number(part.effect.value, 3)) + mark


def _figure(column: ColumnComparison, side: ColumnProfile | None) -> str:
    """What stands beside a side's bars: its centre, or its missing rows if these are judged."""
    if side is None or side.state.summary is None:
        return "-"
    if _shown(column)[0] == "missing":
        return f"{share((side.nulls + side.nan) / side.rows)} missing" if side.rows else "-"
    if side.mean is not None:
        return number(side.mean)
    top = side.top
    if not top:
        return "-"
    return f"{share(top[0][1] / (side.rows - side.nulls))} {scalar(top[0][0])}"


def _asked(
    columns: Sequence[ColumnComparison], names: Sequence[str], name_width: int
) -> list[RenderableType]:
    """Values of chosen statistics, one line a column that has any of them."""
    titles = [Field(name, FIGURE + 2, right=True, style="dim") for name in names]
    lines: list[RenderableType] = [line([Field("column", name_width, style="dim"), *titles])]
    for column in columns:
        known = [name in column.statistics for name in names]
        if any(known):
            values = [
                number(column[n].value) if k else "-" for n, k in zip(names, known, strict=True)
            ]
            cells = [Field(value, FIGURE + 2, right=True) for value in values]
            lines.append(line([Field(titled(column.name), name_width, style="bold"), *cells]))
    return lines


def _missing_sentence(column: ColumnComparison) -> str:
    before, after = column.missing.reference, column.missing.current
    shown = " to ".join("-" if math.isnan(part) else share(part) for part in (before, after))
    return printable(f"missing rows, {shown}; {column.missing.reason}")


def _statistics_header() -> Text:
    titles = ("statistic", "value", "raw rows between", "population (99 %)", "p")
    return line(
        [
            Field(text, width, style="dim")
            for text, width in zip(titles, STATISTIC_WIDTHS, strict=True)
        ]
    )


def _statistic_line(column: ColumnComparison, name: str) -> Text:
    statistic = column[name]
    exact = statistic.lower == statistic.upper
    population = "-"
    if statistic.ci_lower is not None and statistic.ci_upper is not None:
        population = f"{number(statistic.ci_lower)} to {number(statistic.ci_upper)}"
    texts = (
        name,
        f"{number(statistic.value)} {statistic.unit}",
        "exact" if exact else f"{number(statistic.lower)} to {number(statistic.upper)}",
        population,
        "-" if statistic.p_value is None else f"{statistic.p_value:.2g}",
    )
    return line([Field(text, width) for text, width in zip(texts, STATISTIC_WIDTHS, strict=True)])


def _quality(column: ColumnComparison) -> list[RenderableType]:
    """Figures of data quality: of both sides, or of the change alone."""
    titles = (("quality", 16), ("reference", 24), ("current", 24))
    parts: list[RenderableType] = [line([Field(text, size, style="dim") for text, size in titles])]
    for name, figure in column.quality.items():
        texts = (name, _told(figure.reference), _told(figure.current))
        fields = zip(texts, titles, strict=True)
        parts.append(line([Field(text, size) for text, (_, size) in fields]))
    return parts


def _told(estimate: Estimate | None) -> str:
    if estimate is None:
        return ""
    if estimate.lower == estimate.upper:
        return number(estimate.value)
    low, high = number(estimate.lower), number(estimate.upper)
    return f"{number(estimate.value)} ({low} to {high})"


def _large_bars(sides: Sequence[ColumnProfile], width: int) -> list[RenderableType]:
    first, second = shares(sides, min(width - 14, 60))
    if not first:
        return []
    top = tallest([first, second], texts=sides[0].text is not None)
    return [
        line(
            [Field("reference", 10, style="dim"), Field(bars(first, top), len(first), style="dim")]
        ),
        line([Field("current", 10), Field(bars(second, top), len(second), style="cyan")]),
    ]


def _categories(title: str, change: CategoryChange) -> str:
    listed = [f"{v.value} {share(v.share)}" for v in change.values[:MOST_NAMES]]
    more = f" and {change.count - len(listed):,} more" if change.count > len(listed) else ""
    doubt = f" (or at most {change.error:,} times)" if change.error else ""
    count = f"{change.count:,} values {title}{doubt}"
    return printable(f"{count}, {share(change.share)} of the rows: {', '.join(listed)}{more}")


def _few(names: Sequence[str]) -> str:
    shown = ", ".join(printable(titled(name)) for name in names[:MOST_NAMES])
    return shown + (f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else "")
