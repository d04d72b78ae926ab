/** The parts of a job that several views show. */

import type { Job, Output, State } from "../api";
import { duration, isFinal, picture, title, waiting } from "../format";
import { StateIcon } from "./icons";

export function StatePill({ job }: { job: Job }) {
  const cancelling = job.state === "running" && job.cancel_requested_at;
  return (
    <span class={`pill s-${job.state}`} data-testid="job-state" data-state={job.state}>
      <StateIcon state={job.state} />
      {cancelling ? "Cancelling" : title(job.state)}
    </span>
  );
}

export function StateName({ state }: { state: State }) {
  return (
    <span class={`pill s-${state}`}>
      <StateIcon state={state} />
      {title(state)}
    </span>
  );
}

function percent(fraction: number): string {
  return `${Math.floor(fraction * 100)}%`;
}

/** A bar that is full at 1, or that only moves when nobody knows how much is left. */
export function ProgressBar({ job, large = false }: { job: Job; large?: boolean }) {
  const progress = job.progress;
  const fraction = progress?.fraction ?? null;
  const label = [progress?.stage, progress?.message].filter(Boolean).join(" · ");
  const steps = progress?.index != null && progress.length ? `${progress.index}/${progress.length}` : "";
  const bar = (
    <div
      class={`bar ${fraction === null ? "unknown" : ""}`}
      role="progressbar"
      aria-label={`Progress of ${job.task}`}
      aria-valuemin={0}
      aria-valuemax={100}
      {...(fraction === null ? {} : { "aria-valuenow": Math.floor(fraction * 100) })}
      aria-valuetext={[fraction === null ? "" : percent(fraction), label].filter(Boolean).join(", ")}
      data-testid="job-progress"
    >
      <div class="fill" style={{ transform: `scaleX(${fraction ?? 0.3})` }} />
    </div>
  );
  if (large) {
    return (
      <div class="progress large">
        <div class="progress-head">
          <strong class="cut-text">{progress?.stage ? title(progress.stage) : "Running"}</strong>
          <span class="cut-text dim grow" title={progress?.message ?? ""}>
            {progress?.message}
          </span>
          <span class="num dim">{steps}</span>
          <span class="num">{fraction === null ? "" : percent(fraction)}</span>
        </div>
        {bar}
        <div class="progress-foot num dim">{progress?.eta != null ? `about ${duration(Math.ceil(progress.eta))} left` : "\u00a0"}</div>
      </div>
    );
  }
  return (
    <div class="progress" title={label}>
      <span class="cut-text dim">{label || "running"}</span>
      <span class="num">{fraction === null ? steps : percent(fraction)}</span>
      {bar}
    </div>
  );
}

/** One line that says how the job stands, whatever its state. */
export function Standing({ job }: { job: Job }) {
  if (job.state === "running") return <ProgressBar job={job} />;
  if (job.error && (job.state === "failed" || job.state === "retrying")) {
    const text = `${job.error.kind}: ${job.error.message}`;
    return (
      <span class={`cut-text ${job.state === "failed" ? "bad" : "warn"}`} title={text}>
        {text}
      </span>
    );
  }
  if (isFinal(job.state)) {
    if (job.cached) return <span class="dim">from the cache</span>;
    return <span class="dim cut-text">{summary(job)}</span>;
  }
  const wait = waiting(job);
  if (wait) {
    return (
      <span class="dim cut-text" title={`${wait.why}. ${wait.next}`}>
        {wait.why}
      </span>
    );
  }
  if (job.position != null && job.position > 0) {
    return (
      <span class="dim num">
        {job.position === 1 ? "Next in line" : `Position ${job.position}`}
      </span>
    );
  }
  return <span class="dim">–</span>;
}

function summary(job: Job): string {
  const shown = picture(job);
  if (shown?.width && shown.height) return `${shown.width} × ${shown.height}`;
  if (job.outputs?.length) return `${job.outputs.length} output${job.outputs.length === 1 ? "" : "s"}`;
  return "";
}

export function imageSource(job: Job): string {
  const shown = picture(job);
  if (shown) return shown.url;
  const preview = job.preview;
  if (preview?.data_base64) return `data:${preview.content_type ?? "image/png"};base64,${preview.data_base64}`;
  return preview?.url ?? "";
}

/** A picture this small is pixel art, or at least looks right as if it were. */
export function isPixelArt(size: { width?: number | null; height?: number | null } | null | undefined): boolean {
  return !size?.width || !size.height || Math.max(size.width, size.height) <= 256;
}

export function Thumb({ job }: { job: Job }) {
  const source = imageSource(job);
  if (!source) return <span class={`thumb none s-${job.state}`} aria-hidden="true" />;
  const pixels = isPixelArt(picture(job) ?? job.preview);
  return <img class={`thumb ${pixels ? "pixels" : ""}`} src={source} alt="" width={32} height={32} loading="lazy" decoding="async" />;
}

export function outputName(output: Output): string {
  return output.name ?? `output ${output.index}`;
}
