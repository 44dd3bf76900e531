#!/usr/bin/env python3
"""Times whole commands, ours and the peers that are installed, in turn, on one tree.

    bench/side_by_side.py build/release/stravinsky [--runs N] [--workload real|medium]

Workloads are generated from a seed: real is about 75 files and 0.4 MB of hooks,
commands and skills; medium is 2,000 files and 21 MB of Markdown-like text. Every
figure is the median of N runs, each on a fresh store; the tools take turns, so
that a drift of the machine's speed meets all of them. Peers that are not installed
are named and left out. Nothing outside a temporary directory is touched.
"""
import argparse
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

WORDS = ("agent backup command config context error file hook index log merge model note path "
         "plan prompt query review rule scope search session settings skill state step store "
         "task test tool tree update user value version write").split()


def text(rng, size):
    out = []
    length = 0
    while length < size:
        line = ("# " if rng.random() < 0.05 else "") + " ".join(
            rng.choice(WORDS) + (str(rng.randrange(1000)) if rng.random() < 0.2 else "")
            for _ in range(rng.randrange(4, 16))) + "\n"
        out.append(line)
        length += len(line)
    return "".join(out)[:size]


def make_workload(kind, home, seed=1):
    rng = random.Random(seed)
    claude = home / ".claude"
    count, mean = (75, 5300) if kind == "real" else (2000, 10500)
    parts = ["hooks", "commands", "commands/str", "agents", "skills/one", "skills/two", "rules"]
    for n in range(count):
        folder = claude / parts[n % len(parts)]
        if kind != "real":
            folder = folder / f"d{n % 40:02}"
        folder.mkdir(parents=True, exist_ok=True)
        size = max(60, int(rng.gauss(mean, mean / 3)))
        if "hooks" in str(folder):
            body = "import json, sys\n\n" + "".join(
                f"def part_{i}(value):\n    return {{'n': {i}, 'v': value}}\n\n"
                for i in range(size // 60)) + "sys.exit(0)\n"
            path = folder / f"h{n:04}.py"
        else:
            body = text(rng, size)
            path = folder / f"f{n:04}.md"
        path.write_text(body)
        if n % 3 == 0 and path.suffix == ".py":
            path.chmod(0o755)
    hooks = sorted((claude / "hooks").rglob("*.py"))[:8]
    entries = ",".join('{"type":"command","command":"python3 ~/.claude/%s"}'
                       % h.relative_to(claude) for h in hooks)
    (claude / "settings.json").write_text(
        '{"hooks":{"PreToolUse":[{"matcher":"Bash","hooks":[%s]}]}}\n' % entries)


def make_bundle(home, bundle, seed=2):
    """A release that changes 30 files, adds 3 and drops none."""
    rng = random.Random(seed)
    shutil.copytree(home / ".claude", bundle / ".claude")
    files = sorted(p for p in (bundle / ".claude").rglob("*") if p.is_file()
                   and p.name != "settings.json")
    for path in rng.sample(files, 30):
        with path.open("a") as f:
            f.write("# changed\n")
    for n in range(3):
        (bundle / ".claude" / "hooks" / f"new{n}.py").write_text("import sys\nsys.exit(0)\n")


def run(argv, env, cwd=None, check=True):
    start = time.perf_counter()
    done = subprocess.run(argv, env=env, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    took = time.perf_counter() - start
    if check and done.returncode != 0:
        sys.exit(f"{argv} failed: {done.stderr.decode()[:2000]}{done.stdout.decode()[:2000]}")
    return took


def first_backups(ours, home, scratch, env, runs):
    tree = str(home / ".claude")
    tools = {"stravinsky": lambda d: run([ours, "--root", f"{d}/s", "backup", "create", "--quiet"], env)}

    def tar(d):
        start = time.perf_counter()
        run(["tar", "czf", f"{d}/t.tar.gz", "-C", tree, "."], env)
        run(["sha256sum", f"{d}/t.tar.gz"], env)
        return time.perf_counter() - start
    tools["tar czf + sha256sum"] = tar
    if shutil.which("restic"):
        def restic(d):
            e = dict(env, RESTIC_PASSWORD="x", RESTIC_REPOSITORY=f"{d}/r", RESTIC_CACHE_DIR=f"{d}/c")
            run(["restic", "init"], e)
            return run(["restic", "backup", "-q", tree], e)
        tools["restic"] = restic
    if shutil.which("borg"):
        def borg(d):
            e = dict(env, BORG_BASE_DIR=f"{d}/b", BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK="yes")
            run(["borg", "init", "-e", "none", f"{d}/r"], e)
            return run(["borg", "create", f"{d}/r::a", tree], e)
        tools["borg"] = borg
    if shutil.which("ostree"):
        def ostree(d):
            run(["ostree", f"--repo={d}/r", "init", "--mode=archive"], env)
            return run(["ostree", f"--repo={d}/r", "commit", "-b", "b", f"--tree=dir={tree}"], env)
        tools["ostree"] = ostree
    missing = [n for n in ("restic", "borg", "ostree") if n not in tools]
    times = {name: [] for name in tools}
    for n in range(runs):
        for name, tool in tools.items():
            d = scratch / f"{name.split()[0]}{n}"
            d.mkdir(mode=0o700)
            times[name].append(tool(d))
            shutil.rmtree(d)
    return times, missing


def report(title, times):
    print(title)
    ours = statistics.median(times["stravinsky"]) if "stravinsky" in times else None
    for name, values in times.items():
        median = statistics.median(values)
        ratio = f"   {median / ours:5.2f} x ours" if ours and name != "stravinsky" else ""
        print(f"  {name:28} median {median * 1000:8.1f} ms   min {min(values) * 1000:8.1f}"
              f"   max {max(values) * 1000:8.1f}{ratio}")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--workload", choices=["real", "medium"], action="append")
    args = parser.parse_args()
    ours = str(pathlib.Path(args.binary).resolve())
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="stravinsky-bench-"))
    try:
        for kind in args.workload or ["real", "medium"]:
            home = scratch / kind
            home.mkdir()
            make_workload(kind, home)
            env = {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8"}
            times, missing = first_backups(ours, home, scratch, env, args.runs)
            report(f"{kind}: first backup" + (f" (not installed: {', '.join(missing)})"
                                              if missing else ""), times)
            if kind != "real":
                continue
            bundle = scratch / "bundle"
            bundle.mkdir()
            make_bundle(home, bundle)
            update, undo = [], []
            base = [ours, "--root", str(scratch / "store"), "--quiet"]
            run(base + ["update", "1.0", "--from", str(bundle)], env)
            run(base + ["rollback", "undo"], env)
            for _ in range(args.runs):
                update.append(run(base + ["update", "1.1", "--from", str(bundle)], env))
                undo.append(run(base + ["rollback", "undo"], env))
            report("real: update, 33 files change, everything on", {"update": update})
            report("real: rollback undo", {"undo": undo})
            report("start-up", {"version": [run([ours, "version"], env) for _ in range(21)]})
    finally:
        shutil.rmtree(scratch)


if __name__ == "__main__":
    main()
