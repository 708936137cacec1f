"""The floors of the house: which folder may include which, and how its symbols begin.

A file may include headers of its own folder, of the folders in its `sideways` column and of
every folder on a lower floor. Every global symbol of a folder begins with one of its prefixes.
This table is the only place that knows; docs/architecture.md draws it.
"""

import json
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# floor folder    sideways  prefixes of global symbols
TABLE = """\
0 base     -      slice_ cur_ buf_ blob_ mem_ xmalloc xzalloc xrealloc xstrdup xmemdup size_mul \
                  list_ map_ hash_ err_ utf8_ json_ rand_ clock_ log_ base64_ file_ option_ hex_
1 loop     -      loop_ metric_
2 net      -      net_ addr_ stream_ tls_ listen_ udp_ dtls_
2 stun     net    stun_
3 turn     -      turn_
3 http     -      http_
3 ws       http   ws_
3 sio      http,ws sio_ eio_
3 auth     -      auth_
4 bus      -      bus_
4 store    bus    store_ db_
4 depot    bus,store depot_
5 room     -      room_ member_
8 dialect  -      dialect_ admit_ coworking_ native_ table_ session_ resume_ event_log_ route_ relay_ fanout_ echo_ ice_ voice_ socketio_ recovery_
8 admin    -      admin_ metrics_ api_ webhook_ jwks_
8 doctor   -      doctor_ check_ fetch_ link_ relay_client_ report_ target_
9 main     -      main config_ db_ diagnose_ serve_ worker_ pages_ banner_ dialects_ token_ relays_ relay_check_
"""


class Folder:
    def __init__(self, floor, name, sideways, prefixes):
        self.floor = int(floor)
        self.name = name
        self.sideways = [] if sideways == "-" else sideways.split(",")
        self.prefixes = tuple(prefixes)


def folders():
    rows = [line.split() for line in TABLE.strip().splitlines()]
    return {row[1]: Folder(row[0], row[1], row[2], row[3:]) for row in rows}


def may_include(user, used):
    """Whether a file of folder `user` may include a header of folder `used`."""
    return used is user or used.floor < user.floor or used.name in user.sideways


def files(*suffixes, under=("src",)):
    """Paths from the root of the checkout, sorted; what was built is left out."""
    skip = {"node_modules", "dist", "output", "__pycache__", "corpus"}
    found = []
    for top in under:
        for folder, names, entries in os.walk(os.path.join(ROOT, top)):
            names[:] = [name for name in names if name not in skip]
            found += [os.path.join(folder, e) for e in entries if e.endswith(suffixes)]
    return sorted(os.path.relpath(path, ROOT) for path in found)


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        return f.read()


def code_only(text):
    """C text with comments and literals blanked; line numbers stay."""
    pattern = r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\''
    return re.sub(pattern, lambda m: re.sub(r"[^\n]", " ", m.group()), text, flags=re.S)


def compile_commands(build):
    """The entries of a build directory's compile_commands.json."""
    if not os.path.exists(os.path.join(ROOT, build, "compile_commands.json")):
        sys.exit(f"{build}/ is not configured; scripts/build does that")
    with open(os.path.join(ROOT, build, "compile_commands.json"), encoding="utf-8") as f:
        return json.load(f)


def finish(name, problems):
    """Prints what is wrong, one line each, and ends with the exit status of a check."""
    for problem in problems:
        print(problem)
    print(f"{name}: " + (f"{len(problems)} problems" if problems else "ok"))
    sys.exit(1 if problems else 0)
