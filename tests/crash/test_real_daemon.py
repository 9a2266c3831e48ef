"""The real daemon on a bench when its disk fails in the middle of the day."""

from pathlib import Path
from tempfile import TemporaryDirectory

from cabinet.cli.demo.people import Person
from cabinet.cli.demo.shop import Shop, basket
from cabinet.cli.demo.waiting import wait_until
from cabinet.cloud.run import charges
from cabinet.ledger import Ledger
from tests.crash.benches import COLA, bench_in
from tests.crash.disturbed import after_the_first, syncs
from tests.crash.running import need_strace

ENDS_S = 60.0
EXIT_LEDGER = 1  # of `cabinet run`; systemd starts it again


def test_a_daemon_whose_disk_fails_ends_without_unlocking_and_sells_after_its_restart() -> None:
    need_strace()
    with TemporaryDirectory(prefix="cf-") as name, bench_in(Path(name), traced=False) as bench:
        shop = Shop(bench)
        shop.stock_drawn()
        ann = shop.enrol(Person("Ann", None, None))
        bench.wait_for_state("Idle")
        with syncs(bench, "error=EIO:when=1+"):
            shop.somebody(ann.code)
            wait_until(lambda: bench._processes["daemon"].poll() is not None, ENDS_S, "it goes on without its disk")
            assert not shop.world.pull()
        assert "pwrite64" not in after_the_first(bench)  # nothing was tried again: closing syncs once more, no more
        assert bench.end("daemon") == EXIT_LEDGER
        with Ledger(bench.data / "ledger.db") as ledger:
            assert ledger.visits() == []
        shop.nobody()
        bench.start_daemon()
        bench.wait_for_state("Idle")
        visit = shop.open_as(ann.code)
        shop.take("s1", COLA)
        assert basket(shop.shut(visit)) == {COLA: 1}
        wait_until(lambda: bool(bench.ask("outbox")["count"] == 0), ENDS_S, "the outbox does not empty")
        assert [charge.visit for charge in charges(bench.cloud_db)] == [visit]
