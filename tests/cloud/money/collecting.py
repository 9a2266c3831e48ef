"""`python -m tests.cloud.money.collecting BOOKS PROVIDER`: cashiers as the cloud runs them, until they are killed."""

import contextlib
import sys
import threading

from cabinet.cloud.books import open_books
from cabinet.cloud.money.house import Money
from cabinet.cloud.money.provider import provider_of


def main(url: str, spec: str) -> None:
    with contextlib.closing(open_books(url)) as books:
        Money(books, {}, provider_of(spec), lambda: open_books(url))
        sys.stdout.write("at work\n")
        sys.stdout.flush()
        threading.Event().wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
