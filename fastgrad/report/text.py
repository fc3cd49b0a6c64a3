"""The report as text: the verdict first, then a table of blocks, then the worst coordinates.

Sentences hold names of the user's as `shown_names` gives them, and other text of the user's: lines are made
printable as a whole.
"""

from __future__ import annotations

from collections.abc import Sequence

from fastgrad.printable import printable
from fastgrad.report.data import ReportData
from fastgrad.report.findings import BlockRow, Entry, Finding
from fastgrad.report.plain_table import plain_table
from fastgrad.verdict.classic import classic_verdict
from fastgrad.verdict.rule import AGREE, DISAGREE

WORST_SHOWN = 10
WORST_IN_SHORT = 3
BLOCKS_SHOWN = 40

BLOCK_HEADER = (
    "block", "shape", "checked", "wrong", "undecided",
    "relative error", "at most", "seen to", "worst", "verdict",
)  # fmt: skip
"""The columns of a table of blocks."""


def to_text(report: ReportData) -> str:
    """The whole report as plain text, no wider than its tables need."""
    parts = [
        printable(headline(report)),
        relative_error_line(report),
        _block_table(report),
    ]
    if report.diagnosis:
        parts.append("likely mistakes\n" + "\n".join(map(printable, report.diagnosis)))
    if report.entries:
        parts.append(_entry_table(report.entries))
    if report.wrong:
        parts.append(_finding_table("worst coordinates", report.wrong))
    if report.undecided:
        parts.append(_undecided_list(report.undecided))
    parts.append("\n".join(map(printable, _footer(report))))
    return "\n\n".join(parts)


def to_short_text(report: ReportData, table: bool = True) -> str:
    """The verdict, the likely mistakes and the first few coordinates; the table of blocks if it is asked for.

    Parameters
    ----------
    report : ReportData
    table : whether the table of blocks is among it
    """
    parts = [printable(headline(report))]
    if table:
        parts.append(_block_table(report))
    if report.diagnosis:
        parts.append("likely mistakes\n" + "\n".join(map(printable, report.diagnosis)))
    if report.wrong:
        parts.append(_finding_table("worst coordinates", report.wrong, WORST_IN_SHORT))
    if report.undecided:
        parts.append(_undecided_list(report.undecided, WORST_IN_SHORT))
    return "\n\n".join(parts)


def headline(report: ReportData) -> str:
    """The verdict in one sentence: how far it could see, or where the gradient is wrong."""
    count = report.coverage.checked
    if report.verdict == AGREE:
        to = f" to {report.resolution:.0e}" if report.resolution > 0 else ""
        return (
            f"AGREE{to}: the gradient is right at {report.coverage.sentence}{_and_beyond(report)}"
            f"{_limits(report)}."
        )
    if report.verdict == DISAGREE:
        wrong = len(report.wrong)
        if not wrong:
            return _entry_headline(report.entries)
        first = report.wrong[0]
        verb = "is" if wrong == 1 else "are"
        rest = "it is" if wrong == 1 else "the worst is"
        return (
            f"DISAGREE: {wrong:,} of {count:,} checked coordinates {verb} wrong; {rest} {first.label}: "
            f"claimed {first.claimed:.6g}, numeric {first.numeric:.6g}."
        )
    if report.doubt:
        others = f"; {len(report.undecided):,} of them are undecided" if report.undecided else ""
        return (
            f"UNDECIDED: {report.doubt}; none of the {count:,} checked coordinates is known to be "
            f"wrong{others}."
        )
    return (
        f"UNDECIDED: {len(report.undecided):,} of {count:,} checked coordinates could not be decided, none "
        "is known to be wrong."
    )


def _entry_headline(entries: Sequence[Entry]) -> str:
    """Where all columns agree but for small entries in them."""
    first, count = entries[0], len(entries)
    found = "1 entry" if count == 1 else f"{count} entries"
    return (
        f"DISAGREE: {found} of the Jacobian found wrong: d {first.output} / d {first.parameter} is claimed "
        f"to be {first.claimed:.6g}, numeric {first.numeric:.6g}."
    )


def _limits(report: ReportData) -> str:
    """Why the check could not see further, and which coordinates it could not see by themselves."""
    resolution, parts = report.seen, []
    if resolution.reason:
        parts.append(resolution.reason)
    if resolution.small:
        verb = "is" if resolution.small == 1 else "are"
        text = f"{resolution.small:,} of them {verb} too small to be seen by {_themselves(resolution.small)}"
        if resolution.together:
            text += f", together right to {resolution.together:.0e} of the whole gradient"
        parts.append(text)
    if resolution.zero and resolution.zero == report.coverage.checked:
        parts.append(
            "every derivative is claimed to be zero here, and is: a wrong factor or sign would not show; "
            "check at other parameters"
        )
    if resolution.subgradients:
        parts.append(f"at {resolution.subgradients:,} kinks the claim is a subgradient")
    return "".join(f"; {part}" for part in parts)


def _themselves(count: int) -> str:
    return "itself" if count == 1 else "themselves"


def _and_beyond(report: ReportData) -> str:
    """What is known of the coordinates that were not checked one by one, in a few words."""
    certificate = report.coverage.certificate
    if certificate is None:
        return ""
    typical = max((r for r in certificate.relative if r == r), default=float("nan"))
    if typical != typical:
        return f"; {certificate.probes} random directions found nothing wrong in the others"
    return (
        f"; {certificate.probes} random directions found no other off by more than {typical:.1g} of a "
        "typical entry"
    )


def relative_error_line(report: ReportData) -> str:
    """The classic measure, its interval, and what that says."""
    low, high = report.relative_error_interval
    return (
        f"relative error ||g - d|| / ||g + d|| = {report.relative_error:.2e}; by the bounds {low:.1e} to "
        f"{high:.1e}: {classic_verdict(report.relative_error_interval)}"
    )


def _block_table(report: ReportData) -> str:
    rows = [_block_row(row, name) for row, name in worst_blocks(report, BLOCKS_SHOWN)]
    text = plain_table(BLOCK_HEADER, rows, right=(2, 3, 4, 5, 6, 7))
    hidden = len(report.blocks) - len(rows)
    return text + (f"\n... and {hidden} more with as many or fewer wrong" if hidden else "")


def worst_blocks(report: ReportData, most: int) -> list[tuple[BlockRow, str]]:
    """The rows of the worst blocks, and their printed names, in the user's order.

    Parameters
    ----------
    report : ReportData
    most : rows at most; those with most wrong, then most undecided
    """
    rows = list(zip(report.blocks, report.shown_blocks, strict=True))
    order = sorted(range(len(rows)), key=lambda k: (-rows[k][0].wrong, -rows[k][0].undecided))
    return [rows[k] for k in sorted(order[:most])]


def _block_row(row: BlockRow, name: str) -> tuple[str, ...]:
    return (
        name,
        str(row.shape),
        row.checked_said,
        f"{row.wrong:,}",
        f"{row.undecided:,}",
        f"{row.relative_error:.2e}",
        f"{row.relative_error_interval[1]:.1e}",
        "" if row.resolution != row.resolution else f"{row.resolution:.0e}",
        "" if row.worst is None else row.worst.label,
        row.verdict_said,
    )


def _finding_table(title: str, findings: Sequence[Finding], most: int = WORST_SHOWN) -> str:
    header = ("where", "claimed", "numeric", "|difference|", "allowed", "relative", "error bound")
    rows = [
        (
            f.label,
            f"{f.claimed:.9g}",
            f"{f.numeric:.9g}",
            f"{f.absolute_error:.2e}",
            f"{f.allowed:.2e}",
            f"{f.relative_error:.2e}",
            f"{f.error_bound:.2e}",
        )
        for f in findings[:most]
    ]
    return f"{title}\n" + plain_table(header, rows, right=range(1, 7)) + _and_more(findings, most)


def _entry_table(entries: Sequence[Entry]) -> str:
    """Wrong entries of a Jacobian."""
    header = ("d output", "/ d parameter", "claimed", "numeric", "error bound")
    rows = [
        (e.output, e.parameter, f"{e.claimed:.9g}", f"{e.numeric:.9g}", f"{e.error_bound:.2e}")
        for e in entries
    ]
    return "wrong entries of the Jacobian\n" + plain_table(header, rows, right=(2, 3, 4))


def _undecided_list(findings: Sequence[Finding], most: int = WORST_SHOWN) -> str:
    lines = [printable(f"{f.label}: {f.cause} [{f.reference}]") for f in findings[:most]]
    return "undecided\n" + "\n".join(lines) + _and_more(findings, most)


def _and_more(findings: Sequence[Finding], most: int) -> str:
    hidden = len(findings) - most
    return f"\n... and {hidden:,} more" if hidden > 0 else ""


def evaluations_said(report: ReportData) -> str:
    """How many evaluations it took, how long, and by what."""
    workers = "1 worker" if report.n_jobs == 1 else f"{report.n_jobs} workers"
    made = f"{report.evaluations:,} evaluations in {report.seconds:.2f} s"
    return f"{made}, {report.engine} engine, {workers}"


def _footer(report: ReportData) -> list[str]:
    coverage = report.coverage
    lines = [
        f"checked {coverage.sentence}",
        *([f"sample: {coverage.guarantee.sentence}"] if coverage.guarantee is not None else []),
        *([f"certificate: {coverage.certificate.sentence}"] if coverage.certificate is not None else []),
        f"by {report.method} differences; a coordinate {report.rule}",
        f"{evaluations_said(report)}; the cost is {report.cost:.9g}",
    ]
    if len(report.spent) > 1:
        parts = (f"{what} {count:,}" for what, count in report.spent.items())
        lines.append(f"of these evaluations: {', '.join(parts)}")
    if report.doubt:
        lines.append(f"in doubt: {report.doubt} [{report.doubt_reference}]")
    if report.stopped:
        lines.append(f"ended early: {report.stopped}")
    if report.perturbed:
        lines.append(f"perturbed: {report.perturbed}")
    lines += [f"witness: {said}" for said in report.witnesses]
    return [*lines, *(f"note: {note}" for note in report.notes)]
