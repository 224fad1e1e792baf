"""What the whole-program benchmarks share: run a command and account for it, medians, the machine, a table."""

import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

# The captures of examples/gen_capture: about 840 MB of each shape.
SHAPES = {"posts": 713_294, "downloads": 200, "connections": 300_000}
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def run(command, **options):
    """Runs a command to its end and returns wall and CPU seconds, peak resident MiB and the exit status."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=options.get("stdout", subprocess.DEVNULL),
                               stderr=options.get("stderr", subprocess.DEVNULL))
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    return {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "rss": usage.ru_maxrss / 1024,
            "code": process.returncode}


def median(values):
    return statistics.median(values)


def spread(values, unit=""):
    return f"{median(values):.2f}{unit} ({min(values):.2f}–{max(values):.2f})"


def have(tool):
    return shutil.which(tool) is not None


def version(command):
    try:
        out = subprocess.run(command, capture_output=True, text=True, check=False)
        return (out.stdout + out.stderr).strip().splitlines()[0]
    except (OSError, IndexError):
        return "not here"


def machine():
    model = "unknown processor"
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as info:
        for line in info:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    with open("/proc/meminfo", encoding="ascii") as info:
        memory = int(info.readline().split()[1]) / 1024 / 1024
    return (f"{os.cpu_count()} × {model}, {memory:.0f} GiB, Linux {platform.release()}, "
            f"{version(['rustc', '--version'])}, {version(['tcpdump', '--version'])}")


def build(*targets):
    subprocess.run(["cargo", "build", "--quiet", "--release", *targets], cwd=ROOT, check=True)


def binary(name="why403"):
    return os.path.join(os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target")), "release", name)


def capture_file(shape, exchanges):
    folder = os.path.join(tempfile.gettempdir(), "why403-bench")
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, f"{shape}-{exchanges}.pcap")
    if not os.path.exists(path):
        print(f"making {path}", file=sys.stderr)
        build("--example", "gen_capture")
        with open(path + ".part", "wb") as out:
            subprocess.run([binary("examples/gen_capture"), shape, str(exchanges)], stdout=out, check=True)
        os.rename(path + ".part", path)
    return path


def table(head, rows):
    print("| " + " | ".join(head) + " |")
    print("|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |")
    print()
