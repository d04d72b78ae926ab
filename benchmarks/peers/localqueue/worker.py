from benchhit import hit
from queues import open_

from localqueue import Worker

Worker(open_(), lambda job: hit(job.data["sent"])).run()
