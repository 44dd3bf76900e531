#!/usr/bin/env python3
"""The rules of the house that a compiler does not know.

Each rule names its replacement. Run from anywhere; prints one line a finding
and exits 1 when there is one.

Direction: a folder includes itself and the folders its row names, no others.
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

BELOW = {
    "base": [],
    "fs": ["base"],
    "codec": ["base", "fs"],
    "model": ["base", "fs", "codec"],
    "store": ["base", "fs", "codec", "model"],
    "txn": ["base", "fs", "codec", "model"],
    "checks": ["base", "fs", "codec", "model", "store", "txn"],
    "engine": ["base", "fs", "codec", "model", "store", "txn", "checks"],
    "cli": ["base", "fs", "codec", "model", "store", "txn", "checks", "engine"],
    "testing": ["base", "fs", "codec", "model", "store", "txn", "checks", "engine"],
}
# The front end reaches the engine through its headers; below that only value types.
TEST_ONLY = "testing"

# Calls that must go through a seam: pattern, folders that may, what to use instead.
SEAMS = [
    (r"(?<![\w.>:])::(open|openat|openat2|rename|renameat|renameat2|fsync|fdatasync|syncfs|unlink|"
     r"unlinkat|mkdir|mkdirat|linkat|symlinkat|truncate|ftruncate|pwrite|pread|flock)\s*\(",
     {"fs"}, "fs::FileSystem"),
    (r"(?<![\w.>:])(openat|openat2|renameat|renameat2|fsync|fdatasync|syncfs|unlinkat|mkdirat|"
     r"linkat|symlinkat|ftruncate|pwrite|pread|flock|fopen)\s*\(",
     {"fs"}, "fs::FileSystem"),
    (r"std::(ofstream|ifstream|fstream|filesystem)\b", set(), "fs::FileSystem"),
    (r"\b(clock_gettime|gettimeofday|std::time|system_clock::now|steady_clock::now)\b",
     {"base"}, "Clock"),
    (r"\b(getrandom|std::random_device|mt19937|std::rand)\b", {"base"}, "Random"),
    (r"\b(fork|execve|execvp|posix_spawn|posix_spawnp|std::system|popen)\s*\(",
     {"base"}, "ProcessRunner"),
    (r"\b(dlopen|dlsym|curl_\w+|socket|connect|getaddrinfo)\s*\(", {"base"}, "Downloader"),
    (r"\bassert\s*\(", set(), "CHECK"),
    (r"\b(throw|catch)\b\s*[({]?", set(), "Result<T>"),
]
# Where a rule has a reason to be broken: file, pattern text.
ALLOWED = {
    ("src/cli/program.cc", "catch"),  # CLI11 reports a bad command line by throwing
    ("src/cli/main.cc", "catch"),  # no memory: nobody else can say it
    ("src/model/merge3.cc", "dlsym"),  # libgit2 at its first use, no network in what is called
    ("src/model/merge3.cc", "dlopen"),
    ("src/store/libarchive.cc", "dlsym"),  # likewise libarchive
    ("src/store/libarchive.cc", "dlopen"),
    ("src/base/background.h", "catch"),  # std::async reports a thread that was refused
    ("src/checks/front_matter.cc", "catch"),  # yaml-cpp reports a bad block by throwing
    ("src/checks/front_matter.cc", "EventHandler"),  # and hands out what it reads by one
}
WORDS = [(r"\b\w+(Manager|Helper|Util|Utils|Handler)\b", "a name that says what it does")]
NEVER = [(r"(?<![\w~.])/(work|farm|root)/", "no path of a machine")]


def tracked(pattern):
    names = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", pattern], cwd=ROOT,
                           capture_output=True, text=True, check=True).stdout.split("\n")
    return [ROOT / n for n in names if n and (ROOT / n).is_file()]


def strip_comments(text):
    text = re.sub(r'R"(\w*)\(.*?\)\1"', '""', text, flags=re.S)
    text = re.sub(r'"(\\.|[^"\\\n])*"', '""', text)
    text = re.sub(r"//[^\n]*", "", text)
    return re.sub(r"/\*.*?\*/", lambda m: "\n" * m.group().count("\n"), text, flags=re.S)


def check_source(path, report):
    rel = path.relative_to(ROOT).as_posix()
    folder = path.relative_to(ROOT / "src").parts[0]
    is_test = rel.endswith("_test.cc") or folder == TEST_ONLY
    raw = path.read_text()
    for n, line in enumerate(raw.splitlines(), 1):
        m = re.match(r'#include "([a-z_]+)/', line)
        if not m or m.group(1) == folder:
            continue
        if is_test and m.group(1) in BELOW:
            continue
        if rel == "src/cli/main.cc" and m.group(1) == TEST_ONLY:
            continue  # fault points, in test builds only
        if m.group(1) not in BELOW.get(folder, []):
            report(rel, n, f"src/{folder} must not include {m.group(1)}/")
    if is_test:
        return
    for n, line in enumerate(strip_comments(raw).splitlines(), 1):
        for pattern, may, instead in SEAMS:
            found = re.search(pattern, line)
            if found and folder not in may and not any(
                    rel == f and w in found.group() for f, w in ALLOWED):
                report(rel, n, f"'{found.group().strip()}': use {instead}")
        for pattern, instead in WORDS:
            found = re.search(pattern, line)
            if found and (rel, found.group()) not in ALLOWED:
                report(rel, n, f"'{found.group()}': use {instead}")


def check_text(path, report):
    rel = path.relative_to(ROOT).as_posix()
    if rel.startswith("tests/house/"):
        return
    try:
        text = path.read_text()
    except UnicodeDecodeError:
        return
    for n, line in enumerate(text.splitlines(), 1):
        for pattern, instead in NEVER:
            if re.search(pattern, line):
                report(rel, n, instead)


def check_format(report):
    sources = [str(p) for ending in ("*.h", "*.cc") for p in tracked(ending)]
    run = subprocess.run(["clang-format-19", "--dry-run", "--Werror", *sources],
                         capture_output=True, text=True)
    for line in run.stderr.splitlines():
        m = re.match(r"(.*?):(\d+):\d+: error", line)
        if m:
            report(pathlib.Path(m.group(1)).relative_to(ROOT).as_posix(), int(m.group(2)),
                   "run clang-format-19 -i")


def main():
    findings = []

    def report(where, line, what):
        findings.append(f"{where}:{line}: {what}")

    for ending in ("src/*.h", "src/*.cc"):
        for path in tracked(ending):
            check_source(path, report)
    for path in tracked("*"):
        check_text(path, report)
    check_format(report)
    for finding in findings:
        print(finding)
    print(f"style: {len(findings)} findings")
    sys.exit(1 if findings else 0)


if __name__ == "__main__":
    main()
