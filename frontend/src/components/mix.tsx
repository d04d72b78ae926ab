/** Jobs by state, as one bar. */

import { STATES, type Counts } from "../api";
import { count, title } from "../format";

interface Props {
  name: string;
  counts: Counts;
  /** Also what has ended well, so that the bar is all there is. */
  whole?: boolean;
}

/** As one reads a bar: what is done stands left. */
const LEFT_FIRST = ["completed", "running", "retrying", "queued", "scheduled", "blocked", "failed", "cancelled"] as const;

export function Mix({ name, counts, whole = false }: Props) {
  const order = whole ? LEFT_FIRST : STATES.filter((state) => state !== "completed" && state !== "cancelled");
  const open = order.filter((state) => counts[state]);
  const total = open.reduce((sum, state) => sum + (counts[state] ?? 0), 0);
  const words = open.map((state) => `${count(counts[state])} ${state}`).join(", ");
  return (
    <div class="mix" role="img" aria-label={`${name}: ${words || "nothing open"}`} title={words || "nothing open"}>
      {open.map((state) => (
        <i key={state} class={`s-${state}`} style={{ flexGrow: Math.max((counts[state] ?? 0) / total, 0.02) }} />
      ))}
    </div>
  );
}

export function MixLegend({ counts }: { counts: Counts }) {
  return (
    <ul class="legend mix-legend">
      {LEFT_FIRST.filter((state) => counts[state]).map((state) => (
        <li key={state} class={`s-${state}`}>
          <i class="swatch" />
          {title(state)} <b class="num">{count(counts[state])}</b>
        </li>
      ))}
    </ul>
  );
}
