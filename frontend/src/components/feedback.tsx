/** What a person sees when there is nothing, when something failed, or when an action ended. */

import type { ComponentChildren } from "preact";

import { copy, dismiss, toasts } from "../actions";
import type { Problem } from "../api";
import { CloseIcon, CopyIcon, Mark, WarnIcon } from "./icons";

export function Command({ text }: { text: string }) {
  return (
    <span class="command">
      <code>{text}</code>
      <button type="button" class="icon-button" title="Copy the command" aria-label="Copy the command" onClick={() => void copy(text)}>
        <CopyIcon />
      </button>
    </span>
  );
}

export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty" data-testid="empty">
      <Mark size={48} />
      <h2>{title}</h2>
      {children}
    </div>
  );
}

/** Text of the server: what stands between backticks is a command or a name. */
export function Words({ text }: { text: string }) {
  return <>{text.split("`").map((piece, at) => (at % 2 ? <code key={at}>{piece}</code> : piece))}</>;
}

export function ProblemNote({ problem, again }: { problem: Problem; again?: () => void }) {
  return (
    <div class="problem" role="alert" data-testid="problem">
      <WarnIcon />
      <div class="problem-text">
        <strong>{problem.message}</strong>
        {problem.detail && <p><Words text={problem.detail} /></p>}
        {problem.errors.map((error) => (
          <p key={error.pointer}>
            <code>{error.pointer}</code> {error.message}
          </p>
        ))}
        {problem.remedy && <p class="remedy"><Words text={problem.remedy} /></p>}
        {(problem.code || problem.requestId) && (
          <p class="dim small">
            {problem.code}
            {problem.requestId && ` · request ${problem.requestId}`}
          </p>
        )}
      </div>
      {again && (
        <button type="button" class="button" onClick={again}>
          Try again
        </button>
      )}
    </div>
  );
}

export function Loading({ rows = 6 }: { rows?: number }) {
  return (
    <div class="skeleton" role="status" aria-label="Loading">
      {Array.from({ length: rows }, (_, row) => (
        <div key={row} class="skeleton-row" />
      ))}
    </div>
  );
}

export function Toasts() {
  return (
    <div class="toasts" aria-live="polite" data-testid="toasts">
      {toasts.value.map((toast) => (
        <div key={toast.id} class={`toast ${toast.kind}`} role={toast.kind === "error" ? "alert" : "status"}>
          <div>
            <strong>{toast.text}</strong>
            {toast.detail && <p><Words text={toast.detail} /></p>}
          </div>
          <button type="button" class="icon-button" aria-label="Dismiss" onClick={() => dismiss(toast.id)}>
            <CloseIcon />
          </button>
        </div>
      ))}
    </div>
  );
}
