import benchproducer
from tasks import app, noop


async def nothing():
    return None


async def close(_):
    if hasattr(app, "aclose"):
        await app.aclose()


benchproducer.run_async(nothing, lambda _, sent: noop.aenqueue(sent), close=close)
