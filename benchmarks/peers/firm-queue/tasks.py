import benchsync
import firm.queue as jobs
from benchhit import hit
from firm._core import database
from sqlalchemy import event

ships = database._install_sqlite_pragmas


def _install(engine, busy_timeout_ms):
    ships(engine, busy_timeout_ms)
    event.listen(engine, "connect", lambda connection, _: benchsync.set_on(connection))


# Forked workers make engines of their own, so the hook belongs where engines are made.
database._install_sqlite_pragmas = _install
runtime = jobs.configure(database_url="sqlite:///" + benchsync.PATH)


@jobs.job()
def noop(sent):
    hit(sent)
