import benchproducer
from tasks import noop

from potatoq import group


def bulk(_, sents):
    group(noop.s(sent) for sent in sents).apply_async()


benchproducer.run_sync(lambda: None, lambda _, sent: noop.delay(sent), bulk=bulk)
