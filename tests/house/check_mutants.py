#!/usr/bin/env python3
"""Every mutant is killed: with each step left out, the suite beside the code fails.

A mutant is a step of the protocol (an fsync, a record, a comparison) that a test
build can leave out, see src/base/mutant.h. Those of src/txn and src/fs are tried
in one process by src/txn/mutant_test.cc; this tries the others, each in a run of
its folder's test program. Prints one line a survivor and exits 1 when there is one.

  tests/house/check_mutants.py build/dev [NAME ...]
"""
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDERS = {"model": ["model_test", "store_test"], "store": ["store_test"]}
TIMEOUT_S = 300


def mutants():
    found = {}
    for folder, programs in FOLDERS.items():
        for source in sorted((ROOT / "src" / folder).glob("*.cc")):
            if source.name.endswith("_test.cc"):
                continue
            for name in re.findall(r"MUTANT\(([a-z_]+)\)", source.read_text()):
                found[name] = programs
    return found


def survives(build, name, programs):
    """The quick tests first: most mutants need no more."""
    for gtest_filter in ("-*EverySingleBitFlip*", "*EverySingleBitFlip*"):
        for program in programs:
            run = subprocess.run([str(build / program), "--gtest_fail_fast", "--gtest_brief=1",
                                  "--gtest_filter=" + gtest_filter],
                                 env={**os.environ, "STRAVINSKY_MUTANT": name}, timeout=TIMEOUT_S,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            if run.returncode != 0:
                return False
    return True


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    all_mutants = mutants()
    chosen = sys.argv[2:] or sorted(all_mutants)
    survivors = []
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        answers = {name: pool.submit(survives, build, name, all_mutants[name]) for name in chosen}
        for name, answer in answers.items():
            if answer.result():
                survivors.append(name)
                print(f"{name}: survives", flush=True)
    print(f"mutants: {len(chosen)} tried, {len(survivors)} survive")
    sys.exit(1 if survivors else 0)


if __name__ == "__main__":
    main()
