"""Builds the generators and the yardsticks, and finds the server."""

import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PLACES = ("parley", "src/main/parley")


def quietly(*command):
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"bench: {' '.join(command)} failed:\n{done.stdout}{done.stderr}")


def build(directory):
    """Returns the paths of wsload, refws, floor, turnload and refturn."""
    ninja = os.path.join(ROOT, directory, "build.ninja")
    if not os.path.exists(ninja):
        quietly("scripts/build", "release")
    with open(ninja, encoding="utf-8") as f:
        configured = "bench/floor" in f.read()
    if not configured:
        quietly("meson", "configure", directory, "-Dbench=true")
    names = ("wsload", "refws", "floor", "turnload", "refturn")
    quietly("ninja", "-C", directory, *(f"bench/{name}" for name in names))
    return [os.path.join(ROOT, directory, "bench", name) for name in names]


def find_server(directory):
    for place in PLACES:
        path = os.path.join(ROOT, directory, place)
        if os.path.exists(path):
            return path
    sys.exit(f"bench: there is no server in {directory}/: `make build` makes one")
