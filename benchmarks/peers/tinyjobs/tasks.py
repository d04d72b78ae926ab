import benchsync
from benchhit import hit
from tinyjobs.backends.sqlite import connection

from tinyjobs import TinyJobs

if benchsync.PRAGMA:
    connection.FILE_PRAGMAS = (f"PRAGMA synchronous = {benchsync.PRAGMA}",)
app = TinyJobs("sqlite:///" + benchsync.PATH)


@app.task
async def noop(sent: int) -> None:
    hit(sent)
