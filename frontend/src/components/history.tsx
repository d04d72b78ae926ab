/** What happened to a job: its attempts and its transitions. */

import type { Attempt, JobEvent } from "../api";
import { absolute, clock, duration, secondsBetween, title } from "../format";
import { StateIcon } from "./icons";
import { Panel } from "./panel";
import { Elapsed } from "./time";

function outcomeClass(outcome: string | null): string {
  if (outcome === "completed") return "good";
  if (outcome === "failed" || outcome === "lost") return "bad";
  return outcome === "retry" ? "warn" : "dim";
}

export function Attempts({ attempts, max }: { attempts: Attempt[]; max: number | undefined }) {
  if (!attempts.length) return null;
  return (
    <Panel name="Attempts" extra={max ? <span class="dim num">at most {max}</span> : null}>
      <div class="scroll-x">
        <table class="table" data-testid="job-attempts">
          <thead>
            <tr>
              <th class="right">No.</th>
              <th>Outcome</th>
              <th>Worker</th>
              <th>Started</th>
              <th class="right">Took</th>
              <th class="error-head">Error</th>
            </tr>
          </thead>
          <tbody>
            {attempts.map((attempt) => (
              <tr key={attempt.attempt}>
                <td class="right num">{attempt.attempt}</td>
                <td class={outcomeClass(attempt.outcome)}>{attempt.outcome ?? "running"}</td>
                <td>
                  <span class="cut-text mono small" title={attempt.worker ?? ""}>
                    {attempt.worker ?? "–"}
                  </span>
                </td>
                <td class="num" title={absolute(attempt.started_at)}>
                  {clock(attempt.started_at)}
                </td>
                <td class="right">
                  <Elapsed from={attempt.started_at} to={attempt.ended_at} />
                </td>
                <td class="error-cell" title={attempt.error?.message ?? ""}>
                  {attempt.error ? `${attempt.error.kind}: ${attempt.error.message}` : <span class="dim">–</span>}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  );
}

export function Timeline({ events }: { events: JobEvent[] }) {
  return (
    <Panel name="Timeline">
      <ol class="timeline" data-testid="job-timeline">
        {events.map((event, index) => {
          const before = events[index - 1];
          const since = before ? secondsBetween(before.at, event.at) : null;
          return (
            <li key={event.version} class={`s-${event.state}`}>
              <StateIcon state={event.state} />
              <div class="timeline-text">
                <span class="strong">{title(event.state)}</span>
                {event.attempt > 0 && event.state === "running" && <span class="dim"> attempt {event.attempt}</span>}
                {event.error && (
                  <p class="dim clamp" title={event.error.message}>
                    {event.error.kind}: {event.error.message}
                  </p>
                )}
              </div>
              <span class="num dim small" title={absolute(event.at)}>
                {since === null ? clock(event.at) : `+${duration(since)}`}
              </span>
            </li>
          );
        })}
      </ol>
    </Panel>
  );
}
