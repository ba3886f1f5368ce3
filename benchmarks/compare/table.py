"""results/DATE-MACHINE-compare.json as a Markdown table."""

from __future__ import annotations

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


def render(results: dict) -> str:
    machine = f"{results['date']}, {results['machine']}, Ossau {results['commit']}"
    lines = [f"{machine}, {results['simd']}, {results['threads']} threads\n\n", HEAD]
    lines += [row(case) for case in results["cases"]]
    losses = [case for case in results["cases"] if case.get("fit") and "ossau_loss" in case]
    if losses:
        lines.append("\n| fit to the held-out loss | Ossau | peer | rounds |\n|---|---:|---:|---:|\n")
        for case in losses:
            peer = f"{case['peer_loss']:.5f}" if case.get("peer_loss") is not None else "more"
            rounds = case.get("rounds", "")
            lines.append(f"| {case['name']} | {case['ossau_loss']:.5f} | {peer} | {rounds} |\n")
    lines += [f"\nSkipped: {line}\n" for line in results["skipped"]]
    return "".join(lines)
