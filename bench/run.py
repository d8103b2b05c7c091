"""Run benchmarks and write docs/performance.md: ``python3 bench/run.py [NAME…]``.

Standard library only. Makes ``.venv-bench`` with the pinned peers of ``bench/requirements.txt`` and this project, runs
each named benchmark there in a process of its own, pinned to one core, keeps the newest answer of every benchmark in
``bench/results.json`` and renders the document between its markers. How to write a benchmark: ``bench/harness.py``.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import json
import os
import platform
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

BENCH = Path(__file__).resolve().parent
ROOT = BENCH.parent
HOME = ROOT / ".venv-bench"
RESULTS = BENCH / "results.json"
DOCUMENT = ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"
ONE_THREAD = (
    "POLARS_MAX_THREADS",
    "NUMBA_NUM_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "ARROW_NUM_THREADS",
)
NOT_BENCHMARKS = {"run", "harness"}


def main() -> int:
    """Parse the command line, run, merge, render."""
    known = sorted(p.stem for p in BENCH.glob("[a-z]*.py") if p.stem not in NOT_BENCHMARKS)
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"which of: {', '.join(known)} (default: all)"
    )
    parser.add_argument("--rounds", type=int, default=7, help="rounds of each benchmark")
    parser.add_argument("--core", type=int, default=(os.cpu_count() or 1) - 1, help="core to run on")
    parser.add_argument("--render", action="store_true", help="only write the document from results.json")
    options = parser.parse_args()
    unknown = set(options.names) - set(known)
    if unknown:
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; known: {', '.join(known)}")
    failed = [] if options.render else [n for n in options.names or known if not run_one(n, options)]
    render()
    return 1 if failed else 0


def run_one(name: str, options: argparse.Namespace) -> bool:
    """Run one benchmark and keep its answer; False if it failed."""
    python = prepare()
    print(f"bench {name} …", flush=True)
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        output = Path(scratch) / "answer.json"
        command = [python, BENCH / "harness.py", name, output, scratch, options.rounds, options.core]
        environment = dict(os.environ, **dict.fromkeys(ONE_THREAD, "1"), PYTHONHASHSEED="0")
        code = subprocess.run(
            [str(part) for part in command], cwd=ROOT, env=environment, check=False
        ).returncode
        if code == 3:
            return True
        if code or not output.exists():
            print(f"bench {name}: failed with exit code {code}", file=sys.stderr)
            return False
        answer = json.loads(output.read_text(encoding="utf-8"))
    answer["date"] = datetime.date.today().isoformat()
    answer["machine"] = machine()
    answer["load"] = load()
    results = load_results()
    results[name] = answer
    RESULTS.write_text(
        json.dumps(results, indent=1, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8"
    )
    for line in answer.get("goals", []):
        print("  " + goal_text(line), flush=True)
    return True


def prepare() -> Path:
    """Interpreter of ``.venv-bench``, made or renewed when the requirements changed."""
    python = HOME / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp = HOME / "requirements.stamp"
    sources = [BENCH / "requirements.txt", ROOT / "pyproject.toml"]
    digest = hashlib.sha256(b"".join(p.read_bytes() for p in sources)).hexdigest()
    if python.exists() and stamp.exists() and stamp.read_text() == digest:
        return python
    if not python.exists():
        venv.create(HOME, with_pip=True)
    install = [
        str(python),
        "-m",
        "pip",
        "install",
        "-q",
        "-r",
        str(BENCH / "requirements.txt"),
        "-e",
        str(ROOT),
    ]
    subprocess.run(install, check=True)
    stamp.write_text(digest)
    return python


def machine() -> str:
    """Processor, cores, memory, Python; never a name of the machine."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        model = lines[0].split(":", 1)[1].strip() if lines else model
    memory = ""
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        memory = f", {os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.0f} GiB"
    return f"{model}, {os.cpu_count()} cores{memory}, {platform.system()}, Python {platform.python_version()}"


def load() -> str:
    """How busy the machine was: CPU time leaves waiting out, but caches and memory are shared."""
    return f"load {os.getloadavg()[1]:.1f}" if hasattr(os, "getloadavg") else "load unknown"


def load_results() -> dict:
    """Newest answer of every benchmark."""
    return json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}


def goal_text(line: dict) -> str:
    """One goal as a sentence."""
    sign = "≤" if line["at_most"] else "≥"
    met = "met" if line["met"] else "MISSED"
    return (
        f"{line['goal']}: {number(line['measured'])} {line['unit']} ({sign} {number(line['bound'])}: {met})"
    )


def number(value: object) -> str:
    """Three significant digits; texts as they are."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def render() -> None:
    """Write the tables between the markers of the document."""
    text = DOCUMENT.read_text(encoding="utf-8") if DOCUMENT.exists() else new_document()
    head, rest = text.split(BEGIN, 1)
    tail = rest.split(END, 1)[1]
    body = "\n\n".join(section(name, answer) for name, answer in sorted(load_results().items()))
    DOCUMENT.parent.mkdir(exist_ok=True)
    DOCUMENT.write_text(f"{head}{BEGIN}\n\n{body}\n\n{END}{tail}", encoding="utf-8")


def new_document() -> str:
    """What stands round the tables until somebody writes more."""
    return (
        "# Performance\n\n"
        "Measured by `python3 bench/run.py`; the method is described at the top of `bench/harness.py`: CPU seconds on one\n"
        "core, every case once per round, best and median over the rounds, peers on the same rows in the same process\n"
        "with equal answers, and a physical bound beside each figure.\n\n"
        f"{BEGIN}\n{END}\n"
    )


def section(name: str, answer: dict) -> str:
    """One benchmark as Markdown."""
    parts = [f"## {answer['title']}", answer.get("text", "")]
    if answer.get("goals"):
        rows = [
            [g["goal"], f"{'≤' if g['at_most'] else '≥'} {number(g['bound'])} {g['unit']}", f"{number(g['measured'])} {g['unit']}",
             "yes" if g["met"] else "**no**"]
            for g in answer["goals"]
        ]  # fmt: skip
        parts.append(table(["goal", "bound", "measured", "met"], rows))
    parts += [
        f"**{content['caption']}**\n\n{table(content['columns'], content['rows'])}"
        for content in answer.get("tables", [])
    ]
    parts.append(
        f"`python3 bench/run.py {name}`, {answer['date']}, {answer['machine']}{', ' + answer['load'] if 'load' in answer else ''}."
    )
    return "\n\n".join(part for part in parts if part)


def table(columns: list, rows: list) -> str:
    """Markdown table; numbers to the right."""
    align = [
        "---:" if rows and all(isinstance(r[i], (int, float)) for r in rows) else "---"
        for i in range(len(columns))
    ]
    lines = [columns, align, *[[number(cell) for cell in row] for row in rows]]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


if __name__ == "__main__":
    sys.exit(main())
