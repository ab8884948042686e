"""What it was measured on."""

import os
import platform
import re
import ssl
import subprocess


def said(*command):
    try:
        output = subprocess.run(command, capture_output=True, text=True)
    except OSError:
        return None
    return output.stdout.strip().split("\n")[0] or None


def described(ground):
    """Machine, versions and settings of a run."""
    with open("/proc/cpuinfo") as file:
        model = re.search(r"^model name\s*: (.*)$", file.read(), re.MULTILINE)
    with open("/proc/meminfo") as file:
        memory = int(re.search(r"^MemTotal:\s+(\d+)", file.read())[1]) / 1024 / 1024
    device = said("findmnt", "-n", "-o", "SOURCE,FSTYPE,OPTIONS", "--target", ground.work)
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    return {
        "cores": os.cpu_count(), "cpu": model[1] if model else platform.machine(), "memory_gib": round(memory, 1),
        "load_before": [round(one, 2) for one in os.getloadavg()], "kernel": platform.release(),
        "file_system": device or ground.file_system, "lmdb": said("dpkg-query", "-W", "-f", "${Version}", "liblmdb0"),
        "openssl": ssl.OPENSSL_VERSION,
        "swift": said("swift", "--version"), "commit": said("git", "-C", root, "describe", "--always", "--dirty"),
        "quick": ground.is_quick,
        "settings": "daybook serve in its usual settings, --log-level notice, --disk-reserve-percent 0; loopback, "
                    "no TLS; the load generator has one thread in a process of its own"}
