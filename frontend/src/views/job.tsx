import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";

import { cancelJob, copy, retryJob } from "../actions";
import type { Attempt, Job, JobEvent, Output } from "../api";
import { Empty, Loading, ProblemNote } from "../components/feedback";
import { BackIcon, CopyIcon, DownloadIcon, RetryIcon, StateIcon, StopIcon, WarnIcon } from "../components/icons";
import { imageSource, isPixelArt, outputName, ProgressBar, StatePill } from "../components/job";
import { PauseButton } from "../components/queue";
import { Ago, Elapsed } from "../components/time";
import { absolute, bytes, clock, duration, etaText, isFinal, isImage, money, picture, pretty, priority, remedy, secondsBetween, title, waiting } from "../format";
import { chunks, logs, openJob, pageProblem, pinnedJob, reloadJob } from "../live";
import { jobsUrl } from "../route";

function Panel({ name, children, extra }: { name: string; children: ComponentChildren; extra?: ComponentChildren }) {
  return (
    <section class="panel" aria-label={name}>
      <header class="panel-head">
        <h2>{name}</h2>
        {extra}
      </header>
      {children}
    </section>
  );
}

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
        <button type="button" class="button danger" disabled={busy.value || cancelling} onClick={() => act(cancelJob)} data-testid="cancel-button">
          <StopIcon />
          {cancelling ? "Cancelling…" : "Cancel"}
        </button>
      )}
      {job.state === "failed" && (
        <button type="button" class="button primary" disabled={busy.value} onClick={() => act(retryJob)} data-testid="retry-button">
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
      {job.position != null && job.position > 0 && (
        <span class="place num">
          <b>{job.position}</b>
          <span class="dim">{job.position === 1 ? "next in line" : `${job.ahead ?? job.position - 1} ahead`}</span>
        </span>
      )}
      <div class="grow">
        {wait && <strong>{wait.why}</strong>}
        {wait?.next && <p class="dim">{wait.next}</p>}
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
  return (
    <div class={`problem ${job.state === "failed" ? "" : "mild"}`} data-testid="job-error">
      <WarnIcon />
      <div class="problem-text">
        <strong>{title(job.error.kind)}</strong>
        <pre class="message">{job.error.message}</pre>
        {advice && <p class="remedy">{advice}</p>}
        {job.error.traceback_id && <p class="dim small">Traceback {job.error.traceback_id} in the worker's log</p>}
      </div>
    </div>
  );
}

function Frame({ job }: { job: Job }) {
  const shown = picture(job);
  const source = imageSource(job);
  const others = (job.outputs ?? []).filter((output) => isImage(output) && output !== shown);
  if (!source) return null;
  const size = shown ?? job.preview;
  return (
    <Panel
      name={shown ? "Picture" : "Preview"}
      extra={
        <span class="dim num">
          {size?.width && size.height ? `${size.width} × ${size.height}` : ""}
          {!shown && job.preview?.step != null ? ` · step ${job.preview.step}` : ""}
        </span>
      }
    >
      <div class={`frame ${shown ? "" : "early"}`}>
        <img
          class={isPixelArt(size) ? "pixels" : ""}
          src={source}
          alt={shown ? `Result of ${job.task}` : `Preview of ${job.task}`}
          data-testid={shown ? "job-picture" : "job-preview"}
        />
      </div>
      {others.length > 0 && (
        <div class="strip">
          {others.map((output) => (
            <a key={output.index} href={output.url} target="_blank" rel="noreferrer" title={outputName(output)}>
              <img class={isPixelArt(output) ? "pixels" : ""} src={output.url} alt={outputName(output)} loading="lazy" />
            </a>
          ))}
        </div>
      )}
    </Panel>
  );
}

function Outputs({ outputs }: { outputs: Output[] }) {
  if (!outputs.length) return null;
  return (
    <Panel name="Outputs">
      <ul class="outputs" data-testid="job-outputs">
        {outputs.map((output) => (
          <li key={output.index}>
            <div class="output-line">
              <span class="cut-text strong" title={outputName(output)}>
                {outputName(output)}
              </span>
              <span class="dim cut-text grow">
                {output.content_type ?? output.kind}
                {output.width && output.height ? ` · ${output.width} × ${output.height}` : ""} · {bytes(output.size)}
              </span>
              <a class="button small" href={output.url} download={output.name ?? `output-${output.index}`} aria-label={`Download ${outputName(output)}`}>
                <DownloadIcon />
                Download
              </a>
            </div>
            {(output.content_type ?? "").startsWith("audio/") && <audio controls preload="none" src={output.url} />}
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function Streamed() {
  if (!chunks.value.length) return null;
  return (
    <Panel name="Streamed output">
      <pre class="code streamed" data-testid="job-stream">
        {chunks.value.map((chunk) => chunk.text).join("")}
      </pre>
    </Panel>
  );
}

function Logs() {
  if (!logs.value.length) return null;
  return (
    <Panel name="Log">
      <ol class="logs mono">
        {logs.value.map((line, index) => (
          <li key={index} class={`log-${line.level}`}>
            <span class="dim">{clock(line.at)}</span> <span class="level">{line.level}</span> {line.message}
          </li>
        ))}
      </ol>
    </Panel>
  );
}

function Json({ name, value }: { name: string; value: unknown }) {
  const text = pretty(value);
  return (
    <Panel
      name={name}
      extra={
        <button type="button" class="icon-button push" title={`Copy the ${name.toLowerCase()}`} aria-label={`Copy the ${name.toLowerCase()}`} onClick={() => void copy(text)}>
          <CopyIcon />
        </button>
      }
    >
      <pre class="code" tabIndex={0} data-testid={`job-${name.toLowerCase()}`}>
        {text}
      </pre>
    </Panel>
  );
}

function outcomeClass(outcome: string | null): string {
  if (outcome === "completed") return "good";
  if (outcome === "failed" || outcome === "lost") return "bad";
  return outcome === "retry" ? "warn" : "dim";
}

function Attempts({ attempts, max }: { attempts: Attempt[]; max: number | undefined }) {
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

function Timeline({ events }: { events: JobEvent[] }) {
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
        {job.tenant && job.tenant !== "default" && <Fact name="Tenant">{job.tenant}</Fact>}
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
          {job.events && <Timeline events={job.events} />}
        </div>
      </div>
    </div>
  );
}
