/** What can be done to the selected jobs, or to all that match the filter. */

import { bulk } from "../actions";
import type { State } from "../api";
import { count, isFinal, plural, title } from "../format";
import { jobSignal, type JobList } from "../store";
import { ask } from "./dialog";
import type { Filters } from "./filters";
import { CloseIcon, RetryIcon, StopIcon } from "./icons";

export function BulkBar({ picked, clear, list, filters }: { picked: ReadonlySet<string>; clear: () => void; list: JobList; filters: Filters }) {
  const jobs = [...picked].map((id) => jobSignal(id)?.value).filter((job) => job !== undefined);
  const open = jobs.filter((job) => !isFinal(job.state)).map((job) => job.id);
  const dead = jobs.filter((job) => job.state === "failed").map((job) => job.id);
  const { state, queue, task, q } = filters;
  const narrow = filters.tenant || filters.workflow; // the bulk routes know no such filter
  const whole = !narrow && picked.size >= list.ids.value.length && list.next.value !== null && state !== undefined && !q;
  const chosen = (state ?? "").split(",") as State[];
  const filter = { ...(state ? { state: chosen } : {}), ...(queue ? { queue } : {}), ...(task ? { task } : {}) };
  const words = [state?.replaceAll(",", " or "), queue && `in queue ${queue}`, task && `of task ${task}`].filter(Boolean).join(" ");

  async function run(verb: "cancel" | "retry", ids: string[]): Promise<void> {
    const sure =
      verb === "retry" ||
      (await ask(`Cancel ${plural(ids.length, "job")}?`, <p>Running jobs are asked to stop; waiting ones never start.</p>, "Cancel them"));
    if (sure && (await bulk(verb, { ids }))) clear();
  }
  async function runAll(verb: "cancel" | "retry"): Promise<void> {
    const sure = await ask(
      `${title(verb)} every job that is ${words}?`,
      <p>This reaches all jobs that match the filter, also those on other pages.</p>,
      `${title(verb)} all`,
      verb === "cancel",
    );
    if (sure && (await bulk(verb, { filter }))) clear();
  }

  return (
    <div class="bulk" role="region" aria-label="Selected jobs">
      <strong class="num">{count(picked.size)} selected</strong>
      {list.held.value.length > 0 && <span class="dim num">{plural(list.held.value.length, "new job")} waiting to be shown</span>}
      <span class="grow" />
      {whole && chosen.every((one) => one === "failed") && (
        <button type="button" class="button small" onClick={() => void runAll("retry")}>
          Retry all that match
        </button>
      )}
      {whole && chosen.every((one) => !isFinal(one)) && (
        <button type="button" class="button small" onClick={() => void runAll("cancel")}>
          Cancel all that match
        </button>
      )}
      <button type="button" class="button small" disabled={!dead.length} onClick={() => void run("retry", dead)} data-testid="bulk-retry">
        <RetryIcon />
        Retry {dead.length > 0 && count(dead.length)}
      </button>
      <button type="button" class="button small danger" disabled={!open.length} onClick={() => void run("cancel", open)} data-testid="bulk-cancel">
        <StopIcon />
        Cancel {open.length > 0 && count(open.length)}
      </button>
      <button type="button" class="icon-button" aria-label="Clear the selection" title="Clear the selection" onClick={clear}>
        <CloseIcon />
      </button>
    </div>
  );
}
