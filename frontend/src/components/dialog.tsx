/** One question at a time, in the browser's own dialog: focus stays inside, Escape says no. */

import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

import { Problem } from "../api";
import { ProblemNote } from "./feedback";

interface Question {
  title: string;
  body: ComponentChildren;
  action: string;
  danger: boolean;
  answer: (yes: boolean) => void;
  /** What a yes does; where it fails the question stays, with what was typed. */
  act?: () => Promise<unknown>;
}

const question = signal<Question | null>(null);
const busy = signal(false);
const problem = signal<Problem | null>(null);

export function ask(title: string, body: ComponentChildren, action: string, danger = true): Promise<boolean> {
  question.peek()?.answer(false);
  return new Promise((resolve) => {
    question.value = {
      title,
      body,
      action,
      danger,
      answer: (yes) => {
        question.value = null;
        resolve(yes);
      },
    };
  });
}

/** Asks for values and acts on them: the dialog closes once that went well. */
export function fill(title: string, body: ComponentChildren, action: string, act: () => Promise<unknown>): void {
  question.peek()?.answer(false);
  problem.value = null;
  question.value = {
    title,
    body,
    action,
    danger: false,
    act,
    answer: () => {
      question.value = null;
    },
  };
}

async function confirm(asked: Question): Promise<void> {
  if (busy.peek()) return; // the button is not disabled meanwhile: it would lose the focus
  if (!asked.act) {
    asked.answer(true);
    return;
  }
  busy.value = true;
  problem.value = null;
  try {
    await asked.act();
    if (question.peek() === asked) asked.answer(true);
  } catch (cause) {
    problem.value = Problem.from(cause);
  } finally {
    busy.value = false;
  }
}

export function Dialog() {
  const element = useRef<HTMLDialogElement>(null);
  const current = question.value;
  useEffect(() => {
    if (current) element.current?.showModal();
    else element.current?.close();
  }, [current]);
  return (
    <dialog ref={element} class="dialog" aria-labelledby="dialog-title" onCancel={() => current?.answer(false)}>
      {current && (
        <form
          method="dialog"
          onSubmit={(event) => {
            event.preventDefault();
            void confirm(current);
          }}
        >
          <h2 id="dialog-title">{current.title}</h2>
          <div class="dialog-body">
            {current.body}
            {current.act && problem.value && <ProblemNote problem={problem.value} />}
          </div>
          <div class="dialog-foot">
            <button type="button" class="button" onClick={() => current.answer(false)}>
              {current.act ? "Cancel" : "Keep as is"}
            </button>
            <button type="submit" class={`button ${current.danger ? "danger" : "primary"}`} aria-disabled={busy.value} data-testid="confirm">
              {current.action}
            </button>
          </div>
        </form>
      )}
    </dialog>
  );
}
