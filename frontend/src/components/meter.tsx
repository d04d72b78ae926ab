/** How much of something is in use. */

import { count } from "../format";

interface Props {
  label: string;
  used: number;
  /** Null: there is no bound. */
  most: number | null;
  /** Someone waits for it. */
  wanted?: boolean;
}

export function Meter({ label, used, most, wanted = false }: Props) {
  const words = most === null ? `${count(used)} in use` : `${count(used)} of ${count(most)} in use`;
  const full = most !== null && used >= most;
  return (
    <div class="meter">
      <span class="num">
        {count(used)}
        {most !== null && <span class="dim"> / {count(most)}</span>}
      </span>
      {most !== null && (
        <div
          class={`bar ${full && wanted ? "full" : ""}`}
          role="meter"
          aria-label={label}
          aria-valuemin={0}
          aria-valuemax={Math.max(most, used)}
          aria-valuenow={used}
          aria-valuetext={words}
        >
          <div class="fill" style={{ transform: `scaleX(${most > 0 ? Math.min(1, used / most) : 1})` }} />
        </div>
      )}
    </div>
  );
}
