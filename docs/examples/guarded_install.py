#!/usr/bin/env python3
"""Runs an installer under the protection of stravinsky: guarded_install.py VERSION COMMAND...

Exits with the installer's code when it failed (and the old tree is back), with 1 when
what it installed was broken (and the old tree is back), else with 0.
"""
import json
import subprocess
import sys


def stravinsky(*args):
    run = subprocess.run(["stravinsky", *args, "--json"], capture_output=True, text=True)
    answer = json.loads(run.stdout)
    if not answer["ok"] and "error" in answer:
        print(answer["error"]["message"], answer["error"]["remedy"], sep="\n  ", file=sys.stderr)
    return run.returncode, answer


def main():
    version, command = sys.argv[1], sys.argv[2:]
    code, _ = stravinsky("update", "begin", version)
    if code != 0:
        return code  # nothing was changed
    installer = subprocess.run(command)
    if installer.returncode != 0:
        stravinsky("update", "finish", version, "--failed",
                   "--error", f"the installer ended with {installer.returncode}")
        return installer.returncode
    code, _ = stravinsky("update", "finish", version)
    return code


if __name__ == "__main__":
    sys.exit(main())
