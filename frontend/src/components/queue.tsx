import { useSignal } from "@preact/signals";

import { setPaused } from "../actions";
import type { Queue } from "../api";
import { lacking } from "../session";
import { PauseIcon, PlayIcon } from "./icons";

export function PauseButton({ queue }: { queue: Pick<Queue, "name" | "paused"> }) {
  const busy = useSignal(false);
  const verb = queue.paused ? "Resume" : "Pause";
  return (
    <button
      type="button"
      class={`button small ${queue.paused ? "primary" : ""}`}
      disabled={busy.value}
      aria-label={`${verb} queue ${queue.name}`}
      data-testid="pause-button"
      {...lacking("admin:queues")}
      onClick={() => {
        busy.value = true;
        void setPaused(queue.name, !queue.paused).finally(() => {
          busy.value = false;
        });
      }}
    >
      {queue.paused ? <PlayIcon /> : <PauseIcon />}
      <span class="button-label">{verb}</span>
    </button>
  );
}
