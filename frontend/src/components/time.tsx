/** Times that move by themselves: one clock for the whole page. */

import { signal } from "@preact/signals";

import { absolute, ago, duration, secondsBetween } from "../format";

const tick = signal(0);
setInterval(() => {
  if (!document.hidden) tick.value += 1;
}, 1000);

export function Ago({ at }: { at: string | null | undefined }) {
  void tick.value;
  if (!at) return <span class="dim">–</span>;
  return (
    <time dateTime={at} title={absolute(at)}>
      {ago(at)}
    </time>
  );
}

/** From one moment to another, or to now. */
export function Elapsed({ from, to }: { from: string | null | undefined; to?: string | null | undefined }) {
  if (!to) void tick.value;
  if (!from) return <span class="dim">–</span>;
  const seconds = secondsBetween(from, to);
  // A moving figure with milliseconds would only flicker.
  return <span class="num">{duration(to || seconds === null ? seconds : Math.floor(seconds))}</span>;
}

export function SecondsTo({ at }: { at: number }) {
  void tick.value;
  return <>{Math.max(0, Math.ceil((at - Date.now()) / 1000))} s</>;
}
