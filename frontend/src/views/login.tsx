import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

import { api, Problem } from "../api";
import { ProblemNote } from "../components/feedback";
import { Mark } from "../components/icons";

export function Login({ enter }: { enter: () => Promise<void> }) {
  const key = useSignal("");
  const busy = useSignal(false);
  const problem = useSignal<Problem | null>(null);
  const input = useRef<HTMLInputElement>(null);

  useEffect(() => {
    document.title = "Log in · Stanchion";
    input.current?.focus();
  }, []);

  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    busy.value = true;
    problem.value = null;
    try {
      await api.login(key.value.trim());
      await enter();
    } catch (cause) {
      problem.value = Problem.from(cause);
      input.current?.select();
    } finally {
      busy.value = false;
    }
  }

  return (
    <main class="gate" data-testid="login">
      <form class="login" onSubmit={(event) => void submit(event)}>
        <Mark size={48} />
        <h1>Stanchion</h1>
        <p class="dim">This server asks for an API key.</p>
        <label for="key">API key</label>
        <input
          id="key"
          ref={input}
          class="input mono"
          type="password"
          autocomplete="current-password"
          spellcheck={false}
          placeholder="stn_…"
          required
          value={key.value}
          onInput={(event) => {
            key.value = event.currentTarget.value;
          }}
        />
        {problem.value && <ProblemNote problem={problem.value} />}
        <button type="submit" class="button primary" disabled={busy.value || !key.value.trim()}>
          {busy.value ? "Checking…" : "Log in"}
        </button>
        <p class="dim small">The key is exchanged for a cookie that scripts cannot read. It is not kept in this browser.</p>
      </form>
    </main>
  );
}
