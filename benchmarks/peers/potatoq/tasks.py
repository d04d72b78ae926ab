import benchsync
from benchhit import hit
from potatoq.brokers import sqlite as broker

from potatoq import Potatoq

if benchsync.SYNC == "off":
    broker.PRAGMAS = tuple(p.replace("synchronous=NORMAL", "synchronous=OFF") for p in broker.PRAGMAS)
app = Potatoq("bench", broker="sqlite:///" + benchsync.PATH)
app.conf.broker_transport_options = {"durable": benchsync.SYNC == "full"}


@app.task(ignore_result=True)
def noop(sent):
    hit(sent)
