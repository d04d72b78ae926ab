import benchsync
from benchhit import hit

from stanchion import Stanchion

app = Stanchion("sqlite:///" + benchsync.PATH)


@app.task(queue="bench")
async def noop(sent: int) -> None:
    hit(sent)
