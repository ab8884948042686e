"""What was measured, as JSON lines on standard output and as a table on standard error."""

import json
import sys


class Impossible(Exception):
    """A measurement that could not be made, or whose result is wrong: no figure is printed."""


def check(holds, what):
    if not holds:
        raise Impossible(what)


class Report:
    def __init__(self):
        self.rows = []

    def note(self, **facts):
        print(json.dumps({"name": "note", **facts}), flush=True)

    def add(self, name, value, unit, baseline=None, must=None, aim=None, of="value", better="lower", **more):
        """One figure. `must` and `aim` are limits of `of`: the value itself, its ratio to the baseline, or its
        difference from it; `better` says on which side of them it is to lie."""
        ratio = value / baseline if baseline else None
        judged = {"value": value, "ratio": ratio,
                  "difference": None if baseline is None else value - baseline}[of]
        check(must is None or judged is not None, f"{name} has a limit and no baseline")

        def reaches(limit):
            if limit is None:
                return None
            return judged <= limit if better == "lower" else judged >= limit

        row = {"name": name, "value": rounded(value), "unit": unit, "baseline": rounded(baseline),
               "ratio": rounded(ratio), "must": must, "aim": aim, "of": of, "better": better,
               "ok": reaches(must) is not False, "reaches_aim": reaches(aim), **rounded(more)}
        self.rows.append(row)
        print(json.dumps(row), flush=True)

    def fail(self, name, error):
        row = {"name": name, "value": None, "ok": False, "error": str(error)}
        self.rows.append(row)
        print(json.dumps(row), flush=True)

    @property
    def is_well(self):
        return all(row["ok"] for row in self.rows)

    def table(self):
        lines = [("name", "value", "baseline", "ratio", "must", "aim", "")]
        for row in self.rows:
            if row["value"] is None:
                lines.append((row["name"], "failed: " + row["error"], "", "", "", "", "MISSED"))
                continue
            sign = "≤" if row["better"] == "lower" else "≥"
            what = {"value": "", "ratio": "× ", "difference": "+"}[row["of"]]
            limit = lambda value: "" if value is None else f"{sign} {what}{value:,}"
            verdict = "" if row["must"] is None else "ok" if row["ok"] else "MISSED"
            if row["reaches_aim"]:
                verdict = "aim" if row["ok"] else verdict
            lines.append((row["name"], f"{shown(row['value'])} {row['unit']}", shown(row["baseline"]),
                          shown(row["ratio"]), limit(row["must"]), limit(row["aim"]), verdict))
        widths = [max(len(line[column]) for line in lines if "failed" not in line[1] or column != 1)
                  for column in range(len(lines[0]))]
        for line in lines:
            cells = [line[0].ljust(widths[0])] + [
                cell.rjust(width) for cell, width in zip(line[1:], widths[1:])]
            print("  ".join(cells).rstrip(), file=sys.stderr)


def rounded(value):
    """Five digits tell more than any of these measurements knows."""
    if isinstance(value, float):
        return float(f"{value:.5g}")
    if isinstance(value, dict):
        return {key: rounded(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(one) for one in value]
    return value


def shown(value):
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def say(text):
    """Tells a person how far it is."""
    print("tools/bench: " + text, file=sys.stderr, flush=True)
