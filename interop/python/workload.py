"""Burns CPU in two functions, one of them under a label, with Pyroscope's profiler for Python."""

import json
import math
import sys
import time

import pyroscope


def burn(seconds):
    """Works until the thread has used so much CPU time: a busy machine makes it longer, not different."""
    until = time.thread_time() + seconds
    total = 0.0
    while time.thread_time() < until:
        for i in range(1, 5_000):
            total += math.sqrt(i) * math.sin(i)
    return total


def hot_checkout(seconds):
    return burn(seconds)


def cold_search(seconds):
    return burn(seconds)


def main(address, service, seconds):
    pyroscope.configure(
        application_name=service,
        server_address=address,
        tags={"region": "eu"},
        upload_interval=1,
    )
    started = time.monotonic()
    with pyroscope.tag_wrapper({"route": "/checkout"}):
        hot_checkout(seconds * 3 / 4)
    cold_search(seconds / 4)
    wall_seconds = time.monotonic() - started
    time.sleep(1.5)
    pyroscope.shutdown()
    print(json.dumps({"cpuSeconds": seconds, "wallSeconds": wall_seconds}))


main(sys.argv[1], sys.argv[2], float(sys.argv[3]))
