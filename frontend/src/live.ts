/** What each frame of the stream means for what the page knows. */

import type { Job, Preview, Progress } from "./api";
import { addLog, addOutput, refreshSoon, reloadPage } from "./page";
import { addStats, loadStats, queues } from "./stats";
import { amend, isPinned, jobSignal, pinnedId, reloadLists, store, storeStatus, type Status } from "./store";
import { startStream, type EventName, type Frame } from "./stream";

function readAgain(): void {
  reloadLists();
  reloadPage();
  void loadStats();
  void queues.refresh();
}

function apply(name: EventName, frame: Frame): void {
  switch (name) {
    case "status":
      if (storeStatus(frame as unknown as Status) && isPinned(frame.job)) refreshSoon(String(frame.job));
      break;
    case "snapshot": {
      const job = frame as unknown as Job;
      if (job.id && (jobSignal(job.id) || isPinned(job.id))) store(job);
      break;
    }
    case "position": {
      const { position, ahead, eta, waiting_on } = frame as Partial<Job>;
      amend(frame.job, { position: position ?? null, ahead: ahead ?? null, eta: eta ?? null, waiting_on: waiting_on ?? null });
      break;
    }
    case "progress": {
      const { job: _job, ...progress } = frame;
      amend(frame.job, { progress: progress as unknown as Progress });
      break;
    }
    case "preview": {
      const { job: _job, ...preview } = frame;
      amend(frame.job, { preview: preview as unknown as Preview });
      break;
    }
    case "output":
      if (isPinned(frame.job)) addOutput(frame);
      break;
    case "log":
      if (isPinned(frame.job)) addLog(frame);
      break;
    case "done":
      if (isPinned(frame.job)) refreshSoon(String(frame.job));
      break;
    case "stats":
      addStats(frame);
      break;
    case "reset":
      readAgain();
  }
}

/** Starts following the server, and calls `loggedOut` when it asks for a key again. */
export function startLive(loggedOut: () => void): void {
  startStream({
    frame: apply,
    job: pinnedId,
    gap: readAgain,
    resumed: () => {
      void loadStats();
      reloadPage();
    },
    loggedOut,
  });
  void loadStats();
}
