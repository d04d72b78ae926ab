import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";

import { cancelJob, copy, retryJob } from "../actions";
import type { Job, Related } from "../api";
import { Empty, Loading, ProblemNote, Words } from "../components/feedback";
import { Attempts, Timeline } from "../components/history";
import { BackIcon, CopyIcon, RetryIcon, StateIcon, StopIcon, WarnIcon } from "../components/icons";
import { ProgressBar, StatePill } from "../components/job";
import { Frame, Json, Logs, Outputs, Streamed } from "../components/outcome";
import { Panel } from "../components/panel";
import { PauseButton } from "../components/queue";
import { Ago, Elapsed } from "../components/time";
import { count, etaText, isFinal, money, plural, priority, remedy, shortId, title, waiting } from "../format";
import { openJob, pageProblem, reloadJob } from "../page";
import { jobsUrl, jobUrl, workflowUrl } from "../route";
import { lacking } from "../session";
import { pinnedJob } from "../store";

/** More relatives than these are only counted. */
const RELATED = 20;
const POLICIES: Record<string, string> = {
  fail: "Where the first of the two fails, the second fails, too",
  skip: "Where the first of the two fails, the second is cancelled",
  continue: "Where the first of the two fails, the second runs all the same",
};

function Buttons({ job }: { job: Job }) {
  const busy = useSignal(false);
  const act = (what: (id: string) => Promise<void>) => {
    busy.value = true;
    void what(job.id).finally(() => {
      busy.value = false;
    });
  };
  const cancelling = Boolean(job.cancel_requested_at);
  return (
    <div class="buttons">
      {!isFinal(job.state) && (
        <button type="button" class="button danger" disabled={busy.value || cancelling} {...lacking("jobs:write")} onClick={() => act(cancelJob)} data-testid="cancel-button">
          <StopIcon />
          {cancelling ? "Cancelling…" : "Cancel"}
        </button>
      )}
      {job.state === "failed" && (
        <button type="button" class="button primary" disabled={busy.value} {...lacking("jobs:write")} onClick={() => act(retryJob)} data-testid="retry-button">
          <RetryIcon />
          Retry
        </button>
      )}
    </div>
  );
}

function StandingBlock({ job }: { job: Job }) {
  if (job.state === "running") {
    return (
      <div class="standing">
        <ProgressBar job={job} large />
      </div>
    );
  }
  if (isFinal(job.state)) return null;
  const wait = waiting(job);
  const eta = etaText(job.eta);
  return (
    <div class="standing waits" data-testid="job-position">
      {job.position != null && job.position > 0 && job.waiting_on?.reason !== "no_worker" && (
        <span class="place num">
          <b>{job.position}</b>
          <span class="dim">{job.position === 1 ? "next in line" : `${job.ahead ?? job.position - 1} ahead`}</span>
        </span>
      )}
      <div class="grow">
        {wait && <strong>{wait.why}</strong>}
        {wait && job.waiting_on?.reason === "dependency" && job.waiting_on.key && (
          <>
            {": "}
            <a href={jobUrl(job.waiting_on.key)}>
              {job.parents?.find((one) => one.id === job.waiting_on?.key)?.task} <span class="mono small">{shortId(job.waiting_on.key)}</span>
            </a>
          </>
        )}
        {wait?.next && (
          <p class="dim">
            <Words text={wait.next} />
          </p>
        )}
        {eta && <p class="num">{title(eta)}</p>}
        {!wait && !eta && job.state === "scheduled" && job.run_at && (
          <strong>
            Starts <Ago at={job.run_at} />
          </strong>
        )}
        {!wait && !eta && job.state === "retrying" && <strong>Waits before its next attempt</strong>}
        {!wait && !eta && job.state === "queued" && <p class="dim">No estimate yet: it is learned from jobs of this task that ended.</p>}
      </div>
      {job.waiting_on?.reason === "paused_queue" && <PauseButton queue={{ name: job.queue, paused: true }} />}
    </div>
  );
}

function ErrorBlock({ job }: { job: Job }) {
  if (!job.error || job.state === "completed") return null;
  const advice = remedy(job.error);
  const trace = job.error.trace;
  return (
    <div class={`problem ${job.state === "failed" ? "" : "mild"}`} data-testid="job-error">
      <WarnIcon />
      <div class="problem-text">
        <strong>{title(job.error.kind)}</strong>
        <pre class="message">{job.error.message}</pre>
        {advice && <p class="remedy">{advice}</p>}
        {trace && (
          <details>
            <summary>Traceback</summary>
            <pre class="message">{trace}</pre>
          </details>
        )}
      </div>
    </div>
  );
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}

function Facts({ job }: { job: Job }) {
  const meta = Object.entries(job.metadata ?? {});
  const text = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value));
  return (
    <Panel name="Details">
      <dl class="facts">
        <Fact name="Queue">
          <a class="cut-text" href={jobsUrl({ queue: job.queue })} title={job.queue}>
            {job.queue}
          </a>
        </Fact>
        <Fact name="Task">
          <a class="cut-text" href={jobsUrl({ task: job.task })} title={job.task}>
            {job.task}
          </a>
        </Fact>
        <Fact name="Priority">{title(priority(job.priority))}</Fact>
        <Fact name="User">{job.user ? <span class="cut-text" title={job.user}>{job.user}</span> : <span class="dim">–</span>}</Fact>
        {job.tenant && job.tenant !== "default" && (
          <Fact name="Tenant">
            <a class="cut-text" href={jobsUrl({ tenant: job.tenant })} title={job.tenant}>
              {job.tenant}
            </a>
          </Fact>
        )}
        {job.workflows?.map((id) => (
          <Fact key={id} name="Workflow">
            <a class="cut-text mono small" href={workflowUrl(id)} title={id} data-testid="workflow-link">
              {shortId(id)}
            </a>
          </Fact>
        ))}
        {job.model && (
          <Fact name="Model">
            <span class="cut-text" title={job.model}>
              {job.model}
            </span>
          </Fact>
        )}
        <Fact name="Created">
          <Ago at={job.created_at} />
        </Fact>
        {job.run_at && (
          <Fact name="Due">
            <Ago at={job.run_at} />
          </Fact>
        )}
        {job.started_at && (
          <Fact name="Waited">
            <Elapsed from={job.created_at} to={job.started_at} />
          </Fact>
        )}
        {job.started_at && (
          <Fact name={job.state === "running" ? "Runs for" : "Took"}>
            <Elapsed from={job.started_at} to={job.state === "running" ? null : job.ended_at} />
          </Fact>
        )}
        {job.expires_at && !isFinal(job.state) && (
          <Fact name="Expires">
            <Ago at={job.expires_at} />
          </Fact>
        )}
        <Fact name="Attempts">
          <span class="num">
            {job.spent ?? 0} of {job.max_attempts ?? "–"} spent
          </span>
        </Fact>
        {Boolean(job.crashes) && <Fact name="Crashes">{job.crashes}</Fact>}
        {job.cached && <Fact name="Cache">answered from the cache</Fact>}
        {job.cost && job.cost.length > 0 && (
          <Fact name="Cost">
            <span class="num" data-testid="job-cost">{money(job.cost)}</span>
          </Fact>
        )}
        {job.correlation_id && (
          <Fact name="Correlation">
            <span class="cut-text mono small" title={job.correlation_id}>
              {job.correlation_id}
            </span>
          </Fact>
        )}
        {job.tags && job.tags.length > 0 && (
          <Fact name="Tags">
            <span class="tags">
              {job.tags.map((tag) => (
                <span key={tag} class="tag cut-text" title={tag}>
                  {tag}
                </span>
              ))}
            </span>
          </Fact>
        )}
        {meta.map(([name, value]) => (
          <Fact key={name} name={name}>
            <span class="cut-text" title={text(value)}>
              {text(value)}
            </span>
          </Fact>
        ))}
      </dl>
    </Panel>
  );
}

function Family({ name, jobs }: { name: string; jobs: readonly Related[] }) {
  if (!jobs.length) return null;
  return (
    <Panel name={name} extra={<span class="dim num">{jobs.length > 1 && count(jobs.length)}</span>}>
      <ul class="family" data-testid="job-family">
        {jobs.slice(0, RELATED).map((one) => (
          <li key={one.id} class={`s-${one.state}`}>
            <StateIcon state={one.state} />
            <a class="cut-text" href={jobUrl(one.id)} title={`${one.task}\n${one.id}\n${one.state}`}>
              {one.task} <span class="mono dim small">{shortId(one.id)}</span>
            </a>
            <span class="dim small" title={POLICIES[one.policy] ?? ""}>
              {title(one.state)}
            </span>
          </li>
        ))}
      </ul>
      {jobs.length > RELATED && <p class="hint">And {plural(jobs.length - RELATED, "more job")}.</p>}
    </Panel>
  );
}

export function JobPage({ id }: { id: string }) {
  useEffect(() => {
    document.title = "Job · Stanchion";
    return openJob(id);
  }, [id]);
  const problem = pageProblem.value;
  const job = pinnedJob.value?.value;

  useEffect(() => {
    if (job) document.title = `${job.task} · ${title(job.state)} · Stanchion`;
  }, [job?.task, job?.state]);

  if (job?.id !== id) {
    if (problem?.status === 404) {
      return (
        <Empty title="There is no such job">
          <p class="dim">It may have been cleaned away, or it belongs to another tenant.</p>
          <a class="button" href="/jobs">
            Show all jobs
          </a>
        </Empty>
      );
    }
    return problem ? <ProblemNote problem={problem} again={() => reloadJob(id)} /> : <Loading rows={8} />;
  }
  const full = job.args !== undefined || job.events !== undefined;
  return (
    <div class="view" data-testid="job-page" data-job={id}>
      <header class="view-head job-head">
        <a class="icon-button" href="/jobs" aria-label="Back to the jobs" title="Back to the jobs">
          <BackIcon />
        </a>
        <div class="job-title">
          <h1 class="cut-text" title={job.task}>
            {job.task}
          </h1>
          <button type="button" class="mono dim small id-button" title="Copy the id" onClick={() => void copy(job.id)}>
            <span class="cut-text">{job.id}</span>
            <CopyIcon />
          </button>
        </div>
        <StatePill job={job} />
        <Buttons job={job} />
      </header>
      {problem && <ProblemNote problem={problem} again={() => reloadJob(id)} />}
      <StandingBlock job={job} />
      <ErrorBlock job={job} />
      <div class="job-grid">
        <div class="stack">
          <Frame job={job} />
          <Streamed />
          {full && <Json name="Arguments" value={job.args ?? null} />}
          {job.state === "completed" && full && <Json name="Result" value={job.result ?? null} />}
          <Outputs outputs={job.outputs ?? []} />
          <Attempts attempts={job.attempts ?? []} max={job.max_attempts} />
          <Logs />
        </div>
        <div class="stack">
          <Facts job={job} />
          <Family name={job.state === "blocked" ? "Waits for" : "Waited for"} jobs={job.parents ?? []} />
          <Family name="Followed by" jobs={job.children ?? []} />
          {job.events && <Timeline events={job.events} />}
        </div>
      </div>
    </div>
  );
}
