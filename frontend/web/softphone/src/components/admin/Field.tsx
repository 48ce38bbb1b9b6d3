// A labelled value of a form, with a hint that belongs to it.

import { type ReactNode, useId } from "react";

export interface FieldProps {
  label: string;
  hint?: string;
  children(names: { id: string; "aria-describedby"?: string }): ReactNode;
}

export function Field({ label, hint, children }: FieldProps) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children({ id, ...(hint ? { "aria-describedby": `${id}-hint` } : {}) })}
      {hint && <small id={`${id}-hint`}>{hint}</small>}
    </div>
  );
}
