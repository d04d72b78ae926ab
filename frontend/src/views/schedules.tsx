import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { dropSchedule, onSchedule } from "../actions";
import type { Schedule } from "../api";
import { ask } from "../components/dialog";
import { Command, Empty, Loading, ProblemNote } from "../components/feedback";
import { NextIcon, PauseIcon, PlayIcon, TrashIcon } from "../components/icons";
import { Ago } from "../components/time";
import { absolute, duration, rule, shortId } from "../format";
import { jobsUrl, jobUrl } from "../route";
import { lacking } from "../session";
import { schedules } from "../stats";

const SCOPE = "jobs:write";
const OVERLAPS: Record<string, string> = {
  skip: "skips a tick while the job before runs",
  cancel_running: "cancels the job before",
};

async function askToDrop(schedule: Schedule): Promise<void> {
  const body = <p>Its jobs stay. One that stands in code comes back when its app is opened: pause it instead.</p>;
  if (await ask(`Delete the schedule ${schedule.name}?`, body, "Delete it")) await dropSchedule(schedule);
}

async function askToRun(schedule: Schedule): Promise<void> {
  const body = <p>One job of {schedule.job.task} is enqueued at once. Its ticks stay as they are.</p>;
  if (await ask(`Run ${schedule.name} now?`, body, "Run it now", false)) await onSchedule("run", schedule);
}

function Row({ schedule }: { schedule: Schedule }) {
  const busy = useSignal(false);
  const denied = lacking(SCOPE);
  const verb = schedule.paused ? "resume" : "pause";
  const act = (deed: Promise<void>) => {
    busy.value = true;
    void deed.finally(() => {
      busy.value = false;
    });
  };
  const also = [OVERLAPS[schedule.overlap], schedule.catch_up ? `makes up for ${duration(schedule.catch_up)}` : ""].filter(Boolean).join("; ");
  return (
    <tr data-testid="schedule-row" data-schedule={schedule.name}>
      <td class="key-cell">
        <span class="cut-text strong" title={schedule.name}>
          {schedule.name}
        </span>
        {schedule.paused && <span class="tag warn">paused</span>}
        {schedule.tenant !== "default" && (
          <span class="tag cut-text" title={`tenant ${schedule.tenant}`}>
            {schedule.tenant}
          </span>
        )}
      </td>
      <td data-label="Rule">
        <span>
          <code>{rule(schedule)}</code>
          {schedule.cron && <span class="dim small"> {schedule.tz}</span>}
          {also && <span class="dim small rule-also">{also}</span>}
        </span>
      </td>
      <td class="task-cell" data-label="Task">
        <a class="cut-text quiet" href={jobsUrl({ task: schedule.job.task })} title={`${schedule.job.task} in queue ${schedule.job.queue}`}>
          {schedule.job.task}
        </a>
      </td>
      <td class="num" data-label="Next" title={absolute(schedule.next_at)}>
        {schedule.paused ? <span class="dim">–</span> : <Ago at={schedule.next_at} />}
      </td>
      <td class="num" data-label="Last">
        <span>
          <Ago at={schedule.last_at} />
          {schedule.last_job && (
            <>
              {" "}
              <a class="mono small" href={jobUrl(schedule.last_job)} title={`Its last job ${schedule.last_job}`}>
                {shortId(schedule.last_job)}
              </a>
            </>
          )}
        </span>
      </td>
      <td class="actions-cell">
        <span class="row-actions">
          <button type="button" class="button small ghost" disabled={busy.value} aria-label={`Run ${schedule.name} now`} data-testid="run-schedule" {...denied} onClick={() => act(askToRun(schedule))}>
            <NextIcon />
            Run…
          </button>
          <button
            type="button"
            class={`button small ${schedule.paused ? "primary" : ""}`}
            disabled={busy.value}
            aria-label={`${schedule.paused ? "Resume" : "Pause"} ${schedule.name}`}
            data-testid="pause-schedule"
            {...denied}
            onClick={() => act(onSchedule(verb, schedule))}
          >
            {schedule.paused ? <PlayIcon /> : <PauseIcon />}
            {schedule.paused ? "Resume" : "Pause"}
          </button>
          <button type="button" class="icon-button" disabled={busy.value} aria-label={`Delete ${schedule.name}`} title="Delete" {...denied} onClick={() => void askToDrop(schedule)}>
            <TrashIcon />
          </button>
        </span>
      </td>
    </tr>
  );
}

export function Schedules() {
  useEffect(() => {
    document.title = "Schedules · Stanchion";
    return schedules.open();
  }, []);
  const items = schedules.items.value;
  return (
    <div class="view">
      <header class="view-head">
        <h1>Schedules</h1>
      </header>
      {schedules.problem.value && <ProblemNote problem={schedules.problem.value} again={() => void schedules.refresh()} />}
      {!items && !schedules.problem.value && <Loading />}
      {items?.length === 0 && (
        <section class="panel">
          <Empty title="No schedules">
            <p class="dim">A schedule enqueues a task by cron or by an interval. It is written above the task:</p>
            <Command text='@app.schedule("0 7 * * MON-FRI", tz="Europe/Berlin")' />
          </Empty>
        </section>
      )}
      {items && items.length > 0 && (
        <section class="panel">
          <table class="table fold schedules-table">
            <thead>
              <tr>
                <th>Schedule</th>
                <th>Rule</th>
                <th>Task</th>
                <th>Next</th>
                <th>Last</th>
                <th>
                  <span class="hidden">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {items.map((schedule) => (
                <Row key={`${schedule.tenant}/${schedule.name}`} schedule={schedule} />
              ))}
            </tbody>
          </table>
        </section>
      )}
    </div>
  );
}
