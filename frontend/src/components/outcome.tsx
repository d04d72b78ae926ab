/** What a job was given and what it made: pictures, text, files, arguments and result. Data is shown as text, never as markup. */

import { copy } from "../actions";
import type { Job, Output } from "../api";
import { bytes, clock, isImage, picture, pretty } from "../format";
import { chunks, logs } from "../page";
import { CopyIcon, DownloadIcon } from "./icons";
import { imageSource, isPixelArt, outputName } from "./job";
import { Panel } from "./panel";

export function Frame({ job }: { job: Job }) {
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

export function Outputs({ outputs }: { outputs: Output[] }) {
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

export function Streamed() {
  if (!chunks.value.length) return null;
  return (
    <Panel name="Streamed output">
      <pre class="code streamed" data-testid="job-stream">
        {chunks.value.map((chunk) => chunk.text).join("")}
      </pre>
    </Panel>
  );
}

export function Logs() {
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

export function Json({ name, value }: { name: string; value: unknown }) {
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
