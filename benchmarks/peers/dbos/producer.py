import benchold  # noqa: F401  (must come before anything imports sqlite3)
import benchproducer
import benchsync

from dbos import DBOSClient

OPTIONS = {"workflow_name": "noop", "queue_name": "bench", "app_version": "1", "application_name": "bench"}


async def open_():
    return DBOSClient(system_database_url="sqlite:///" + benchsync.PATH)


async def close(client):
    client.destroy()


async def setup():
    from app import DBOS  # noqa: PLC0415 - only the schema needs an executor

    DBOS.launch()
    await DBOS.register_queue_async("bench")
    DBOS.destroy()


benchproducer.run_async(open_, lambda client, sent: client.enqueue_async(OPTIONS, sent), close=close, setup=setup)
