"""What is measured of TURN, and what it is held to: CPU and memory beside coturn's."""

from .cases import Case, Figure, Ratio
from .turn import Coturn, ParleyTurn, Refturn, TurnVariant

WINDOW = ["--secs", "2.5", "--warm", "0.5"]
RATE = 20000
FULL = 150000


def beside(name, args, what, key, limit):
    variants = [TurnVariant("coturn", Coturn, args), TurnVariant("parley", ParleyTurn, args)]
    return Case(name, variants, [Ratio(what, key, "parley", "coturn", limit)], rounds=3)


def relay(name, count, size, way, limit, *more, rate=RATE):
    """Beside coturn, with the yardstick on its other side: so low can a relay go here."""
    args = ["-n", str(count), "-l", str(size), "--dir", way, "--rate", str(rate), *WINDOW, *more]
    key = "cpu_us_per_packet"
    case = beside(name, args, "CPU per relayed packet", key, limit)
    case.variants.insert(0, TurnVariant("refturn", Refturn, args))
    case.measures.append(Ratio("the yardstick's", key, "refturn", "coturn"))
    if rate > RATE:
        case.measures += [
            Figure("lost", "loss_pct", "parley", "%"),
            Figure("lost by coturn", "loss_pct", "coturn", "%"),
            Figure("lost by the yardstick", "loss_pct", "refturn", "%"),
        ]
    return case


def setup():
    """401, Allocate, CreatePermission, ChannelBind."""
    args = ["-n", "1000", "--dir", "none", "--window", "64"]
    return beside("turn-setup-1000", args, "CPU per allocation, bound", "setup_cpu_us", 0.40)


def memory():
    args = ["-n", "5000", "--dir", "none"]
    return beside("turn-memory-5000", args, "RSS per allocation", "rss_bytes_per_alloc", 0.25)


def keep():
    """Ten thousand allocations, kept alive for some seconds."""
    args = ["-n", "10000", "--dir", "none", "--hold", "5"]
    measures = [
        Figure("allocations kept", "bound", "parley", "", limit=10000, least=True),
        Figure("RSS per allocation", "rss_bytes_per_alloc", "parley", "B"),
    ]
    return Case("turn-keep-10000", [TurnVariant("parley", ParleyTurn, args)], measures, rounds=1)


def all_cases():
    ways = ("up", "down")
    return [
        *(relay(f"turn-channel-{n}-{size}-{way}", n, size, way, 0.70)
          for n in (10, 100, 1000) for size in (160, 1200) for way in ways),
        *(relay(f"turn-spin-{n}-{way}", n, 1200, way, 1.00, "--spin")
          for n in (10, 100, 1000) for way in ways),
        *(relay(f"turn-send-100-{size}-{way}", 100, size, way, 0.70, "--mode", "send")
          for size in (160, 1200) for way in ways),
        relay("turn-full-100-up", 100, 1200, "up", 0.70, "--burst", "8", rate=FULL),
        relay("turn-full-100-down", 100, 1200, "down", 1.00, rate=FULL),
        relay("turn-full-1-up", 1, 1200, "up", 1.00, "--burst", "32", rate=FULL),
        setup(),
        memory(),
        keep(),
    ]
