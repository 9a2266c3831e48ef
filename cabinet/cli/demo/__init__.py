"""`cabinet demo`: four visits through the real processes, told as they happen; exit code 0 only if all ended right."""

from cabinet.cli.demo.run import run_demo

__all__ = ["run_demo"]
