"""A host that can be killed: `host.py PORT TTL_MS` unlocks, says so on stdout, and beats the heart until it dies."""

import sys

from firmware_bridge.emulator.commissioned import TEST_KEY
from firmware_bridge.messages import Answer
from tests.firmware_bridge.running.raw import RawHost

VISIT = bytes(range(16))


def main() -> None:
    port, ttl_ms = sys.argv[1], int(sys.argv[2])
    with RawHost(port) as host:
        host.beat()
        answer = host.signed_unlock(TEST_KEY, VISIT, ttl_ms)
        print("unlocked" if answer is Answer.OK else answer.name, flush=True)  # noqa: T201  the test waits for it
        host.until(lambda: False, within_s=3600)


if __name__ == "__main__":
    main()
