/** The fields of the dialogs: each bound to a signal of text. */

import type { Signal } from "@preact/signals";
import type { ComponentChildren } from "preact";

interface Props {
  label: string;
  value: Signal<string>;
  hint?: ComponentChildren;
  required?: boolean;
  disabled?: boolean;
}

export function TextField({ label, value, hint, required = false, disabled = false }: Props) {
  return (
    <label class="field">
      {label}
      <input
        class="input"
        type="text"
        autocomplete="off"
        spellcheck={false}
        maxLength={200}
        required={required}
        disabled={disabled}
        value={value.value}
        onInput={(event) => {
          value.value = event.currentTarget.value;
        }}
      />
      {hint && <span class="dim small">{hint}</span>}
    </label>
  );
}

interface NumberProps extends Props {
  min: number;
  max: number;
}

export function NumberField({ label, value, hint, required = false, min, max }: NumberProps) {
  return (
    <label class="field">
      {label}
      <input
        class="input num"
        type="number"
        inputMode="numeric"
        min={min}
        max={max}
        step={1}
        required={required}
        value={value.value}
        onInput={(event) => {
          value.value = event.currentTarget.value;
        }}
      />
      {hint && <span class="dim small">{hint}</span>}
    </label>
  );
}

interface ChoiceProps extends Props {
  choices: readonly (readonly [label: string, value: string])[];
}

export function Choice({ label, value, hint, choices }: ChoiceProps) {
  return (
    <label class="field">
      {label}
      <select
        class="input select"
        value={value.value}
        onChange={(event) => {
          value.value = event.currentTarget.value;
        }}
      >
        {choices.map(([name, one]) => (
          <option key={one} value={one}>
            {name}
          </option>
        ))}
      </select>
      {hint && <span class="dim small">{hint}</span>}
    </label>
  );
}
