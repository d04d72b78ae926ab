/** A key of a limit: what kind of thing it counts, and which; a link where there is something to see. */

import { keyParts } from "../format";
import { jobsUrl } from "../route";

function place(kind: string, name: string): string {
  if (name === "*") return "";
  if (kind === "queue") return jobsUrl({ queue: name });
  if (kind === "task") return jobsUrl({ task: name });
  if (kind === "tenant") return jobsUrl({ tenant: name });
  return "";
}

export function Key({ name: key }: { name: string }) {
  const [kind, name] = keyParts(key);
  const to = place(kind, name);
  const shown = name === "*" ? `each` : name;
  return (
    <span class="key" title={key}>
      {kind && <span class="key-kind">{kind}</span>}
      {to ? (
        <a class="cut-text strong" href={to}>
          {shown}
        </a>
      ) : (
        <span class="cut-text strong">{shown}</span>
      )}
    </span>
  );
}
