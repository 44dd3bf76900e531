#!/usr/bin/env python3
"""docs/acceptance.md names tests: each must exist, in the file it is said to be in.

A cell of its tables reads `Suite.Test`, `Suite.Other` (path/of_test.cc); and so on.
Run from anywhere; prints one line a finding and exits 1 when there is one.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCUMENT = "docs/acceptance.md"
DEFINITION = re.compile(r"^TEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\s*\)", re.M)
ROW = re.compile(r"^\| ([RS]\d+) \|")
GROUP = re.compile(r"((?:`[A-Za-z]\w*\.\w+`(?:, )?)+)(?: \(([\w/]+\.cc)\))?")
NAME = re.compile(r"`([A-Za-z]\w*\.\w+)`")


def defined():
    tests = {}
    for folder in ("src", "tests"):
        for path in sorted((ROOT / folder).rglob("*_test.cc")):
            where = path.relative_to(ROOT).as_posix()
            for suite, test in DEFINITION.findall(path.read_text()):
                tests.setdefault(f"{suite}.{test}", set()).add(where)
    return tests


def main():
    tests = defined()
    findings = []
    rows = set()
    for number, line in enumerate((ROOT / DOCUMENT).read_text().splitlines(), 1):
        row = ROW.match(line)
        if not row:
            continue
        place = f"{DOCUMENT}:{number}: {row.group(1)}"
        if row.group(1) in rows:
            findings.append(f"{place} is there twice")
        rows.add(row.group(1))
        groups = GROUP.findall(line)
        if not groups:
            findings.append(f"{place} names no test")
        for names, file in groups:
            for name in NAME.findall(names):
                if name not in tests:
                    findings.append(f"{place}: there is no test {name}")
                elif file not in tests[name]:
                    findings.append(f"{place}: {name} is in {', '.join(sorted(tests[name]))}")
    if not rows:
        findings.append(f"{DOCUMENT}: no rows")
    for finding in findings:
        print(finding)
    print(f"acceptance: {len(rows)} rows, {len(findings)} findings")
    sys.exit(1 if findings else 0)


if __name__ == "__main__":
    main()
