import benchproducer
from tasks import app, noop


async def open_():
    await app.open()
    return noop


async def close(_):
    await app.close()


async def bulk(task, sents):
    await task.enqueue_many([{"sent": sent} for sent in sents])


benchproducer.run_async(open_, lambda task, sent: task.enqueue(sent), bulk=bulk, close=close)
