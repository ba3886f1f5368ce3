"""results/DATE-MACHINE-compare.json as a Markdown table."""

from __future__ import annotations

BEGIN, END = "<!-- figures begin: run.sh --publish -->", "<!-- figures end -->"
HEAD = """| data and work | Ossau | peer | its best form | peer / Ossau | aim |
|---|---:|---:|---|---:|---:|
"""


def seconds(value: float) -> str:
    if value < 0.1:
        return f"{1e3 * value:.1f} ms"
    return f"{1e3 * value:.0f} ms" if value < 1 else f"{value:.2f} s"


def row(case: dict) -> str:
    name = case["name"]
    if "skipped" in case:
        ours = seconds(case["ossau_s"]) if "ossau_s" in case else ""
        return f"| {name} | {ours} | not reached | {case['peer']}: {case['skipped']} | | |\n"
    aim, met = "", ""
    if case["target"] is not None:
        aim = f"{case['target']:g}"
        met = "" if case["ratio"] >= case["target"] else " (missed)"
    spread = f"{case['least_ratio']:.2f} to {case['largest_ratio']:.2f}"
    return (
        f"| {name} | {seconds(case['ossau_s'])} | {seconds(case['peer_s'])} "
        f"| {case['program']}: {case['form']} | **{case['ratio']:.2f}** ({spread}) | {aim}{met} |\n"
    )


def fit_row(case: dict) -> str:
    peer = f"{case['peer_loss']:.5f}" if "peer_loss" in case else "more"
    rounds = case.get("rounds", "")
    return f"| {case['name']} | {case['ossau_loss']:.5f} | {peer} | {rounds} |\n"


def render(results: dict) -> str:
    about = [results["date"], results["machine"], f"Ossau {results['commit']}", results["simd"]]
    lines = [", ".join([*about, f"{results['threads']} threads"]), "\n\n", HEAD]
    lines += [row(case) for case in results["cases"]]
    fits = [case for case in results["cases"] if "ossau_loss" in case and case["fit"]]
    if fits:
        lines.append("\n| held-out loss | Ossau's | the peer's | rounds |\n|---|---:|---:|---:|\n")
        lines += [fit_row(case) for case in fits]
    if results["skipped"]:
        lines.append("\nWithout a result:\n\n")
        lines += [f"- {line}\n" for line in results["skipped"]]
    return "".join(lines)


def renew(page: str, results: dict) -> str:
    """The page with this table between its two markers."""
    head, rest = page.split(BEGIN, 1)
    _, tail = rest.split(END, 1)
    return f"{head}{BEGIN}\n\n{render(results)}\n{END}{tail}"
