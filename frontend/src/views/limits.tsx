import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { dropLimit, park, setLimit, unpark } from "../actions";
import type { Limit, NewLimit } from "../api";
import { ask, fill } from "../components/dialog";
import { Command, Empty, Loading, ProblemNote } from "../components/feedback";
import { Choice, NumberField, TextField } from "../components/fields";
import { EditIcon, PauseIcon, PlayIcon, PlusIcon, SearchIcon, TrashIcon } from "../components/icons";
import { Key } from "../components/key";
import { Meter } from "../components/meter";
import { Ago } from "../components/time";
import { count, plural, starts } from "../format";
import { lacking } from "../session";
import { limits } from "../stats";

const SCOPE = "admin:limits";
const MOST = 1_000_000;
/** More rows than these are found by searching. */
const ROWS = 200;
const PERIODS = [
  ["a second", "1"],
  ["a minute", "60"],
  ["an hour", "3600"],
  ["a day", "86400"],
] as const;
const PARKS = [
  ["for a minute", "60"],
  ["for 10 minutes", "600"],
  ["for an hour", "3600"],
  ["for a day", "86400"],
] as const;

const form = {
  key: signal(""),
  running: signal(""),
  starts: signal(""),
  period: signal("60"),
  burst: signal("1"),
  refuse: signal(""),
};
const parkFor = signal("600");
const sought = signal("");

function LimitForm({ fresh }: { fresh: boolean }) {
  const bounded = /^(queue|tenant|user):/.test(form.key.value);
  const period = form.period.value;
  const known = PERIODS.some(([, value]) => value === period);
  return (
    <>
      <TextField
        label="Key"
        value={form.key}
        required
        disabled={!fresh}
        hint={
          fresh && (
            <>
              <code>queue:images</code>, <code>tenant:acme</code>, <code>user:acme/ada</code>, <code>task:sprite</code>, <code>provider:name</code>;{" "}
              <code>tenant:*</code> and <code>user:*</code> hold for each.
            </>
          )
        }
      />
      <NumberField label="At most so many at once" value={form.running} min={0} max={MOST} hint="Empty: no bound. 0 holds all of them." />
      <div class="field-row">
        <NumberField label="Starts" value={form.starts} min={1} max={MOST} />
        <Choice label="per" value={form.period} choices={known ? PERIODS : [...PERIODS, [`${period} s`, period]]} />
        <NumberField label="Burst" value={form.burst} min={1} max={MOST} required />
      </div>
      <span class="dim small">Empty starts: no bound. The burst is how many may start at one instant.</span>
      {bounded && <NumberField label="Refuse above so many that wait and run" value={form.refuse} min={0} max={MOST} hint="Empty: none is refused." />}
    </>
  );
}

function typed(): NewLimit {
  const number = (text: string) => (text === "" ? null : Number(text));
  const running = number(form.running.value);
  const rate = number(form.starts.value);
  const refuse = number(form.refuse.value);
  return {
    key: form.key.value.trim(),
    ...(running === null ? {} : { running }),
    ...(rate === null ? {} : { starts: rate, period: Number(form.period.value), burst: Number(form.burst.value) }),
    ...(refuse === null ? {} : { refuse }),
  };
}

function edit(limit: Limit | null): void {
  const text = (value: number | null | undefined) => (value === null || value === undefined ? "" : String(value));
  form.key.value = limit?.key ?? "";
  form.running.value = text(limit?.running);
  form.starts.value = text(limit?.starts);
  form.period.value = text(limit?.period) || "60";
  form.burst.value = text(limit?.burst) || "1";
  form.refuse.value = text(limit?.refuse);
  fill(limit ? `Limit of ${limit.key}` : "Set a limit", <LimitForm fresh={!limit} />, "Set the limit", () => setLimit(typed()));
}

async function askToDrop(limit: Limit): Promise<void> {
  const body = <p>{limit.waiting ? `${plural(limit.waiting, "job")} that wait for it may start at once.` : "It stops nothing that runs, and holds nothing any more."}</p>;
  if (await ask(`Remove the limit of ${limit.key}?`, body, "Remove it")) await dropLimit(limit.key);
}

function askToPark(key: string): void {
  const body = (
    <>
      <p>Nothing of it starts meanwhile. What runs goes on, and no attempt is spent on waiting.</p>
      <Choice label="How long" value={parkFor} choices={PARKS} />
    </>
  );
  fill(`Park ${key}`, body, "Park it", () => park(key, Number(parkFor.value)));
}

function hasLimit(limit: Limit): boolean {
  return limit.running !== null || limit.starts !== null || limit.refuse !== null;
}

function Row({ limit }: { limit: Limit }) {
  const denied = lacking(SCOPE);
  const rate = starts(limit);
  return (
    <tr class="limit-row" data-testid="limit-row" data-key={limit.key}>
      <td class="key-cell">
        <Key name={limit.key} />
        {limit.parked_until && (
          <span class="tag warn">
            parked, ends <Ago at={limit.parked_until} />
          </span>
        )}
      </td>
      <td class="meter-cell" data-label="Running">
        <Meter label={`Running of ${limit.key}`} used={limit.used} most={limit.running} wanted={limit.waiting > 0} />
      </td>
      <td class={`rate-cell dim ${rate ? "" : "nothing"}`} data-label="Starts">
        <span>
          {rate || "–"}
          {rate && limit.burst !== null && limit.burst > 1 && <span class="small">, {count(limit.burst)} at once</span>}
        </span>
      </td>
      <td class={`right num waiting-cell ${limit.waiting ? "" : "dim"}`} data-label="Waiting">
        {count(limit.waiting)}
      </td>
      <td class={`right num dim refuse-cell ${limit.refuse === null ? "nothing" : ""}`} data-label="Refused above">
        {limit.refuse === null ? "–" : count(limit.refuse)}
      </td>
      <td class="actions-cell">
        <span class="row-actions">
          {limit.parked_until ? (
            <button type="button" class="button small primary" aria-label={`End the park of ${limit.key}`} data-testid="unpark" {...denied} onClick={() => void unpark(limit.key)}>
              <PlayIcon />
              Unpark
            </button>
          ) : (
            <button type="button" class="button small ghost" aria-label={`Park ${limit.key}`} data-testid="park" {...denied} onClick={() => askToPark(limit.key)}>
              <PauseIcon />
              Park…
            </button>
          )}
          <button type="button" class="icon-button" aria-label={`Change the limit of ${limit.key}`} title="Change" {...denied} onClick={() => edit(limit)}>
            <EditIcon />
          </button>
          <button
            type="button"
            class="icon-button"
            aria-label={`Remove the limit of ${limit.key}`}
            title="Remove"
            {...denied}
            disabled={!hasLimit(limit) || Boolean(denied.disabled)}
            onClick={() => void askToDrop(limit)}
          >
            <TrashIcon />
          </button>
        </span>
      </td>
    </tr>
  );
}

export function Limits() {
  useEffect(() => {
    document.title = "Limits · Stanchion";
    return limits.open();
  }, []);
  const items = limits.items.value;
  const words = sought.value.trim().toLowerCase();
  const found = items?.filter((limit) => limit.key.toLowerCase().includes(words));
  return (
    <div class="view">
      <header class="view-head">
        <h1>Limits</h1>
        <span class="grow" />
        {items && items.length > 10 && (
          <div class="search">
            <SearchIcon />
            <input
              class="input"
              type="search"
              placeholder="Search keys"
              aria-label="Search keys"
              value={sought.value}
              onInput={(event) => {
                sought.value = event.currentTarget.value;
              }}
            />
          </div>
        )}
        <button type="button" class="button primary" data-testid="new-limit" {...lacking(SCOPE)} onClick={() => edit(null)}>
          <PlusIcon />
          Set a limit…
        </button>
      </header>
      {limits.problem.value && <ProblemNote problem={limits.problem.value} again={() => void limits.refresh()} />}
      {!items && !limits.problem.value && <Loading />}
      {items?.length === 0 && (
        <section class="panel">
          <Empty title="No limits">
            <p class="dim">A limit says of a queue, tenant, user, task or provider how many of its jobs run at once, or start per minute. What cannot start stands in nobody's way.</p>
            <Command text="stanchion limits set provider:name --running 10" />
          </Empty>
        </section>
      )}
      {found && items && items.length > 0 && (
        <section class="panel">
          <table class="table fold limits-table">
            <thead>
              <tr>
                <th>Key</th>
                <th class="meter-head">Running</th>
                <th>Starts</th>
                <th class="right">Waiting</th>
                <th class="right">Refused above</th>
                <th>
                  <span class="hidden">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {found.slice(0, ROWS).map((limit) => (
                <Row key={limit.key} limit={limit} />
              ))}
            </tbody>
          </table>
          {found.length === 0 && <p class="hint">No key has these words.</p>}
          {found.length > ROWS && <p class="hint">And {plural(found.length - ROWS, "more key")}: search for one.</p>}
        </section>
      )}
    </div>
  );
}
